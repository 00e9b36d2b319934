"""Let sets of aiortc's objects be gone through in the same order in every process.

aiortc keeps receivers and transports in sets, and goes through them when a connection ends. Python
orders such a set by the addresses of its members, which differ from run to run; here each member counts
as the number in which it first came into a set.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from aiortc import RTCDtlsTransport, RTCIceTransport, RTCRtpReceiver, RTCRtpSender

_CLASSES: tuple[type, ...] = (RTCRtpReceiver, RTCRtpSender, RTCIceTransport, RTCDtlsTransport)
_ATTRIBUTE = "_simlab_number"


@contextmanager
def numbered_members() -> Iterator[None]:
    """Number the members of sets for as long as the context lasts."""
    numbers = count()

    def number(self: object) -> int:
        found = self.__dict__.get(_ATTRIBUTE)
        if found is None:
            found = self.__dict__[_ATTRIBUTE] = next(numbers)
        return int(found)

    for cls in _CLASSES:
        cls.__hash__ = number  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        for cls in _CLASSES:
            del cls.__hash__
