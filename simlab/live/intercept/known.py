"""What is known of each client, also after the relay has forgotten it."""

from collections.abc import Mapping
from typing import Any

from simlab.live.child import Child

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
            causes = sorted({cause for link in links for cause in link["dropped"]})
            total[way] = {
                what: sum(link[what] for link in links) for what in ("offered", "delivered", "kernel_dropped")
            } | {"dropped": {cause: sum(link["dropped"].get(cause, 0) for link in links) for cause in causes}}
        return total
