"""Let aiohttp's client connect in the virtual network: it brings sockets of its own along."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import aiohappyeyeballs
import aiohttp.connector

from simlab.virtual.hosts import Address
from simlab.virtual.replace import replaced


class Destined:
    """A socket that is nothing yet but where it is to be connected to."""

    def __init__(self, address: Address) -> None:
        self.address = address


async def _start_connection(addr_infos: Sequence[Any], **_: Any) -> Destined:
    *_, (host, port, *_) = addr_infos[0]
    return Destined((host, port))


@contextmanager
def aiohttp_connects() -> Iterator[None]:
    """Let ``aiohttp.ClientSession`` use the virtual loop for as long as the context lasts."""
    eyeballs = SimpleNamespace(**vars(aiohappyeyeballs))
    eyeballs.start_connection = _start_connection
    with replaced(aiohttp.connector, "aiohappyeyeballs", eyeballs):
        yield
