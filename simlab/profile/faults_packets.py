"""Faults of the link itself: blackouts, blocks of some packets, and pauses."""

from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from simlab.core.packet import PacketClass, classes_named
from simlab.profile.faults_base import DirectedFault
from simlab.profile.only import Numbers, PacketKeys


class BlackoutFault(DirectedFault):
    """Nothing gets through."""

    kind: Literal["blackout"]


class _SelectiveFault(PacketKeys, DirectedFault):
    """A fault of some packets."""

    @property
    def classes(self) -> frozenset[PacketClass]:
        """The classes that it concerns."""
        return frozenset(PacketClass) if self.match is None else classes_named(self.match)

    def concerns_same(self, other: Any) -> bool:
        """Tell whether another fault of the kind has a direction and a class in common.

        Those of certain sizes, flows or numbers may stand beside each other.
        """
        whole = all(
            (fault.larger_bytes, fault.smaller_bytes, fault.flow, fault.numbers) == (None, None, None, None)
            for fault in (self, other)
        )
        return whole and super().concerns_same(other) and bool(self.classes & other.classes)

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


class BlockFault(_SelectiveFault):
    """Some packets do not get through: an ICE failure is a block of ``"stun"``.

    Parameters
    ----------
    nth
        Which of them, from 1 on since the fault began.
    """

    kind: Literal["block"]
    nth: Numbers | None = None

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """Which of the packets that it concerns, from 1; None for all."""
        return self.nth

    @model_validator(mode="after")
    def _blocks_something(self) -> "BlockFault":
        if self.selection is None:
            raise ValueError("want match, larger, smaller, flow or nth (a blackout takes everything)")
        return self


class PauseFault(_SelectiveFault):
    """Packets are held, and let go in a burst when it is over: a radio that sleeps."""

    kind: Literal["pause"]
