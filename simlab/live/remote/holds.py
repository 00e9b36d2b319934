"""What commands hold, whose it is, and for how long."""

import asyncio
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from simlab.core.packet import Direction


@dataclass(eq=False)
class Hold:
    """Packets are held.

    Parameters
    ----------
    client
        Whose; 0 for all.
    directions
        Those that are held still, in the order of ``Direction``.
    for_s
        Infinity for one that lasts until it is let go.
    """

    number: int
    client: int
    directions: tuple[Direction, ...]
    for_s: float
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def direction(self) -> str:
        """What a profile calls its directions."""
        return "both" if len(self.directions) > 1 else self.directions[0].value

    def told(self) -> dict[str, Any]:
        """Return what there is to say, as JSON can hold it; without an end, ``for_s`` is null."""
        for_s = None if self.for_s == math.inf else self.for_s
        return {"number": self.number, "kind": "pause", "direction": self.direction, "for_s": for_s}


class Holds:
    """Keep the holds that last, in the order in which they began. Of two of one direction, the later counts.

    Parameters
    ----------
    over
        Called with each whose time is over.
    """

    def __init__(self, over: Callable[[Hold], None]) -> None:
        self._over = over
        self._holds: dict[int, Hold] = {}

    def __iter__(self) -> Iterator[Hold]:
        return iter([*self._holds.values()])

    def __contains__(self, number: object) -> bool:
        return number in self._holds

    def __getitem__(self, number: int) -> Hold:
        return self._holds[number]

    def begin(self, number: int, client: int, directions: tuple[Direction, ...], for_s: float) -> Hold:
        """Note that packets are held from now on."""
        hold = self._holds[number] = Hold(number, client, directions, for_s)
        if for_s < math.inf:
            hold.timer = asyncio.get_running_loop().call_later(for_s, self._run_out, hold)
        return hold

    def let_go(self, client: int, directions: Collection[Direction]) -> list[Hold]:
        """Note that some packets are held no more, a client's or with 0 all; return the holds that this ends.

        They keep the directions that they last had.
        """
        ended: list[Hold] = []
        for hold in self:
            left = tuple(way for way in hold.directions if way not in directions)
            if client not in (0, hold.client) or left == hold.directions:
                continue
            if left:
                hold.directions = left
            else:
                ended.append(self._end(hold))
        return ended

    def close(self) -> None:
        """Forget them all."""
        for hold in self:
            self._end(hold)

    def _end(self, hold: Hold) -> Hold:
        if hold.timer is not None:
            hold.timer.cancel()
        return self._holds.pop(hold.number)

    def _run_out(self, hold: Hold) -> None:
        self._over(self._end(hold))
