"""What a client's packets show of its connection, to somebody who cannot read them."""

from simlab.core.link import Delivered
from simlab.core.packet import Direction, PacketClass
from simlab.core.timeline import Recorder
from simlab.live.intercept.hanging_up import is_close_notify
from simlab.webrtc.probes import MEDIA_GAP_S, Tally

DATA_GAP_S = 2.5
"""From when on silence on the data channel counts: the client pings once a second, and is heard with that."""

_WHAT = {PacketClass.RTP: "media", PacketClass.DTLS_DATA: "message"}
_GAPS_S = {"media": MEDIA_GAP_S, "message": DATA_GAP_S}


class Arrivals:
    """Record the gaps in what arrives in one direction, each as soon as it is one."""

    def __init__(self, record: Recorder, direction: Direction, what: str) -> None:
        self._record = record
        self._labels = {"direction": direction.value, "what": what}
        self._gap_s = _GAPS_S[what]
        self._silent = False
        self.tally = Tally(record, direction, what)
        self.last_s: float | None = None

    @property
    def silent_since_s(self) -> float | None:
        """The last arrival before a silence that goes on; None where there is none."""
        return self.last_s if self._silent else None

    def arrived(self, now_s: float) -> None:
        """Take in an arrival."""
        self.look(now_s)
        if self._silent and self.last_s is not None:
            self._silent = False
            self._record("probe", "back", at_s=now_s, **self._labels, gap_s=round(now_s - self.last_s, 6))
        self.last_s = now_s
        self.tally.add("received")

    def look(self, now_s: float) -> None:
        """Find out whether it has been silent for too long."""
        if self.last_s is not None and not self._silent and now_s - self.last_s > self._gap_s:
            self._silent = True
            at_s, since_s = self.last_s + self._gap_s, round(self.last_s, 6)
            self._record("probe", "lost", at_s=at_s, **self._labels, since_s=since_s)


class Watch:
    """Look at the packets of one client.

    The times at which ICE, DTLS and the bot were ready are the first at which packets show it: an answered
    check, encrypted data, and data or media in both directions.

    Parameters
    ----------
    record
        Of this client.
    """

    def __init__(self, record: Recorder) -> None:
        self._record = record
        self._arrivals: dict[tuple[Direction, str], Arrivals] = {}
        self._reached: dict[str, int] = {}
        self._closed: set[int] = set()
        self.is_ready = False

    def entered(self, direction: Direction, payload: bytes, kind: PacketClass, connection: int) -> None:
        """Take in a packet as it enters the link, and which peer connection it belongs to."""
        what = _WHAT.get(kind)
        if what is not None:
            self._of(direction, what).tally.add("sent")
        elif kind is PacketClass.DTLS_HANDSHAKE and is_close_notify(payload):
            self._closes(direction, connection)

    def left(self, direction: Direction, packet: Delivered, connection: int) -> None:
        """Take in a packet that has left the link, and which peer connection it belongs to."""
        if direction is Direction.DOWN and packet.kind is PacketClass.STUN_RESPONSE:
            self._reach("ice_state", connection)
        what = _WHAT.get(packet.kind)
        if what is None:
            return
        if direction is Direction.DOWN:
            self._reach("dtls_state", connection)
        self._of(direction, what).arrived(packet.sent_s)
        if not self.is_ready and len({way for (way, _), one in self._arrivals.items() if one.last_s}) == 2:
            self.is_ready = True
            self._record("client", "bot_ready", inferred=True)

    def _closes(self, direction: Direction, connection: int) -> None:
        """Take note that an end closes a connection; the other one answers with the same."""
        if connection in self._closed:
            return
        self._closed.add(connection)
        if direction is Direction.UP:
            self.look()
            self.flush()
            silent = [f"{way} {what}" for way, what, _ in self.silent()]
            self._record("client", "hung_up", connection=connection, silent=silent, inferred=True)

    def is_closed(self, connection: int) -> bool:
        """Tell whether an end was seen to close that peer connection."""
        return connection in self._closed

    def look(self) -> None:
        """Find out what has fallen silent."""
        for arrivals in self._arrivals.values():
            arrivals.look(self._record.now_s())

    def silent(self) -> list[tuple[str, str, float]]:
        """Return what is silent: the direction, what, and since when in seconds."""
        found = [(way.value, what, one.silent_since_s) for (way, what), one in self._arrivals.items()]
        return [(way, what, since_s) for way, what, since_s in found if since_s is not None]

    def seen(self) -> list[str]:
        """Return what has been seen at all: ``"media"``, ``"message"``."""
        return sorted({what for (_, what), one in self._arrivals.items() if one.last_s is not None})

    def flush(self) -> None:
        """Record what has been counted since the last time."""
        for arrivals in self._arrivals.values():
            arrivals.tally.flush()

    def _of(self, direction: Direction, what: str) -> Arrivals:
        key = direction, what
        if key not in self._arrivals:
            self._arrivals[key] = Arrivals(self._record, direction, what)
        return self._arrivals[key]

    def _reach(self, kind: str, connection: int) -> None:
        if self._reached.get(kind, 0) < connection:
            self._reached[kind] = connection
            self._record("client", kind, state="connected", connection=connection, inferred=True)
