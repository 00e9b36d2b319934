"""Liveness at the application: what arrives, whatever ICE says."""

CHECK_INTERVAL_S = 2.5
"""Of the checks that keep NATs open, as often as Chromium's. Their answers are no sign of life here."""

CONNECT_TIMEOUT_S = 15.0
"""Until a connection that never was is ``disconnected``: Chromium's, in which such a client runs."""

MEDIA_SILENCE_S = 3.0
"""Twilio Video's ICE_INACTIVITY_THRESHOLD_MS (twilio-video.js, lib/util/constants.js)."""

PING_INTERVAL_S = 1.0
"""Of the pings of Pipecat's client (smallWebRTCTransport.ts)."""

MISSED_PINGS = 3
"""So that 3 s are missed, the time after which Pipecat's server takes a client for gone."""


class SilenceLiveness:
    """The path is bad when nothing has arrived for a while, and good again with the next packet.

    It counts from the first packet on: a session without media has no silence.

    Parameters
    ----------
    silence_s
        How long that is.
    what
        What has to arrive: ``"any"`` packet that is no check, or ``"data"`` of the channel.
    tick_s
        How often it looks; None finds it at once.
    """

    def __init__(
        self, silence_s: float = MEDIA_SILENCE_S, what: str = "any", tick_s: float | None = None
    ) -> None:
        self.state = "new"
        self.next_timer_s: float | None = None
        self._silence_s = silence_s
        self._what = what
        self._tick_s = tick_s
        self._last_s: float | None = None
        self._look_s = float("inf")
        self._check_s = float("inf")

    @property
    def connection_state(self) -> str:
        """The same as ``state``."""
        return self.state

    def begin(self, now_s: float) -> None:
        """Take in that the remote description was applied, and checks begin."""
        self.state = "checking"
        self.next_timer_s = now_s + CONNECT_TIMEOUT_S

    def connected(self, now_s: float) -> None:
        """Take in that ICE has nominated a pair."""
        self.state = "connected"
        self._last_s, self._look_s = None, float("inf")
        self._check_s = now_s + CHECK_INTERVAL_S
        self._plan()

    def received(self, now_s: float, what: str = "media") -> None:
        """Take in a packet that is no check: ``"media"``, or ``"data"`` of the channel."""
        if self.state not in {"connected", "disconnected"} or self._what not in {"any", what}:
            return
        self._last_s, self.state = now_s, "connected"
        if self._look_s == float("inf"):
            self._look_s = now_s + (self._tick_s or self._silence_s)
            self._plan()

    def check_received(self, now_s: float) -> None:
        """Take in a check of the other side, which is no sign of life here."""

    def answered(self, sent_s: float, now_s: float) -> None:
        """Take in the answer to a check, which is none either."""

    def handle_timer(self, now_s: float) -> bool:
        """Update the state, and tell whether to send a check now."""
        if self.state == "checking":
            self.state, self.next_timer_s = "disconnected", None
            return False
        if now_s >= self._look_s:
            self._look(now_s)
        due = now_s >= self._check_s
        if due:
            self._check_s = now_s + CHECK_INTERVAL_S
        self._plan()
        return due

    def _look(self, now_s: float) -> None:
        assert self._last_s is not None
        if now_s >= self._last_s + self._silence_s:
            self.state, self._look_s = "disconnected", float("inf")
        else:
            self._look_s = now_s + self._tick_s if self._tick_s else self._last_s + self._silence_s

    def _plan(self) -> None:
        self.next_timer_s = min(self._look_s, self._check_s)


def ping_liveness(missed_pings: int = MISSED_PINGS, interval_s: float = PING_INTERVAL_S) -> SilenceLiveness:
    """Return the model of an application that pings at an interval, and counts what comes back.

    Pipecat's server sends no answer to a ping, but its SCTP acknowledges each: a packet of data is the
    answer. The path is bad after ``missed_pings`` intervals without one, as found at the next ping.
    """
    return SilenceLiveness(missed_pings * interval_s, "data", interval_s)
