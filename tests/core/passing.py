"""Send numbered packets through one stage, without a link."""

from simlab.core.link import Stage
from simlab.core.packet import Packet, PacketClass, Transit


def transit(
    seq: int, at_s: float = 0.0, payload: bytes = b"\0\0\0\0", kind: PacketClass = PacketClass.OTHER
) -> Transit:
    return Transit(Packet(seq, at_s, payload, kind, nth=seq), at_s, payload)


def pass_through(stage: Stage, count: int, every_s: float = 1.0) -> list[tuple[Transit, ...]]:
    return [stage.apply(transit(seq, seq * every_s)) for seq in range(count)]


def lost_by(stage: Stage, count: int) -> list[int]:
    # One by one: a list of all that passed would be gone through by the collector again and again.
    return [seq for seq in range(count) if not stage.apply(transit(seq, float(seq)))]
