"""When a client hung up, and was not missed from then on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simlab.core.timeline import Event
from simlab.live.intercept.happenings import Happening

_ALERT = 21
_EPOCH = slice(3, 5)


def is_close_notify(payload: bytes) -> bool:
    """Tell whether a datagram is an encrypted alert of DTLS 1.2, as is sent by whom closes a connection.

    What it says cannot be read; once a connection stands there is hardly another. DTLS 1.3 does not show it.

    Source: RFC 6347 section 4.1 (the record), RFC 5246 section 7.2.1 (``close_notify``).
    """
    return len(payload) > 13 and payload[0] == _ALERT and payload[_EPOCH] != b"\0\0"


@dataclass(frozen=True)
class HangUp:
    """A stretch in which a client wanted no connection.

    Parameters
    ----------
    at_s
        When it hung up.
    again_s
        When it called again; None if it did not.
    """

    at_s: float
    again_s: float | None


def hang_ups(events: Sequence[Event], happenings: Iterable[Happening]) -> list[HangUp]:
    """Return when a client hung up, in order.

    A policy closes connections, too: the old one after it has offered a new one, or before, while something
    is silent. And a client that closes while the links have a fault may have given up. All this is none.

    Parameters
    ----------
    events
        Of that client alone.
    happenings
        What it met.
    """
    of_links = [one for one in happenings if one.kind != "signalling"]
    offers = [event for event in events if (event.source, event.kind) == ("client", "offer")]
    found: list[HangUp] = []
    for event in sorted(events, key=lambda event: event.t_s):
        if event.kind != "hung_up" or any(one.at_s <= event.t_s < one.until_s for one in of_links):
            continue
        newer_s = [offer.t_s for offer in offers if offer["connection"] > event["connection"]]
        again_s = min(newer_s, default=None)
        if again_s is None or (again_s > event.t_s and not event["silent"]):
            found.append(HangUp(event.t_s, again_s))
    return found
