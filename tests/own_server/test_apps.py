"""Applications as their authors wrote them, as the server of a session in virtual time."""

import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simlab.batch.session import run_scenario
from tests.needs import needs_pipecat
from tests.virtual.sessions import run_text, scenario

PROJECT = Path(__file__).parents[2]
AIOHTTP, FASTAPI, LEAKY = (f"tests.apps.{name}_bot:app" for name in ("aiohttp", "fastapi", "leaky"))
CLEAN = 'name = "own"\nduration = "8s"\n[link]\ndelay = "20ms"\n[peers]\nserver = "{}"\n'


def judged(app, more="", **overrides):
    run = run_scenario(scenario(CLEAN.format(app) + more, **overrides))
    assert run.failed is None, run.failed
    return run


@pytest.fixture(params=[AIOHTTP, FASTAPI], ids=["aiohttp", "fastapi"])
def app(request):
    if request.param == FASTAPI:
        needs_pipecat()
    return request.param


def test_it_is_met_and_heard_and_measured(app):
    found = judged(app).metrics
    assert found["connect"]["bot_ready_s"] < 1
    assert found["violations"] == found["outages"] == []
    assert found["final_state"] == "ready"
    for way in ("up", "down"):
        # From the second in which the bot is ready until 0.9 s before the end, ten a second.
        assert found["messages"][way]["lost"] == 0
        assert found["messages"][way]["delivered"] > 60
        assert found["media"][way]["alive_at_end"]
        assert found["media"][way]["received"] > 300
        assert found["media"][way]["sent"] >= found["media"][way]["received"]
    assert found["server"]["connections_opened"] == 1


def test_its_states_are_in_the_timeline(app):
    timeline = judged(app).timeline
    states = [event["state"] for event in timeline.select("server", "connection_state")]
    assert states[:2] == ["connecting", "connected"]


def test_it_is_met_again_after_a_blackout(app):
    blackout = '[[fault]]\nkind = "blackout"\nat = "3s"\nfor = "16s"\n'
    found = judged(app, blackout, duration="35s", peers__media="[]").metrics
    assert [outage["outcome"] for outage in found["outages"]] == ["reconnected"]
    assert found["server"]["connections_opened"] == 2


def test_a_restarted_server_begins_with_a_new_module(app):
    restart = '[[fault]]\nkind = "server-restart"\nat = "3s"\nfor = "300ms"\n'
    timeline = judged(app, restart, duration="25s", peers__media="[]").timeline
    opened = list(timeline.select("server", "connection_opened"))
    assert len(opened) == 2
    assert opened[1].t_s > 3.3


def test_answers_that_are_compressed():
    assert judged("tests.apps.compressing_bot:app").metrics["final_state"] == "ready"


@pytest.fixture
def collected():
    """Let what a test leaves be told of in it: a traceback that is written while ast parses makes it fail."""
    yield
    gc.collect()


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("how", ["without_end", "stubborn", "leaving_at_the_end"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_application_that_does_not_go_keeps_no_session_from_its_end(how):
    found = judged(f"tests.apps.lingering_bot:{how}").metrics
    assert found["final_state"] == "ready"
    assert found["violations"] == []


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("without_beginning", "tests.apps.lingering_bot:without_beginning did not start: not in 60 s"),
        ("exiting", "the code of the server or the client ends the process: SystemExit: 0"),
        ("leaving", "the code of the server or the client ends the process: SystemExit: os._exit(7)"),
        (
            "killing",
            "the code of the server or the client ends the process: SystemExit: os.kill with SIGTERM (",
        ),
    ],
)
def test_an_application_that_is_not_there_any_more_is_a_failed_session(how, reason):
    run = run_scenario(scenario(CLEAN.format(f"tests.apps.lingering_bot:{how}")))
    assert run.failed["reason"].startswith(reason)


# Whose function it is that waits, where it is not the one named so.
_BUSY = {"caught": "_monotonic", "in_a_group": "_monotonic"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("how", ["monotonic", "wall", "date", "loop", "sleep", "caught", "in_a_group"])
def test_an_application_that_waits_without_the_event_loop_is_a_failed_session_that_names_it(how):
    run = run_scenario(scenario(CLEAN.format(f"tests.apps.busy_bot:{how}")))
    where = f"{_BUSY.get(how, f'_{how}')} ({PROJECT}/tests/apps/busy_bot.py:"
    assert run.failed["reason"].startswith(f"stuck: the time stays 2.000 s, for {where}")
    assert run.failed["stage"] == "session"


def test_one_that_waits_so_while_it_starts_is_named_too():
    run = run_scenario(scenario(CLEAN.format("tests.apps.busy_bot:at_start")))
    assert run.failed["reason"].startswith("stuck: the time stays 0.000 s, for _monotonic (")


def test_signals_stay_the_sessions():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    found = judged("tests.apps.signal_bot:app").metrics
    assert found["final_state"] == "ready"
    assert found["violations"] == []
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_each_leak_is_told_once_with_its_place():
    found = judged(LEAKY).metrics["violations"]
    assert {violation["invariant"] for violation in found} == {"virtual-clock"}
    module = "tests.apps.leaky_bot, line"
    assert [violation["detail"] for violation in found] == [
        f"{module} 14, in measure, reads a real clock: time.perf_counter",
        f"{module} 18, in connect, opens a real socket: socket.socket",
        f"{module} 23, in work, starts a thread: threading.Thread",
        f"{module} 28, in draw, draws from the system's entropy: random.SystemRandom",
    ]


def test_the_same_bytes_whatever_the_hash_seed_and_the_process(app):
    program = (
        "import sys\n"
        "from tests.own_server.test_apps import CLEAN\n"
        "from tests.virtual.sessions import run_text\n"
        "text = CLEAN.format(sys.argv[1])\n"
        "run_text(text)\n"
        "sys.stdout.write(run_text(text).to_text())\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program, app],
            cwd=PROJECT,
            env=os.environ | {"PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
            timeout=110,
        ).stdout
        for salt in ("1", "2")
    ]
    assert told[0] == told[1] == run_text(CLEAN.format(app)).to_text()
    assert json.loads(told[0].splitlines()[0])["clock"] == "virtual"


def test_no_session_depends_on_those_before_it_in_its_process():
    # Pipecat makes SCTP's chunks shorter for the whole process when it is imported, which it is once.
    needs_pipecat()

    def digests(*servers):
        command = [sys.executable, "-m", "tests.own_server.in_one_process", *servers]
        found = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True, timeout=120)
        return [line.split() for line in found.stdout.splitlines()]

    ((_, own),) = digests(FASTAPI)
    (_, builtin), *_, (_, again) = digests("builtin", FASTAPI, "builtin")
    _, (_, after_pipecat), (_, last), (_, other) = digests("pipecat", FASTAPI, "builtin", AIOHTTP)
    assert builtin == again == last
    assert own == after_pipecat
    # It lies beside the one on FastAPI, and has nothing of Pipecat.
    ((_, first),) = digests(AIOHTTP)
    assert other == first


def test_a_bot_that_talks_in_turns_is_not_missed_between_them():
    run = judged("tests.apps.turns_bot:in_turns", duration="14s")
    assert run.metrics["outages"] == []
    assert run.metrics["media"]["down"]["alive_at_end"]
    assert run.metrics["media"]["down"]["longest_gap_s"] == 0
    quiet = [event.t_s - event["since_s"] for event in run.timeline.select("probe", "quiet")]
    # Two pauses of 3 s; the session ends in the third.
    assert [round(length_s, 2) for length_s in quiet] == [3.0, 3.0, 1.8]
    assert any(told.startswith("The server's voice was silent by itself for") for told in run.account())


def test_what_a_bot_that_talks_in_turns_says_in_a_blackout_is_missed():
    blackout = '[[fault]]\nkind = "blackout"\nat = "5s"\nfor = "3s"\ndirection = "down"\n'
    found = judged("tests.apps.turns_bot:in_turns", blackout, duration="14s").metrics
    assert [outage["outcome"] for outage in found["outages"]] == ["self_healed"]
    # It says something from 5.2 s to 7.2 s, and again from 10.2 s on.
    assert found["media"]["down"]["longest_gap_s"] == 2.0


def test_a_bot_without_a_voice_is_not_missed():
    run = judged("tests.apps.turns_bot:without_voice")
    assert run.metrics["outages"] == []
    assert "The server's voice said nothing by itself, all the time." in run.account()


def test_a_voice_of_which_no_frames_come_any_more_is_missed():
    found = judged("tests.apps.turns_bot:broken_off").metrics
    assert [outage["outcome"] for outage in found["outages"]] == ["open"]
    assert not found["media"]["down"]["alive_at_end"]


def test_a_bot_of_pipecats_runner_runs_as_it_stands():
    needs_pipecat()
    blackout = '[[fault]]\nkind = "blackout"\nat = "3s"\nfor = "16s"\n'
    run = judged("tests.apps.runner_bot:bot", blackout, duration="40s", peers__media="[]")
    assert [outage["outcome"] for outage in run.metrics["outages"]] == ["reconnected"]
    found = judged("tests.apps.runner_bot:bot").metrics
    assert found["outages"] == found["violations"] == []
    # It buzzes for half a second, and then listens.
    assert 20 <= found["media"]["down"]["received"] <= 30
    assert found["media"]["up"]["received"] > 300
