"""Liveness by consent (RFC 7675): a check every few seconds, and an end when too many are unanswered."""

from collections.abc import Iterator

INTERVAL_S = 5.0
SPREAD = 0.2  # of the interval, either way

FIREFOX_TIMEOUT_S = 30.0  # NR_ICE_CONSENT_TIMEOUT_DEFAULT
FIREFOX_RETRANSMIT_S = 0.1  # doubled each time, as long as the next check has not come

AIOICE_TIMEOUT_S = 0.5  # of a check, which is not repeated
AIOICE_MISSES = 6  # CONSENT_FAILURES
AIOICE_CONNECT_TIMEOUT_S = 63.5  # of a first check: 0.5 s doubled six times


def _interval_s(draws: Iterator[float]) -> float:
    return INTERVAL_S * (1 - SPREAD + 2 * SPREAD * next(draws))


class FirefoxLiveness:
    """Firefox's view of one ICE transport with one candidate pair.

    A check goes out every 4 to 6 s, and is repeated after 0.1, 0.3, 0.7, 1.5 and 3.1 s until it is answered.
    ICE is ``disconnected`` when the next check is due and there is no answer yet, ``connected`` again with
    any answer, and ``failed`` 30 s after the last answer, for good. ICE that never connects is ``failed``
    after 30 s.

    Source: nICEr, src/ice/ice_component.c (nr_ice_component_consent_calc_consent_timer, _refresh_consent_cb,
    _consent_timeout_cb); blog.mozilla.org/webrtc/ice-disconnected-not. The 30 s until a first connection
    fails are an assumption.

    Parameters
    ----------
    draws
        Numbers from U[0, 1), one for each check.
    """

    def __init__(self, draws: Iterator[float]) -> None:
        self.state = "new"
        self.next_timer_s: float | None = None
        self._draws = draws
        self._next_check_s = 0.0
        self._check_s = 0.0
        self._repeat_s: float | None = None
        self._waiting = False
        self._answered_s = 0.0

    @property
    def connection_state(self) -> str:
        """The same as ``state``."""
        return self.state

    def begin(self, now_s: float) -> None:
        """Take in that the remote description was applied, and checks begin."""
        self.state = "checking"
        self.next_timer_s = now_s + FIREFOX_TIMEOUT_S

    def connected(self, now_s: float) -> None:
        """Take in that ICE has nominated a pair."""
        self.state = "connected"
        self._answered_s, self._waiting, self._repeat_s = now_s, False, None
        self._next_check_s = now_s + _interval_s(self._draws)
        self._plan()

    def received(self, now_s: float, what: str = "media") -> None:
        """Take in a packet, which is no consent."""

    def check_received(self, now_s: float) -> None:
        """Take in a check of the other side, which is no consent either."""

    def answered(self, sent_s: float, now_s: float) -> None:
        """Take in the answer to the check that was sent at ``sent_s``."""
        if self.state not in {"connected", "disconnected"} or sent_s < self._check_s:
            return
        self.state = "connected"
        self._answered_s, self._waiting, self._repeat_s = now_s, False, None
        self._plan()

    def handle_timer(self, now_s: float) -> bool:
        """Update the state, and tell whether to send a check now."""
        if self.state == "checking" or now_s >= self._answered_s + FIREFOX_TIMEOUT_S:
            self.state, self.next_timer_s = "failed", None
            return False
        if now_s >= self._next_check_s:
            if self._waiting:
                self.state = "disconnected"
            self._check_s, self._waiting = now_s, True
            self._next_check_s = now_s + _interval_s(self._draws)
            self._repeat_s = FIREFOX_RETRANSMIT_S
        elif self._repeat_s is not None:
            self._repeat_s = 2 * self._repeat_s + FIREFOX_RETRANSMIT_S
        self._plan()
        return True

    def _plan(self) -> None:
        repeat_s = float("inf") if self._repeat_s is None else self._check_s + self._repeat_s
        self.next_timer_s = min(self._next_check_s, repeat_s, self._answered_s + FIREFOX_TIMEOUT_S)


class AioiceLiveness:
    """What aiortc reports by itself: nothing, until consent is lost, and then ``closed``.

    A check goes out 4 to 6 s after the last one was over, and counts as missed after 0.5 s. Any answer in
    time starts the count again; with the sixth miss in a row the connection closes, 23 to 39 s after the
    loss. ICE that never connects fails after 63.5 s.

    Source: aioice 0.13, ice.py (query_consent) and stun.py (Transaction); measured: 26.6 to 34.0 s (n = 24).

    Parameters
    ----------
    draws
        Numbers from U[0, 1), one for each check.
    """

    def __init__(self, draws: Iterator[float]) -> None:
        self.state = "new"
        self.next_timer_s: float | None = None
        self._draws = draws
        self._misses = 0
        self._sent_s: float | None = None

    @property
    def connection_state(self) -> str:
        """The same as ``state``."""
        return self.state

    def begin(self, now_s: float) -> None:
        """Take in that the remote description was applied, and checks begin."""
        self.state = "checking"
        self.next_timer_s = now_s + AIOICE_CONNECT_TIMEOUT_S

    def connected(self, now_s: float) -> None:
        """Take in that ICE has nominated a pair."""
        self.state = "connected"
        self._misses, self._sent_s = 0, None
        self.next_timer_s = now_s + _interval_s(self._draws)

    def received(self, now_s: float, what: str = "media") -> None:
        """Take in a packet, which is no consent."""

    def check_received(self, now_s: float) -> None:
        """Take in a check of the other side, which is no consent either."""

    def answered(self, sent_s: float, now_s: float) -> None:
        """Take in the answer to the check that was sent at ``sent_s``; one that is late is none."""
        if self._sent_s is not None and sent_s == self._sent_s:
            self._over(0, now_s)

    def handle_timer(self, now_s: float) -> bool:
        """Update the state, and tell whether to send a check now."""
        if self.state == "checking":
            self.state, self.next_timer_s = "failed", None
            return False
        if self._sent_s is None:
            self._sent_s = now_s
            self.next_timer_s = now_s + AIOICE_TIMEOUT_S
            return True
        self._over(self._misses + 1, now_s)
        return False

    def _over(self, misses: int, now_s: float) -> None:
        self._misses, self._sent_s = misses, None
        if misses >= AIOICE_MISSES:
            self.state, self.next_timer_s = "closed", None
        else:
            self.next_timer_s = now_s + _interval_s(self._draws)
