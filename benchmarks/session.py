"""How much faster than life a session runs under the virtual clock, timeline and metrics included."""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import floor
from benchmarks.figure import Figure
from simlab.batch.alike import Unit, Waiting, run_unit
from simlab.batch.plan import Matrix, plan
from simlab.batch.scenarios import Wanted
from simlab.batch.session import run_scenario
from simlab.profile import Scenario, load
from simlab.virtual.fast.pieces import pieces
from simlab.virtual.replace import replaced
from simlab.webrtc import probes

DURATION_S = 120
SESSIONS = 5
MESSAGES = 2 * DURATION_S * 10
SWEEP_CPU_S = 0.12  # 1000 sessions of flaky.toml in 60 s on two cores
POLICIES = ("pipecat", "pipecat-fixed", "livekit", "aws-full-jitter")
_FLAKY = Path(__file__).parents[1] / "profiles" / "flaky.toml"
_DURATION = f'duration = "{DURATION_S}s"\n'
_MESSAGES = "[peers]\nmedia = []\n"
_IMPAIRED = '[link]\ndelay = "40ms"\njitter = "5ms"\nloss = "2%"\nrate = "1Mbit/s"\nqueue = "64KiB"\n'
_VIDEO = '[peers]\nmedia = ["audio", "video"]\n'
PROFILES = {
    "messages, clean": (_DURATION + _MESSAGES, None),
    "messages, impaired": (_DURATION + _MESSAGES + _IMPAIRED, 1500),
    "audio both ways, clean": (_DURATION, 60),
    "audio both ways, impaired": (_DURATION + _IMPAIRED, 60),
    "audio and 30 fps VP8 both ways": (_DURATION + _VIDEO, 10),
}
"""Of each kind of session the profile, and how many seconds of it a second of the processor should give."""


def seconds(scenarios: Sequence[Scenario]) -> tuple[float, float]:
    """Return the median of the processor's and of the wall's seconds of a few sessions.

    The first one, which imports and encodes, is not counted.
    """
    cpu_s, wall_s = [], []
    for scenario in scenarios:
        began_cpu_s, began_s = time.process_time(), time.perf_counter()
        run = run_scenario(scenario)
        run.timeline.to_text()
        cpu_s.append(time.process_time() - began_cpu_s)
        wall_s.append(time.perf_counter() - began_s)
        if any(True for _ in run.timeline.select("session", "failed")):
            raise RuntimeError(f"the session of seed {scenario.profile.seed} failed")
    return statistics.median(cpu_s[1:]), statistics.median(wall_s[1:])


def _flaky() -> list[Unit]:
    """Return sessions of a sweep over ``flaky.toml`` with messages only, those of a seed together."""
    wanted = Wanted([str(_FLAKY)], POLICIES, 0, SESSIONS + 1, overrides={"peers.media": "[]"})
    found = plan(Matrix(wanted))
    waiting = Waiting(takers=1)
    waiting.add(found.session(number) for number in range(len(found)))
    return [waiting.take() for _ in range(SESSIONS + 1)]


def sweep_seconds() -> float:
    """Return the median of the processor's seconds of a session of a sweep, as its processes run them.

    The first unit, which imports, is not counted.
    """
    cpu_s = []
    for unit in _flaky():
        began_s = _all_cpu_s()
        outcomes = run_unit(unit, lambda: False)
        cpu_s.append((_all_cpu_s() - began_s) / len(unit))
        if any(outcome.failed for outcome in outcomes):
            raise RuntimeError(f"a session of {unit[0].scenario} failed")
    return statistics.median(cpu_s[1:])


def _all_cpu_s() -> float:
    took = os.times()
    return took.user + took.system + took.children_user + took.children_system


def measure() -> Iterator[Figure]:
    """Yield seconds, and how many times faster than life that is, for each kind of session."""
    all_pieces = pieces(time.time_ns)
    fitting = sum(piece.fits for piece in all_pieces)
    yield Figure("session: faster pieces that fit", fitting, "", at_least=len(all_pieces))
    for name, (text, wanted) in PROFILES.items():
        yield from _figures(name, text, wanted)
    # As where the wanted 1500 comes from: a measurement of two bare peers with a message a second.
    with replaced(probes, "INTERVAL_S", 1.0):
        yield from _figures("a message a second, impaired", _DURATION + _MESSAGES + _IMPAIRED)
    yield Figure("session: flaky, messages only", sweep_seconds(), "CPU s", at_most=SWEEP_CPU_S)
    yield Figure("session: floor (encryption and SCTP's bytes alone)", floor.seconds(MESSAGES), "CPU s")


def _figures(name: str, text: str, wanted: float | None = None) -> Iterator[Figure]:
    profile = load(text, "benchmark.toml")
    cpu_s, wall_s = seconds([Scenario.of(profile, seed=seed) for seed in range(SESSIONS + 1)])
    yield Figure(f"session: {name}", wall_s, "wall s")
    yield Figure(f"session: {name}", DURATION_S / wall_s, "x life")
    yield Figure(f"session: {name}", cpu_s, "CPU s")
    yield Figure(f"session: {name}", DURATION_S / cpu_s, "x life of CPU", at_least=wanted)
