"""Commands by name: objects in, objects out; a wrong one changes nothing."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.profile.nearest import nearest, quoted

Given = Mapping[str, Any]
Command = Callable[[Given], Awaitable[Any]]


class Dispatcher:
    """Carry out commands, one after the other.

    ``commands`` lists them: others may be added. Each takes a mapping and returns what JSON can hold, or
    raises ``SimlabError``; then nothing has changed. Those in ``looking`` change nothing, and wait for
    nobody.
    """

    looking: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = {}
    """Commands that are not here, and who has them."""

    def __init__(self) -> None:
        self.commands: dict[str, Command] = {}
        self._one_at_a_time = asyncio.Lock()

    async def do(self, name: object, given: object) -> Any:
        """Carry out a command, and return its answer.

        Raises
        ------
        InvalidInputError
            If it is wrong, with every fault.
        SimlabError
            If it cannot be done.
        """
        command = self.commands.get(name) if isinstance(name, str) else None
        if isinstance(name, str) and name in self.elsewhere:
            raise InvalidInputError([f"{name}: {self.elsewhere[name]}"])
        if command is None:
            near = nearest(str(name), self.commands)
            hint = f", did you mean {quoted(near)}?" if near else f": there are {', '.join(self.commands)}"
            raise InvalidInputError([f"there is no command {quoted(str(name)[:60])}{hint}"])
        if not isinstance(given, Mapping):
            raise InvalidInputError([f"{name}: want an object with its arguments"])
        if name in self.looking:
            return await command(given)
        async with self._one_at_a_time:
            return await command(given)

    def watch(self) -> AsyncGenerator[Mapping[str, Any]]:
        """Yield what happens from now on, for ever, as JSON can hold it."""
        raise NotImplementedError
