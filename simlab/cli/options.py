"""What several commands understand in the same way."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from simlab.core.errors import InvalidInputError

_Command = TypeVar("_Command", bound=Callable[..., object])


def peer_options(command: _Command) -> _Command:
    """Give a command ``--server`` and ``--client``; see ``peers_of``."""
    server = click.option(
        "--server", type=click.Choice(["builtin", "pipecat"]), help="pipecat: the published pipecat-ai."
    )
    client = click.option(
        "--client",
        type=click.Choice(["builtin", "chromium"]),
        help="chromium: the published JavaScript client in a browser.",
    )
    return server(client(command))


def overrides_of(settings: Sequence[str]) -> dict[str, str]:
    """Split what follows ``--set``; of two settings of a key, the last one counts.

    Raises
    ------
    InvalidInputError
        If one is not ``KEY=VALUE``.
    """
    pairs = [setting.partition("=") for setting in settings]
    faults = [f"--set {key}: want KEY=VALUE" for key, equals, _ in pairs if not (key and equals)]
    if faults:
        raise InvalidInputError(faults)
    return {key.strip(): value for key, _, value in pairs}


def peers_of(server: str | None, client: str | None) -> dict[str, str]:
    """Return ``--server`` and ``--client`` as settings of the profile's keys."""
    given = {"peers.server": server, "peers.client": client}
    return {key: name for key, name in given.items() if name is not None}
