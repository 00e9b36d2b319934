"""How much faster than life a session runs under the virtual clock, timeline and metrics included."""

import statistics
import time
from collections.abc import Iterator

from benchmarks.figure import Figure
from simlab.batch.session import run_scenario
from simlab.profile import Scenario, load
from simlab.virtual.fast.pieces import pieces

DURATION_S = 120
SESSIONS = 5
_DURATION = f'duration = "{DURATION_S}s"\n'
_MESSAGES = "[peers]\nmedia = []\n"
_IMPAIRED = '[link]\ndelay = "40ms"\njitter = "5ms"\nloss = "2%"\nrate = "1Mbit/s"\nqueue = "64KiB"\n'
PROFILES = {
    "messages, clean": (_DURATION + _MESSAGES, 400),
    "messages, impaired": (_DURATION + _MESSAGES + _IMPAIRED, None),
    "audio both ways, clean": (_DURATION, 60),
    "audio both ways, impaired": (_DURATION + _IMPAIRED, None),
}
"""Of each kind of session the profile, and how many seconds of it a second of the processor should give."""


def seconds(text: str) -> tuple[float, float]:
    """Return the median of the processor's and of the wall's seconds of a few sessions.

    The first session of a process, which imports and encodes, is not counted.
    """
    profile = load(text, "benchmark.toml")
    cpu_s, wall_s = [], []
    for seed in range(SESSIONS + 1):
        began_cpu_s, began_s = time.process_time(), time.perf_counter()
        run = run_scenario(Scenario.of(profile, seed=seed))
        run.timeline.to_text()
        cpu_s.append(time.process_time() - began_cpu_s)
        wall_s.append(time.perf_counter() - began_s)
        if any(True for _ in run.timeline.select("session", "failed")):
            raise RuntimeError(f"the session of seed {seed} failed")
    return statistics.median(cpu_s[1:]), statistics.median(wall_s[1:])


def measure() -> Iterator[Figure]:
    """Yield seconds, and how many times faster than life that is, for each kind of session."""
    all_pieces = pieces(time.time_ns)
    fitting = sum(piece.fits for piece in all_pieces)
    yield Figure("session: faster pieces that fit", fitting, "", at_least=len(all_pieces))
    for name, (text, wanted) in PROFILES.items():
        cpu_s, wall_s = seconds(text)
        yield Figure(f"session: {name}", wall_s, "wall s")
        yield Figure(f"session: {name}", DURATION_S / wall_s, "x life")
        yield Figure(f"session: {name}", cpu_s, "CPU s")
        yield Figure(f"session: {name}", DURATION_S / cpu_s, "x life of CPU", at_least=wanted)
