"""Send numbered packets through one stage, or through a row of them, without a link."""

from collections.abc import Sequence

from simlab.core.link import Stage
from simlab.core.packet import Packet, PacketClass, Transit


def transit(
    seq: int, at_s: float = 0.0, payload: bytes = b"\0\0\0\0", kind: PacketClass = PacketClass.OTHER
) -> Transit:
    return Transit(Packet(seq, at_s, payload, kind, nth=seq), at_s, payload)


def pass_through(stage: Stage, count: int, every_s: float = 1.0) -> list[tuple[Transit, ...]]:
    return [stage.apply(transit(seq, seq * every_s)) for seq in range(count)]


def lost_by(stage: Stage, count: int) -> list[int]:
    return [seq for seq, out in enumerate(pass_through(stage, count)) if not out]


def pass_row(row: Sequence[Stage], one: Transit) -> tuple[str | None, Transit | None]:
    """Return the cause of a packet's drop, or the packet itself (never its copies) as it came out."""
    if not row:
        return None, one
    stage, *later = row
    out = stage.apply(one)
    if not out:
        return stage.name, None
    fate = pass_row(later, out[0])
    for copy in out[1:]:
        pass_row(later, copy)
    return fate
