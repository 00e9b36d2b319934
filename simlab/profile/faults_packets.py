"""Faults of the link itself: blackouts, blocks of some packets, and pauses."""

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from simlab.core.impair import Selection
from simlab.core.packet import PacketClass, classes_named
from simlab.profile.faults_base import DirectedFault
from simlab.profile.fields import Size
from simlab.profile.only import Classes, Numbers


class BlackoutFault(DirectedFault):
    """Nothing gets through."""

    kind: Literal["blackout"]


class _SelectiveFault(DirectedFault):
    """A fault of some packets.

    Parameters
    ----------
    match
        Packet classes, or families of them.
    larger_bytes, smaller_bytes
        UDP payloads of more, and of fewer, bytes.
    """

    match: Classes | None = None
    larger_bytes: Size | None = Field(default=None, alias="larger")
    smaller_bytes: Size | None = Field(default=None, alias="smaller")

    @property
    def classes(self) -> frozenset[PacketClass]:
        """The classes that it concerns."""
        return frozenset(PacketClass) if self.match is None else classes_named(self.match)

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """Which of the packets that it concerns, from 1; None for all."""
        return None

    @property
    def selection(self) -> Selection | None:
        """What it asks of packets; None if that is nothing."""
        if (self.match, self.larger_bytes, self.smaller_bytes, self.numbers) == (None, None, None, None):
            return None
        classes = None if self.match is None else self.classes
        numbers = None if self.numbers is None else frozenset(self.numbers)
        return Selection(classes, self.larger_bytes, self.smaller_bytes, numbers)

    def concerns_same(self, other: Any) -> bool:
        """Tell whether another fault of the kind has a direction and a class in common.

        Those of certain sizes or numbers may stand beside each other.
        """
        whole = all(
            (fault.larger_bytes, fault.smaller_bytes, fault.numbers) == (None, None, None)
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
            raise ValueError("want match, larger, smaller or nth (a blackout takes everything)")
        return self


class PauseFault(_SelectiveFault):
    """Packets are held, and let go in a burst when it is over: a radio that sleeps."""

    kind: Literal["pause"]
