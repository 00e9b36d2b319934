"""The pytest plugin, in a pytest of its own; in a process of its own where that shows more."""

from importlib import import_module
from pathlib import Path

import pytest

import simlab

pytest_plugins = ["pytester"]
APPS = Path(__file__).parents[1] / "apps"
PROFILE = 'name = "short"\nduration = "40s"\n[link]\ndelay = "20ms"\n[peers]\nmedia = []\n'
BLACKOUT = '[[fault]]\nkind = "blackout"\nat = "5s"\nfor = "16s"\n'


@pytest.fixture(scope="module", autouse=True)
def everything_imported(tmp_path_factory):
    """What a pytest in this process imports first is forgotten with it, and numpy cannot come twice."""
    file = tmp_path_factory.mktemp("first") / "first.toml"
    file.write_text(PROFILE)
    simlab.run(file, set={"duration": "1s"})
    import_module("simlab.own_server.session")  # what it tells aiortc stays, and must not be forgotten


@pytest.fixture
def written(pytester):
    pytester.makefile(".toml", short=PROFILE + BLACKOUT)
    text = (APPS / "aiohttp_bot.py").read_text()
    pytester.makepyfile(my_bot=text)

    def written(test):
        pytester.makepyfile(test_calls="import asyncio, time\nimport pytest\n" + test)
        return "-q", "-p", "no:cacheprovider"

    return written


@pytest.fixture
def run(pytester, written):
    return lambda test, *options: pytester.runpytest_inprocess(*written(test), *options)


@pytest.fixture
def run_apart(pytester, written):
    return lambda test: pytester.runpytest_subprocess(*written(test), timeout=100)


COMES_BACK = """
@pytest.mark.simlab("short.toml", server="my_bot:app", seeds=2)
async def test_the_call_comes_back(simlab_place):
    client = simlab_place.client()
    await client.connect()
    began_s = time.monotonic()
    await asyncio.sleep(35)
    assert client.state == "ready"
    assert time.monotonic() - began_s == 35
    assert [e.t_s for e in simlab_place.events if e.kind == "attempt"]
"""


def test_a_test_runs_in_virtual_time_once_for_each_seed(run_apart):
    run_apart(COMES_BACK).assert_outcomes(passed=2)


FAILS = """
@pytest.mark.simlab("short.toml", seeds=3)
async def test_a_seed_is_bad(simlab_place):
    assert simlab_place.scenario.seed != 2
"""


def test_the_seed_that_failed_is_told_and_can_be_replayed(run):
    result = run(FAILS)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*seed 2: pytest test_calls.py::test_a_seed_is_bad --simlab-seed 2"])
    run(FAILS, "--simlab-seed", "2").assert_outcomes(failed=1)
    run(FAILS, "--simlab-seed", "3").assert_outcomes(passed=1)


WITHOUT_FIXTURE = """
import random
DRAWN = []

@pytest.mark.simlab("short.toml", seed=4, seeds=2)
async def test_entropy():
    DRAWN.append(random.random())

@pytest.mark.simlab("short.toml", seed=4, seeds=2)
async def test_the_same_again():
    DRAWN.append(random.random())

def test_both():
    assert DRAWN[:2] == DRAWN[2:]
    assert DRAWN[0] != DRAWN[1]
"""


def test_entropy_is_drawn_from_the_seed(run):
    run(WITHOUT_FIXTURE).assert_outcomes(passed=3)


WRONG = """
@pytest.mark.simlab("short.toml", server="nobody")
async def test_wrong_key(simlab_place):
    pass

@pytest.mark.simlab("short.toml")
async def test_too_long():
    await asyncio.sleep(41)

@pytest.mark.simlab("short.toml")
async def test_stuck():
    await asyncio.Event().wait()

@pytest.mark.simlab("short.toml")
def test_not_async():
    pass
"""


def test_what_is_wrong_is_told(run):
    result = run(WRONG)
    result.assert_outcomes(failed=4)
    told = result.stdout.str()
    assert 'peers.server is "nobody", want one of' in told
    assert "TimeoutError" in told
    assert "a test marked simlab is a coroutine: async def" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('"short.toml", sedes=3', "sedes is unknown, want some of policy, profile, seed, seeds, server, set"),
        ("seeds=3", 'want one profile, as in @pytest.mark.simlab("flaky")'),
        ('"short.toml", "other"', 'want one profile, as in @pytest.mark.simlab("flaky")'),
        ('"short.toml", seeds=0', "seeds is 0, want a whole number from 1 to 1,000,000"),
        ('"short.toml", seeds=1_000_001', "seeds is 1000001, want a whole number from 1 to 1,000,000"),
        ('"short.toml", seeds="3"', "seeds is '3', want a whole number from 1 to 1,000,000"),
        ('"short.toml", seed=-1', "seed is -1, want a whole number of 0 or more"),
        ('"short.toml", set="a=b"', """set is 'a=b', want a dict, as in set={"link.delay": "40ms"}"""),
        (
            '"short.toml", set={3: "a"}',
            """set has the key 3, want a text, as in set={"link.delay": "40ms"}""",
        ),
        (
            '"short.toml", set={"peers.client": "my_client:call"}',
            "set has peers.client, but the client is the test",
        ),
        ('"short.toml", seeds=True', "seeds is True, want a whole number from 1 to 1,000,000"),
        ('"short.toml", policy=["never"]', "policy is ['never'], want a text"),
        ('"short.toml", server=3', "server is 3, want a text"),
    ],
)
@pytest.mark.parametrize("fixture", ["", "simlab_place"])
def test_a_wrong_marker_is_a_test_that_fails(run, arguments, told, fixture):
    result = run(f"@pytest.mark.simlab({arguments})\nasync def test_one({fixture}):\n    pass\n")
    result.assert_outcomes(failed=1)
    assert f"marker simlab: {told}" in result.stdout.str()


UNREADABLE = """
@pytest.mark.simlab("nowhere")
async def test_one():
    pass

@pytest.mark.simlab("short.toml", set={"link.dely": "40ms", "duration": "-1s"})
async def test_two():
    pass
"""


def test_a_wrong_profile_is_told_without_the_inside_of_simlab(run):
    result = run(UNREADABLE)
    result.assert_outcomes(failed=2)
    before, *_ = result.stdout.str().split("short test summary info")
    assert [line for line in before.splitlines()[1:] if not line.startswith(("_", "="))] == [
        "marker simlab: nowhere: there is no such file",
        'marker simlab: --set duration is "-1s", want 0 or more',
        '--set link.dely is unknown, did you mean "delay"?',
    ]


OF_UNITTEST = """
from unittest import IsolatedAsyncioTestCase

pytestmark = pytest.mark.simlab("short.toml")


class TestCalls(IsolatedAsyncioTestCase):
    async def test_one(self):
        pass
"""


def test_a_method_of_unittest_does_not_run_in_real_time_without_a_word(run):
    result = run(OF_UNITTEST)
    result.assert_outcomes(failed=1)
    assert "a test marked simlab is a function, or a method of a class of pytest's" in result.stdout.str()


OTHER_ENDS = """
@pytest.mark.simlab("short.toml", seed=7)
async def test_gives_up():
    pytest.fail("no more")

@pytest.mark.simlab("short.toml")
async def test_skipped(simlab_place):
    pytest.skip("not here")

@pytest.mark.simlab("short.toml")
async def test_known():
    pytest.xfail("known")
"""


def test_whoever_says_fail_tells_the_seed_too(run):
    result = run(OTHER_ENDS)
    result.assert_outcomes(failed=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["*seed 7: pytest test_calls.py::test_gives_up --simlab-seed 7"])
    assert "seed 1:" not in result.stdout.str()


WITHOUT_PLACE = """
@pytest.fixture
def url(simlab_place):
    return simlab_place.url

@pytest.mark.simlab("short.toml")
async def test_too_early(url):
    pass

def test_unmarked(simlab_place):
    pass
"""


def test_where_there_is_no_place_yet_or_never(run):
    result = run(WITHOUT_PLACE)
    result.assert_outcomes(errors=2)
    told = result.stdout.str()
    assert "simlab_place.url is there in the test itself, and not yet in a fixture" in told
    assert "simlab_place is for tests that are marked simlab" in told


LEAKY_BOT = """
import time
from aiohttp import web

async def measure(_):
    return web.json_response({"measured_s": time.perf_counter()})

def app():
    made = web.Application()
    made.router.add_get("/measure", measure)
    return made
"""
LEAKS = """
import aiohttp

@pytest.mark.simlab("short.toml", server="leaky_bot:app", seeds=2)
async def test_slow(simlab_place):
    time.sleep(1)
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.get(simlab_place.url.replace("api/offer", "measure")) as response:
                assert response.status == 200
"""
READS = "reads a real clock: time.perf_counter (in measure)"
SLEEPS = "sleeps in real time: time.sleep (in test_slow)"


@pytest.fixture
def leaky(pytester):
    pytester.makepyfile(leaky_bot=LEAKY_BOT)


@pytest.mark.usefixtures("leaky")
def test_a_leak_is_a_warning_at_its_place(run):
    result = run(LEAKS)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*test_calls.py:8: VirtualClockWarning: " + SLEEPS, "*leaky_bot.py:5: VirtualClockWarning: " + READS]
    )


@pytest.mark.usefixtures("leaky")
def test_a_leak_is_a_test_that_fails_where_warnings_are_errors(run):
    """The application meets no exception, or it would do something else."""
    result = run(LEAKS, "-W", "error::simlab.VirtualClockWarning")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*VirtualClockWarning: *test_calls.py:8: " + SLEEPS,
            "*leaky_bot.py:5: " + READS,
            "*seed 1: pytest test_calls.py::test_slow --simlab-seed 1",
        ]
    )


@pytest.mark.usefixtures("leaky")
@pytest.mark.parametrize("ignored", ["ignore:sleeps in real time", "ignore:::test_calls"])
def test_one_kind_or_one_module_may_be_left_out(run, ignored):
    result = run(LEAKS, "-W", "error::simlab.VirtualClockWarning", "-W", ignored)
    result.assert_outcomes(failed=2)
    assert SLEEPS not in result.stdout.str()
    assert READS in result.stdout.str()


LEAKS_AND_FAILS = """
@pytest.mark.simlab("short.toml")
async def test_slow():
    time.sleep(1)
    assert False, "too slow"
"""


def test_a_test_that_fails_by_itself_tells_its_leaks_too(run):
    result = run(LEAKS_AND_FAILS, "-W", "error::simlab.VirtualClockWarning")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: too slow", "*test_calls.py:6: " + SLEEPS])


EXPECTS_LEAKS = """
import simlab

@pytest.mark.simlab("short.toml")
async def test_expected():
    with pytest.warns(simlab.VirtualClockWarning, match="sleeps in real time"):
        time.sleep(1)
"""


def test_a_leak_may_be_expected(run):
    run(EXPECTS_LEAKS, "-W", "error::simlab.VirtualClockWarning").assert_outcomes(passed=1)


AS_PYTEST_ASYNCIO = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    item.obj = lambda **given: None
"""


def test_another_plugin_puts_a_function_in_place_of_the_coroutine(run, pytester):
    pytester.makeconftest(AS_PYTEST_ASYNCIO)
    run(FAILS).assert_outcomes(passed=2, failed=1)


def test_anyio_that_takes_all_coroutines_for_its_own(run):
    # It makes two tests of each, for asyncio and for trio; both run here.
    run(FAILS, "-o", "anyio_mode=auto").assert_outcomes(passed=4, failed=2)


UNMARKED = """
def test_plain(request):
    import sys
    assert request.config.pluginmanager.has_plugin("simlab")
    loaded = {name for name in sys.modules if name.startswith(("simlab.", "aiortc"))}
    assert loaded == {"simlab.pytest_plugin"}
"""


def test_other_tests_pay_nothing(run_apart):
    run_apart(UNMARKED).assert_outcomes(passed=1)


PARAMETERS = """
@pytest.mark.parametrize("delay_s", [1, 2])
@pytest.mark.simlab("short.toml", seeds=2)
async def test_it(simlab_place, delay_s):
    assert (simlab_place.scenario.seed, delay_s) != (2, 1)

@pytest.mark.parametrize("delay_s", [1, 2])
@pytest.mark.simlab("short.toml")
async def test_no_fixture(delay_s):
    assert delay_s != 2
"""


def test_a_failed_test_is_replayed_with_its_parameters(run):
    result = run(PARAMETERS)
    result.assert_outcomes(passed=4, failed=2)
    for told, number in (("test_it[seed2-1]", 2), ("test_no_fixture[2]", 1)):
        line = f"seed {number}: pytest 'test_calls.py::{told}' --simlab-seed {number}"
        assert line in result.outlines


ENDLESS = """
@pytest.mark.simlab("short.toml")
async def test_own_timeout():
    async with asyncio.timeout(1):
        await asyncio.sleep(2)

@pytest.mark.simlab("short.toml")
async def test_too_long():
    await asyncio.sleep(41)

@pytest.mark.simlab("short.toml")
async def test_spinning():
    while True:
        await asyncio.sleep(0)
"""


def test_a_test_without_end_is_told_by_what_it_waits_for(run):
    result = run(ENDLESS)
    result.assert_outcomes(failed=3)
    over = "TimeoutError: it was not done when the 40 s of the profile's duration were over"
    told = [line.removeprefix("E").strip() for line in result.outlines if line.startswith("E  ")]
    assert [line for line in told if line.startswith("TimeoutError")] == ["TimeoutError", over]
    result.stdout.fnmatch_lines(["*this goes on for ever: test_spinning (*/test_calls.py:1[0-9])"])
    assert "_run(mark, pyfuncitem, arguments)" not in result.stdout.str()
