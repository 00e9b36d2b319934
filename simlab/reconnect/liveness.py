"""How Chromium decides that a path is bad, from the answers to real connectivity checks."""

TICK_WEAK_S = 0.0625  # WEAK_PING_INTERVAL of 48 ms, in Chromium's timer steps of 15.625 ms
TICK_STRONG_S = 0.265625  # 250 ms, likewise
INTERVAL_STABLE_S = 2.5  # STRONG_AND_STABLE_WRITABLE_CONNECTION_PING_INTERVAL
INTERVAL_STABILISING_S = 0.9  # WEAK_OR_STABILIZING_WRITABLE_CONNECTION_PING_INTERVAL
FIRST_CHECKS = 3  # MIN_PINGS_AT_WEAK_PING_INTERVAL
ANSWERS_TO_BE_STABLE = 5  # RTT_RATIO + 2
RECEIVING_TIMEOUT_S = 2.5  # RECEIVING_TIMEOUT
UNWRITABLE_CHECKS = 5  # CONNECTION_WRITE_CONNECT_FAILURES
UNWRITABLE_TIMEOUT_S = 5.0  # CONNECTION_WRITE_CONNECT_TIMEOUT
DEAD_TIMEOUT_S = 15.0  # CONNECTION_WRITE_TIMEOUT
MIN_RTT_S = 0.1  # MINIMUM_RTT


class ChromiumLiveness:
    """Chromium's view of one ICE transport with one candidate pair.

    Checks go out on ticks: every 62.5 ms while the path is weak, otherwise every 265.6 ms. A path is
    weak while it is unwritable, or while a check is unanswered and nothing has arrived for 2.5 s; a weak
    path is checked on every tick. A strong one is checked on the first tick after 2.5 s, or after 0.9 s
    until five answers have come and while an answer is missing for longer than two round trips.

    ICE is ``disconnected`` once the oldest unanswered check is 5 s old and four more have followed it,
    and ``connected`` again with any answer. 15 s after the oldest unanswered check the pair is dead: it
    is checked no more, until the other side sends a check of its own. ICE that never connects is
    ``disconnected`` 15 s after the remote description. It is never ``failed``, but the connection is when
    the pair is dead, or never was alive.

    Source: libwebrtc, p2p/base/p2p_constants.h (the numbers), connection.cc and
    basic_ice_controller.cc (the rules); measured on Chromium 156 against aiortc, 81 sessions: loss of
    everything, of one direction, of STUN alone, for 3 to 24 s. The ticks are those measured.
    """

    def __init__(self) -> None:
        self.state = "new"
        self.next_timer_s: float | None = None
        self._unanswered_s: list[float] = []
        self._checks_sent = 0
        self._answers = 0
        self._rtt_s = 0.0
        self._last_check_s = float("-inf")
        self._last_received_s = float("-inf")
        self._began_s = 0.0
        self._dead = False

    @property
    def connection_state(self) -> str:
        """``connectionState``: as ``state``, or ``failed``."""
        return "failed" if self._dead else self.state

    @property
    def is_writable(self) -> bool:
        """Whether anything but checks is sent: nothing is while ICE is ``disconnected``."""
        return self.state != "disconnected"

    def begin(self, now_s: float) -> None:
        """Take in that the remote description was applied, and checks begin."""
        self.state = "checking"
        self._dead = False
        self._began_s = now_s
        self.next_timer_s = now_s + TICK_WEAK_S

    def connected(self, now_s: float) -> None:
        """Take in that ICE has nominated a pair."""
        self.state = "connected"
        self._unanswered_s.clear()
        self._last_received_s = now_s
        self.next_timer_s = now_s

    def received(self, now_s: float, what: str = "media") -> None:
        """Take in that a packet of any kind has arrived."""
        self._last_received_s = now_s

    def check_received(self, now_s: float) -> None:
        """Take in a check of the other side, which brings a dead pair back to be checked."""
        self._last_received_s = now_s
        if self.next_timer_s is None and self._checks_sent:
            self._unanswered_s.clear()
            self.next_timer_s = now_s

    def answered(self, sent_s: float, now_s: float) -> None:
        """Take in the answer to the check that was sent at ``sent_s``."""
        sample_s = now_s - sent_s
        self._rtt_s = (3 * self._rtt_s + sample_s) / 4 if self._answers else sample_s
        self._answers += 1
        self._unanswered_s.clear()
        self._last_received_s = now_s
        self._dead = False
        if self.state == "disconnected":
            self.state = "connected"
        if self.next_timer_s is None:
            self.next_timer_s = now_s

    def handle_timer(self, now_s: float) -> bool:
        """Update the state, and tell whether to send a check now."""
        if self.state == "checking":
            return self._wait_for_connection(now_s)
        if self._is_overdue(now_s, DEAD_TIMEOUT_S):
            self.next_timer_s = None
            self._dead = True
            return False
        if self._is_unwritable(now_s):
            self.state = "disconnected"
        check = self._check_is_due(now_s)
        if check:
            self._unanswered_s.append(now_s)
            self._last_check_s = now_s
            self._checks_sent += 1
        hasty = self._is_weak(now_s) or self._checks_sent < FIRST_CHECKS
        self.next_timer_s = now_s + (TICK_WEAK_S if hasty else TICK_STRONG_S)
        return check

    def _wait_for_connection(self, now_s: float) -> bool:
        if now_s > self._began_s + DEAD_TIMEOUT_S:
            self.state = "disconnected"
            self._dead = True
            self.next_timer_s = None
        else:
            self.next_timer_s = now_s + TICK_WEAK_S
        return False

    def _is_overdue(self, now_s: float, timeout_s: float) -> bool:
        return bool(self._unanswered_s) and now_s > self._unanswered_s[0] + timeout_s

    def _is_unwritable(self, now_s: float) -> bool:
        if len(self._unanswered_s) < UNWRITABLE_CHECKS:
            return False
        answer_was_due_s = self._unanswered_s[UNWRITABLE_CHECKS - 1] + max(MIN_RTT_S, 2 * self._rtt_s)
        return now_s > answer_was_due_s and self._is_overdue(now_s, UNWRITABLE_TIMEOUT_S)

    def _is_weak(self, now_s: float) -> bool:
        silent = now_s > self._last_received_s + RECEIVING_TIMEOUT_S
        return self.state != "connected" or (silent and bool(self._unanswered_s))

    def _check_is_due(self, now_s: float) -> bool:
        if self._is_weak(now_s) or self._checks_sent < FIRST_CHECKS:
            return True
        stable = self._answers >= ANSWERS_TO_BE_STABLE and not self._is_overdue(now_s, 2 * self._rtt_s)
        return now_s >= self._last_check_s + (INTERVAL_STABLE_S if stable else INTERVAL_STABILISING_S)
