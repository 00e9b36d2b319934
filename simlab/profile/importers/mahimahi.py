"""A trace of Mahimahi: a line for each opportunity to deliver 1504 bytes, in milliseconds."""

import math
from itertools import pairwise

from simlab.core.impair import RateSpec, TraceSpec
from simlab.profile.files import opportunities_of
from simlab.profile.importers.text import Imported

_GAP_S = 0.5
_LONGEST_SESSION_S = 86_400.0


def read(text: str) -> Imported:
    """Read a trace.

    Raises
    ------
    ValueError
        If it is none; the message says in which line.
    """
    times_ms = opportunities_of(text)
    spec = TraceSpec(times_ms, RateSpec(math.inf))
    lasts_s = times_ms[-1] / 1000
    rate_mbit_per_s = spec.mean_rate_bytes_per_s * 8e-6
    return Imported(
        description=f"A recorded trace of {lasts_s:g} s, {rate_mbit_per_s:.3g} Mbit/s on average",
        source="A trace in Mahimahi's format. Where it was recorded is not in the file.",
        evidence="trace",
        duration_s=min(max(math.ceil(lasts_s), 10.0), _LONGEST_SESSION_S),
        link={"rate": {"model": "trace", "ms": list(times_ms)}, "queue": "10MB"},
        notes=(
            f"{_opportunities(len(times_ms))} of 1504 bytes in {lasts_s:g} s; it starts over after that.",
            _gaps_told(times_ms),
            "Sizes count the IP datagram: the payload and 28 bytes.",
            "The queue holds 10 MB; that of Mahimahi is endless unless its command says otherwise.",
            "Mahimahi's mm-delay and mm-loss are commands of their own: add delay and loss by hand.",
        ),
    )


def _opportunities(count: int) -> str:
    return "1 opportunity" if count == 1 else f"{count} opportunities"


def _gaps_told(times_ms: tuple[int, ...]) -> str:
    lengths_s = [(later - sooner) / 1000 for sooner, later in pairwise((0, *times_ms))]
    gaps_s = [length_s for length_s in lengths_s if length_s >= _GAP_S]
    if not gaps_s:
        return f"No gap of {_GAP_S:g} s or more between opportunities."
    share = sum(gaps_s) / (times_ms[-1] / 1000)
    gaps = "1 gap" if len(gaps_s) == 1 else f"{len(gaps_s)} gaps"
    return (
        f"{gaps} of {_GAP_S:g} s or more between opportunities, the longest {max(gaps_s):g} s, "
        f"{share:.1%} of the time."
    )
