"""How a stack decides that a path is bad.

aiortc never reports ``disconnected``; a browser does. The model here says when Chromium would, from
the answers to real connectivity checks.
"""

TICK_WEAK_S = 0.048  # WEAK_PING_INTERVAL
TICK_STRONG_S = 0.480  # STRONG_PING_INTERVAL
INTERVAL_STABLE_S = 2.5  # STRONG_AND_STABLE_WRITABLE_CONNECTION_PING_INTERVAL
INTERVAL_STABILISING_S = 0.9  # WEAK_OR_STABILIZING_WRITABLE_CONNECTION_PING_INTERVAL
FIRST_CHECKS = 3  # MIN_PINGS_AT_WEAK_PING_INTERVAL
RTT_SAMPLES = 4  # RTT_RATIO + 1: from then on the round-trip time counts as known
RECEIVING_TIMEOUT_S = 2.5  # RECEIVING_TIMEOUT
UNWRITABLE_CHECKS = 5  # CONNECTION_WRITE_CONNECT_FAILURES
UNWRITABLE_TIMEOUT_S = 5.0  # CONNECTION_WRITE_CONNECT_TIMEOUT
NEVER_CONNECTED_TIMEOUT_S = 15.0  # CONNECTION_WRITE_TIMEOUT
MIN_RTT_S = 0.1  # MINIMUM_RTT


class ChromiumLiveness:
    """Chromium's view of one ICE transport with one candidate pair.

    Checks are sent on ticks, every 48 ms while the path is weak (unwritable, or nothing received for
    2.5 s) and every 480 ms otherwise. A weak path is checked on every tick; a strong one every 2.5 s,
    or 0.9 s until five answers have come. The path becomes unwritable, and ICE ``disconnected``, once
    five checks in a row and the 5 s since the first of them are without an answer. Any answer makes it
    ``connected`` again. One that never connected is ``disconnected`` after 15 s.

    Source: libwebrtc, p2p/base/p2p_constants.h (the numbers), p2p/base/connection.cc
    (``UpdateState``), p2p/base/basic_ice_controller.cc (``IsPingable``). While checks go unanswered but
    packets still arrive, that code would check every 0.9 s; Chromium 156 was seen to keep to 2.5 s
    (13.1 s from a dead uplink to ``disconnected``), and the model follows what was seen.
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

    def begin(self, now_s: float) -> None:
        """Take in that the remote description was applied, and checks begin."""
        self.state = "checking"
        self._began_s = now_s
        self.next_timer_s = now_s + TICK_WEAK_S

    def connected(self, now_s: float) -> None:
        """Take in that ICE has nominated a pair."""
        self.state = "connected"
        self._last_received_s = now_s
        self._unanswered_s.clear()
        self.next_timer_s = now_s

    def received(self, now_s: float) -> None:
        """Take in that a packet of any kind has arrived."""
        self._last_received_s = now_s

    def answered(self, sent_s: float, now_s: float) -> None:
        """Take in the answer to the check that was sent at ``sent_s``."""
        sample_s = now_s - sent_s
        self._rtt_s = (3 * self._rtt_s + sample_s) / 4 if self._answers else sample_s
        self._answers += 1
        self._unanswered_s.clear()
        self._last_received_s = now_s
        if self.state == "disconnected":
            self.state = "connected"

    def handle_timer(self, now_s: float) -> bool:
        """Update the state, and tell whether to send a check now."""
        if not self._answers and self.state in {"checking", "disconnected"} and not self._checks_sent:
            return self._wait_for_first_connection(now_s)
        self._update_state(now_s)
        check = self._check_is_due(now_s)
        if check:
            self._unanswered_s.append(now_s)
            self._last_check_s = now_s
            self._checks_sent += 1
        hasty = self._is_weak(now_s) or self._checks_sent < FIRST_CHECKS
        self.next_timer_s = now_s + (TICK_WEAK_S if hasty else TICK_STRONG_S)
        return check

    def _wait_for_first_connection(self, now_s: float) -> bool:
        if now_s > self._began_s + NEVER_CONNECTED_TIMEOUT_S:
            self.state = "disconnected"
            self.next_timer_s = None
        else:
            self.next_timer_s = now_s + TICK_WEAK_S
        return False

    def _update_state(self, now_s: float) -> None:
        if self.state != "connected" or len(self._unanswered_s) < UNWRITABLE_CHECKS:
            return
        answer_was_due_s = self._unanswered_s[UNWRITABLE_CHECKS - 1] + max(MIN_RTT_S, 2 * self._rtt_s)
        if now_s > answer_was_due_s and now_s > self._unanswered_s[0] + UNWRITABLE_TIMEOUT_S:
            self.state = "disconnected"

    def _is_weak(self, now_s: float) -> bool:
        return self.state != "connected" or now_s > self._last_received_s + RECEIVING_TIMEOUT_S

    def _check_is_due(self, now_s: float) -> bool:
        if self._is_weak(now_s) or self._checks_sent < FIRST_CHECKS:
            return True
        known = self._answers > RTT_SAMPLES
        return now_s >= self._last_check_s + (INTERVAL_STABLE_S if known else INTERVAL_STABILISING_S)
