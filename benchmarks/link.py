"""How many packets a link handles in a second of one core, in virtual time."""

import time
from collections.abc import Iterator, Sequence

from benchmarks.figure import Figure
from simlab.core.impair import (
    BernoulliSpec,
    CodelSpec,
    CodelStage,
    ConstantDelaySpec,
    CorrelatedLossSpec,
    CorruptSpec,
    GilbertElliottSpec,
    NormalDelaySpec,
    ParetoDelaySpec,
    RateSpec,
    RateStage,
    RateStep,
    SelectedSpec,
    Selection,
    TimedGilbertElliottSpec,
    TraceSpec,
    UniformDelaySpec,
    make_stage,
)
from simlab.core.link import HoldingStage, Link, Stage
from simlab.core.packet import Direction, PacketClass

WANTED_PER_S = 150_000
PACKETS = 200_000
ROUNDS = 3
# A queue of 100 kB, and what waits behind the longest Pareto delay at 10,000 packets a second.
MOST_HELD = 10_000

# RTP most of all, some RTCP, STUN and SCTP, as in a call.
PAYLOADS = [
    *[b"\x80\x60" + bytes(160)] * 17,
    b"\x80\xc8" + bytes(60),
    b"\x17\xfe\xfd" + bytes(100),
    b"\0\1\0\0\x21\x12\xa4\x42" + bytes(80),
]
_RATE = RateSpec(1.25e7, 100_000)
_RTP = Selection(frozenset({PacketClass.RTP}))


def _made(*specs: object) -> list[Stage | HoldingStage]:
    return [make_stage(spec, 1, Direction.UP) for spec in specs]


def _rows() -> dict[str, Sequence[Stage | HoldingStage]]:
    damage = CorruptSpec(0.001)
    steps = [RateStep(second / 10, 1.25e7) for second in range(1, 200)]
    return {
        "delay alone": _made(ConstantDelaySpec(0.04)),
        "rate, loss, corrupt, uniform": [
            RateStage(_RATE),
            *_made(BernoulliSpec(0.01), damage, UniformDelaySpec(0.04, 0.01)),
        ],
        "rate, bursts, corrupt, normal": [
            RateStage(_RATE),
            *_made(GilbertElliottSpec.of_bursts(0.05, 4), damage, NormalDelaySpec(0.04, 0.01)),
        ],
        "changing rate, weather, corrupt, Pareto": [
            RateStage(_RATE, steps),
            *_made(TimedGilbertElliottSpec(20.0, 1.5), damage, ParetoDelaySpec(0.04, 0.01)),
        ],
        "trace, copula, corrupt, uniform": _made(
            TraceSpec(tuple(range(1, 1000)), _RATE),
            CorrelatedLossSpec(0.05, 0.5),
            damage,
            UniformDelaySpec(0.04, 0.01),
        ),
        "CoDel, loss, corrupt, uniform": [
            CodelStage(CodelSpec(_RATE)),
            *_made(BernoulliSpec(0.01), damage, UniformDelaySpec(0.04, 0.01)),
        ],
        "rate, loss of RTP, corrupt, uniform": [
            RateStage(_RATE),
            *_made(SelectedSpec(BernoulliSpec(0.01), _RTP), damage, UniformDelaySpec(0.04, 0.01)),
        ],
    }


def packets_per_s(stages: Sequence[Stage | HoldingStage]) -> tuple[float, int]:
    """Return how many packets a second a link takes in and gives out, and the most that it held."""
    link, most, count = Link(stages), 0, len(PAYLOADS)
    began_s = time.process_time()
    for number in range(PACKETS):
        now_s = number / 10_000
        link.release(now_s)
        link.receive(PAYLOADS[number % count], now_s)
        if number % 1000 == 0:
            most = max(most, len(link))
    return PACKETS / (time.process_time() - began_s), most


def measure() -> Iterator[Figure]:
    """Yield packets a second for each row, the best of a few rounds, and what it held at most."""
    for name in _rows():
        fastest, most = max(packets_per_s(_rows()[name]) for _ in range(ROUNDS))
        yield Figure(f"link: {name}", fastest, "packets/s", at_least=WANTED_PER_S)
        yield Figure(f"link: {name}, held", most, "packets", at_most=MOST_HELD)
