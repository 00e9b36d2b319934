"""What is known of each client, also after the relay has forgotten it."""

from collections.abc import Mapping, Sequence
from typing import Any

from simlab.live.child import Child

_COUNTS = ("offered", "delivered", "corrupted", "kernel_dropped")

State = Mapping[str, Any]
"""What the relay knows of a client: see ``relay_process``."""


class Known:
    """Keep the last state of each client.

    ``last`` has it by the client's number; ``present`` are the numbers of those that are there now.
    """

    def __init__(self, relay: Child) -> None:
        self._relay = relay
        self.last: dict[int, State] = {}
        self.present: list[int] = []

    async def look(self, order: str = "clients", *arguments: object) -> None:
        """Give the relay an order that is answered by the states of all clients."""
        states = await self._relay.ask(order, *arguments)
        self.last |= {int(number): state for number, state in states.items()}
        self.present = sorted(int(number) for number in states)

    def now(self) -> dict[int, State]:
        """Return the state of each client that is there."""
        return {number: self.last[number] for number in self.present}

    def stats(self) -> dict[str, Any]:
        """Return what all clients that were ever there have sent and lost, added up by direction."""
        total: dict[str, Any] = {"clients": len(self.present)}
        for way in ("up", "down"):
            links = [state["links"][way] for state in self.last.values()]
            total[way] = {what: sum(link[what] for link in links) for what in _COUNTS}
            total[way] |= {what: _added_up([link[what] for link in links]) for what in ("dropped", "added")}
        return total


def _added_up(several: Sequence[Mapping[str, int]]) -> dict[str, int]:
    causes = sorted({cause for one in several for cause in one})
    return {cause: sum(one.get(cause, 0) for one in several) for cause in causes}
