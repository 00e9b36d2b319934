"""Is a session the same, byte for byte, in another process, and in one that has run others before?

Two processes with different hash seeds run the sessions of 200 seeds, and of some with pictures, with the
published server and with an application that imports it; and a session of every kind, run after 500 others in
its process, of all kinds in turn, is compared with the first of another. Run it with ``make determinism``, or
``python -m benchmarks.determinism [SEEDS] [SESSIONS]``: it prints how many pairs are identical, and exits
with 1 if one is not.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from simlab.batch.session import run_scenario
from simlab.profile import Scenario, load

SEEDS = 200
SESSIONS = 500
SALTS = ("1", "2")  # PYTHONHASHSEED, by which sets of texts are ordered
KINDS: Mapping[str, Mapping[str, str]] = {
    "flaky": {},
    "flaky, pictures": {"peers.media": '["audio", "video"]'},
    "flaky, pipecat": {"peers.server": "pipecat"},
    "flaky, own application": {"peers.server": "tests.apps.fastapi_bot:app"},
}
"""What each kind changes of flaky.toml."""
_PROJECT = Path(__file__).parents[1]
_RESTART = '[[fault]]\nkind = "server-restart"\nat = "1500ms"\nfor = "300ms"\n'
_PROFILES = {
    "flaky": (_PROJECT / "profiles" / "flaky.toml").read_text(),
    "short": 'duration = "3s"\n[link]\nloss = "2%"\n' + _RESTART,
}
_EACH = "each"


@dataclass(frozen=True)
class Pairs:
    """Sessions of a kind that were run twice.

    Parameters
    ----------
    seeds
        How many.
    differing
        The seeds of those whose timelines are not the same.
    """

    kind: str
    seeds: int
    differing: tuple[int, ...]


def digest(kind: str, seed: int, text: str = _PROFILES["flaky"]) -> str:
    """Run a session in this process, and return a digest of its timeline.

    Raises
    ------
    RuntimeError
        If it fails: then it says nothing.
    """
    run = run_scenario(Scenario.of(load(text, "flaky.toml", KINDS[kind]), seed=seed))
    if run.failed is not None:
        raise RuntimeError(f"{kind}, seed {seed}: {run.headline}")
    return hashlib.sha256(run.timeline.to_text().encode()).hexdigest()


def started(*arguments: object, salt: str) -> "subprocess.Popen[str]":
    """Start this module in a process with that hash seed."""
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.determinism", *map(str, arguments)],
        cwd=_PROJECT,
        env=os.environ | {"PYTHONHASHSEED": salt},
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: "subprocess.Popen[str]") -> list[str]:
    """Return the lines that a process printed.

    Raises
    ------
    RuntimeError
        If it did not end well.
    """
    lines = process.communicate()[0].splitlines()
    if process.returncode != 0:
        raise RuntimeError("a session failed; see above")
    return lines


def pairs(kind: str, seeds: int) -> Pairs:
    """Run the sessions of a kind in two processes at once, and compare."""
    processes = [started(_EACH, kind, seeds, salt=salt) for salt in SALTS]
    first, second = map(told, processes)
    assert len(first) == len(second) == seeds
    both = zip(first, second, strict=True)
    return Pairs(kind, seeds, tuple(seed for seed, (one, other) in enumerate(both, 1) if one != other))


def late(sessions: int, profile: str = "flaky") -> Iterator[Pairs]:
    """Compare a session of every kind, run after so many of all kinds in turn, with the first of a process.

    One process runs all that come late, one after the other, and each of the others one alone.
    """
    after = started(profile, sessions, *KINDS, salt=SALTS[1])
    alone = [told(started(profile, 0, kind, salt=SALTS[0])) for kind in KINDS]
    for kind, [first], last in zip(KINDS, alone, told(after), strict=True):
        yield Pairs(f"{kind}, after {sessions} sessions", 1, () if first == last else (1,))


def every(seeds: int, sessions: int) -> Iterator[Pairs]:
    """Compare the sessions of every kind; of those that take longer, fewer."""
    for kind, times_fewer in zip(KINDS, (1, 10, 4, 10), strict=True):
        yield pairs(kind, max(1, seeds // times_fewer))
    yield from late(sessions)


def main(seeds: int = SEEDS, sessions: int = SESSIONS) -> int:
    """Compare, print, and return 1 if something differs."""
    differing = 0
    for found in every(seeds, sessions):
        which = f"; not those of seed {', '.join(map(str, found.differing))}" if found.differing else ""
        same = found.seeds - len(found.differing)
        print(f"{found.kind}: {same} of {found.seeds} pairs are identical{which}", flush=True)
        differing += len(found.differing)
    return int(differing > 0)


def _each(kind: str, seeds: int) -> Iterator[str]:
    return (digest(kind, seed) for seed in range(1, seeds + 1))


def _late(profile: str, sessions: int, *kinds: str) -> Iterator[str]:
    every_kind = tuple(KINDS)
    for number in range(1, sessions + 1):
        digest(every_kind[number % len(every_kind)], number, _PROFILES["short"])
    return (digest(kind, 1, _PROFILES[profile]) for kind in kinds)


def _in_process(what: str, *arguments: str) -> None:
    """Print the digests of a kind's first seeds, or of a profile in several kinds after other sessions."""
    if what == _EACH:
        found = _each(arguments[0], int(arguments[1]))
    else:
        found = _late(what, int(arguments[0]), *arguments[1:])
    for one in found:
        print(one, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] and not sys.argv[1].isdigit():
        _in_process(*sys.argv[1:])
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
