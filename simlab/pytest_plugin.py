"""Tests in virtual time on a bad network: ``@pytest.mark.simlab`` and the fixture ``simlab_place``.

pytest imports this wherever simlab is installed, so it imports nothing of simlab before a test needs it.
"""

import inspect
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard
from unittest import TestCase

import pytest

_MARK = "simlab"
_FIXTURE = "simlab_place"
_KEYS = {"profile", "seeds", "seed", "policy", "server", "set"}
_HELP = (
    "simlab(profile, *, seeds=1, seed=1, policy=None, server=None, set={}): run an async test in virtual "
    "time, once for each seed, on the network of a profile, a name or a file."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--simlab-seed``."""
    group = parser.getgroup("simlab")
    group.addoption(
        "--simlab-seed",
        type=int,
        metavar="N",
        help="run tests marked simlab with this seed alone, as a failed one has told it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _HELP)
    # By now, and not with this module: what is registered last is asked first, before anyio's plugin.
    config.pluginmanager.register(_Runner(), "simlab-runner")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each seed."""
    mark = metafunc.definition.get_closest_marker(_MARK)
    if mark is None or _fault(mark) or "_simlab_seed" not in metafunc.fixturenames:
        return
    only = metafunc.config.getoption("--simlab-seed")
    first, many = mark.kwargs.get("seed", 1), mark.kwargs.get("seeds", 1)
    seeds = range(first, first + many) if only is None else [only]
    metafunc.parametrize("_simlab_seed", seeds, ids=[f"seed{seed}" for seed in seeds])


def _fault(mark: pytest.Mark) -> str | None:
    """Return what is wrong with the marker, which ``scenarios`` would not tell."""
    keys = {**dict(zip(["profile"], mark.args, strict=False)), **mark.kwargs}
    unknown = [key for key in keys if key not in _KEYS]
    if unknown:
        return f"{unknown[0]} is unknown, want some of {', '.join(sorted(_KEYS))}"
    if len(mark.args) > 1 or "profile" not in keys or (mark.args and "profile" in mark.kwargs):
        return 'want one profile, as in @pytest.mark.simlab("flaky")'
    for key in ("policy", "server"):
        if not isinstance(keys.get(key) or "", str):
            return f"{key} is {keys[key]!r}, want a text"
    return _fault_of_numbers(keys.get("seeds", 1), keys.get("seed", 1)) or _fault_of_set(
        keys.get("set") or {}
    )


def _fault_of_numbers(seeds: object, seed: object) -> str | None:
    from simlab.core.limits import MOST_SEEDS

    if not _is_whole(seeds) or not 1 <= seeds <= MOST_SEEDS:
        return f"seeds is {seeds!r}, want a whole number from 1 to {MOST_SEEDS:,}"
    if not _is_whole(seed) or seed < 0:
        return f"seed is {seed!r}, want a whole number of 0 or more"
    return None


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _fault_of_set(settings: object) -> str | None:
    if not isinstance(settings, dict):
        return f'set is {settings!r}, want a dict, as in set={{"link.delay": "40ms"}}'
    for key in settings:
        if not isinstance(key, str):
            return f'set has the key {key!r}, want a text, as in set={{"link.delay": "40ms"}}'
        if key == "peers.client":
            return "set has peers.client, but the client is the test"
    return None


@pytest.fixture
def _simlab_seed() -> int | None:
    return None


@pytest.fixture
def simlab_place(request: pytest.FixtureRequest, _simlab_seed: int | None) -> Any:
    """Where a test marked ``simlab`` finds itself: ``simlab.virtual.code.Place``."""
    if request.node.get_closest_marker(_MARK) is None:
        pytest.fail("simlab_place is for tests that are marked simlab", pytrace=False)
    return _Awaited()


class _Awaited:
    """Stand in for the place until the test runs there."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"simlab_place.{name} is there in the test itself, and not yet in a fixture")


class _Runner:
    """Run marked tests, whatever other plugin there is for coroutines."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Refuse a marked method of unittest's: it would run by itself, in real time."""
        owner = getattr(item, "cls", None)
        if item.get_closest_marker(_MARK) and isinstance(owner, type) and issubclass(owner, TestCase):
            pytest.fail(
                "a test marked simlab is a function, or a method of a class of pytest's", pytrace=False
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Run a marked test in virtual time."""
        __tracebackhide__ = True
        mark = pyfuncitem.get_closest_marker(_MARK)
        if mark is None:
            return None
        if not inspect.iscoroutinefunction(_test_of(pyfuncitem)):
            pytest.fail("a test marked simlab is a coroutine: async def", pytrace=False)
        fault = _fault(mark)
        if fault:
            pytest.fail(f"marker simlab: {fault}", pytrace=False)
        names = pyfuncitem._fixtureinfo.argnames
        arguments = {name: pyfuncitem.funcargs[name] for name in names}
        _run(mark, pyfuncitem, arguments)
        return True


def _test_of(item: pytest.Function) -> Any:
    """Return the test as it was written: pytest-asyncio puts a function that is no coroutine in its place."""
    owner = item.instance if item.instance is not None else item.parent.obj  # type: ignore[union-attr]
    return getattr(owner, item.originalname)


def _run(mark: pytest.Mark, item: pytest.Function, arguments: dict[str, Any]) -> None:
    __tracebackhide__ = True
    from simlab.virtual.code import Place, run_code
    from simlab.virtual.leak_warnings import LeakWarnings

    async def code(place: Place) -> None:
        given = {name: place if name == _FIXTURE else value for name, value in arguments.items()}
        await _test_of(item)(**given)

    seed: Any = item.funcargs.get("_simlab_seed", item.config.getoption("--simlab-seed"))
    for scenario in _scenarios(mark, seed):
        leaks = LeakWarnings()
        with _told_how_to_replay(item, scenario.seed, leaks.refused):
            run_code(scenario, code, leaks.tell)
            leaks.raise_refused()


def _scenarios(mark: pytest.Mark, seed: int | None) -> list[Any]:
    from simlab.batch.scenarios import scenarios
    from simlab.core.errors import InvalidInputError

    try:
        return list(scenarios(_wanted(mark, seed)))
    except InvalidInputError as error:
        told = str(error)
    pytest.fail(f"marker simlab: {told}", pytrace=False)  # not above, where both would be shown


def _replayed(item: pytest.Function, seed: int) -> str:
    """Return a test as a shell wants it, with those of its parameters that are not the seed."""
    return shlex.quote(item.nodeid.removesuffix(f"[seed{seed}]"))


def _wanted(mark: pytest.Mark, seed: int | None) -> Any:
    from simlab.batch.door import toml_text
    from simlab.batch.scenarios import Wanted

    keys = dict(mark.kwargs)
    (profile,) = mark.args or (keys.pop("profile"),)
    settings = {
        key: value if isinstance(value, str) else toml_text(value)
        for key, value in (keys.get("set") or {}).items()
    }
    if keys.get("server"):
        settings["peers.server"] = keys["server"]
    policies = (keys["policy"],) if keys.get("policy") else ()
    first = keys.get("seed", 1) if seed is None else seed
    many = keys.get("seeds", 1) if seed is None else 1
    return Wanted([str(profile)], policies, first, many, "virtual", settings)


@contextmanager
def _told_how_to_replay(item: pytest.Function, seed: int, leaks: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except (pytest.skip.Exception, pytest.xfail.Exception):
        raise
    except (Exception, pytest.fail.Exception, BaseExceptionGroup):
        told = [*leaks, f"seed {seed}: pytest {_replayed(item, seed)} --simlab-seed {seed}"]
        item.add_report_section("call", "simlab", "\n".join(told))
        raise
