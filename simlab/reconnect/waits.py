"""How long a policy waits before an attempt, and what chance makes of it."""

from collections.abc import Iterator

from simlab.reconnect.terms import Policy

_LIVEKIT_FIRST_S = 0.5  # the first delay is 0, which cannot be scaled
_JITSI_FLOOR = 0.5  # of the base, times the number of the attempt

_LONGEST_S = 1e9  # longer than any session, and still a number to reckon with


class Waits:
    """The waits of one policy. Each takes one draw, needed or not, but for what is drawn ``once``.

    ====================  =====================================================================
    ``none``              v
    ``share``             v times U(1 - share, 1 + share)
    ``full``              U(0, v)
    ``equal``             v / 2 + U(0, v / 2)
    ``decorrelated``      U(base, 3 times the wait before), the longest delay at most
    ``once``              v of a base times U(1 - share, 1 + share), which is drawn once a session
    ``livekit``           v times U(0.5, 1.5), and U(0, 0.5 s) where v is 0
    ``jitsi``             U(n base / 2, v) for the n-th wait
    ====================  =====================================================================

    where v is the wait without jitter, ``min(longest, base * factor ** (n - 1))``.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full, equal, decorrelated);
    livekit/client-sdk-js, src/room/DefaultReconnectPolicy.ts; jitsi/lib-jitsi-meet,
    modules/xmpp/ResumeTask.js; pladaria/reconnecting-websocket 4.4.0 (once).
    """

    def __init__(self, policy: Policy, draws: Iterator[float]) -> None:
        self._policy = policy
        self._draws = draws
        share = policy.jitter_share
        self._once = 1 - share + 2 * share * next(draws) if policy.jitter == "once" else 1.0
        self._before_s = policy.retry_delay_s

    def begin(self) -> None:
        """Start a new row of attempts."""
        self._before_s = self._policy.retry_delay_s

    def wait_s(self, attempts: int, failures: int) -> float:
        """Return how long to wait before the next attempt.

        Parameters
        ----------
        attempts
            How many have been made in this row.
        failures
            How many offers or connections have failed in this row, the first connect's included.
        """
        draw, policy = next(self._draws), self._policy
        if policy.delays_s:
            planned_s = policy.delays_s[min(attempts, len(policy.delays_s) - 1)]
            return self._jittered_s(planned_s, attempts + 1, draw)
        if policy.wait_first:
            number = attempts + 1
        elif failures == 0:
            return 0.0
        else:
            number = failures
        return self._jittered_s(self._planned_s(number), number, draw)

    def _planned_s(self, number: int) -> float:
        policy = self._policy
        try:
            grown_s = policy.retry_delay_s * self._once * policy.factor ** (number - 1)
        except OverflowError:
            grown_s = _LONGEST_S
        return min(policy.longest_delay_s, grown_s, _LONGEST_S)

    def _jittered_s(self, planned_s: float, number: int, draw: float) -> float:
        policy = self._policy
        match policy.jitter:
            case "share":
                return planned_s * (1 - policy.jitter_share + 2 * policy.jitter_share * draw)
            case "full":
                return planned_s * draw
            case "equal":
                return planned_s * (0.5 + 0.5 * draw)
            case "livekit":
                return planned_s * (0.5 + draw) if planned_s else _LIVEKIT_FIRST_S * draw
            case "jitsi":
                lowest_s = min(planned_s, number * policy.retry_delay_s * _JITSI_FLOOR)
                return lowest_s + (planned_s - lowest_s) * draw
            case "decorrelated":
                base_s = policy.retry_delay_s
                highest_s = 3 * self._before_s
                self._before_s = min(policy.longest_delay_s, base_s + (highest_s - base_s) * draw)
                return self._before_s
        return planned_s
