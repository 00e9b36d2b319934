"""Keep OpenSSL's DTLS timer in virtual time where the clock that it reads can't be replaced.

When a flight of the handshake is sent again is then decided here, by the virtual time, and OpenSSL is given
the real time that it wants to have passed: slower by a second or more for each lost flight, and the same
bytes.

Source: OpenSSL, ssl/d1_lib.c: the timer begins with each flight, at 1 s; it doubles with each time that it
expires, up to 60 s; less than 15 ms are nothing. RFC 6347, section 4.2.4.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import sleep  # in a session, that of the module returns at once
from typing import Any
from weakref import WeakKeyDictionary

from OpenSSL import SSL
from OpenSSL._util import ffi, lib

from simlab.virtual.replace import replaced

_FIRST_US, _LONGEST_US, _NOTHING_US = 1_000_000, 60_000_000, 15_000

_get_timeout = SSL.Connection.DTLSv1_get_timeout
_handle_timeout = SSL.Connection.DTLSv1_handle_timeout


@dataclass(frozen=True)
class _Timer:
    began_us: int
    lasts_us: int = _FIRST_US

    def remaining_us(self, now_us: int) -> int:
        left_us = self.began_us + self.lasts_us - now_us
        return 0 if left_us < _NOTHING_US else left_us

    def again(self, now_us: int) -> "_Timer":
        return _Timer(now_us, min(2 * self.lasts_us, _LONGEST_US))


@contextmanager
def timer_in_virtual_time(wall_time_s: Callable[[], float]) -> Iterator[None]:
    """Decide by the virtual time when DTLS retransmits, and let the real time pass that OpenSSL waits for.

    Parameters
    ----------
    wall_time_s
        Returns the virtual time as seconds since 1970.
    """
    timers: WeakKeyDictionary[SSL.Connection, _Timer] = WeakKeyDictionary()

    def now_us() -> int:
        return int(wall_time_s() * 1e6)

    def flights_seen(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(connection: SSL.Connection, *args: Any, **kwargs: Any) -> Any:
            before = _unsent_bytes(connection)
            try:
                return method(connection, *args, **kwargs)
            finally:
                if _unsent_bytes(connection) > before:
                    timers[connection] = _Timer(now_us())

        return call

    def get_timeout(connection: SSL.Connection) -> float | None:
        if _get_timeout(connection) is None:
            return None
        return timers[connection].remaining_us(now_us()) / 1e6

    def handle_timeout(connection: SSL.Connection) -> bool:
        if get_timeout(connection) != 0:
            return False
        timers[connection] = timers[connection].again(now_us())
        return _expired(connection)

    with ExitStack() as stack:
        for name in ("do_handshake", "recv"):
            method = flights_seen(getattr(SSL.Connection, name))
            stack.enter_context(replaced(SSL.Connection, name, method))
        stack.enter_context(replaced(SSL.Connection, "DTLSv1_get_timeout", get_timeout))
        stack.enter_context(replaced(SSL.Connection, "DTLSv1_handle_timeout", handle_timeout))
        yield


def _expired(connection: SSL.Connection) -> bool:
    """Wait until OpenSSL's own timer has expired, and let it send again."""
    while remaining_s := _get_timeout(connection):
        sleep(remaining_s)
    return bool(_handle_timeout(connection))


def _unsent_bytes(connection: SSL.Connection) -> int:
    """Return how much OpenSSL has written that nobody has sent yet."""
    return int(lib.BIO_get_mem_data(connection._from_ssl, ffi.new("char **")))
