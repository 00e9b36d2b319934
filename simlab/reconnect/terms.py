"""The terms of a reconnection policy: everything that it decides, as data."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Literal


class Attempt(StrEnum):
    """What an attempt does."""

    RECREATE = "recreate"  # a new peer connection on both sides
    REOFFER = "reoffer"  # a new offer on the same peer connection
    RESTART_ICE = "restart_ice"  # new ICE credentials and candidates under the same DTLS and SCTP


JITTERS = ("none", "share", "full", "equal", "decorrelated", "once", "livekit", "jitsi")
Jitter = Literal["none", "share", "full", "equal", "decorrelated", "once", "livekit", "jitsi"]


@dataclass(frozen=True)
class Policy:
    """A reconnection policy. Its defaults are those of ``pipecat-fixed``.

    A time of infinity never comes.

    Parameters
    ----------
    name
        As in ``[policy] name``.
    source
        Where its numbers come from.
    description
        What it does, in a line.
    follow_client
        Whether what the published client does wrong is as ``[client.behaviour]`` says (the policy
        ``pipecat`` alone).
    watch
        Which state of the peer connection it goes by: ``"ice"`` (``iceConnectionState``, which in Chromium
        is never ``failed``) or ``"connection"`` (``connectionState``).
    grace_s, failed_grace_s
        How long ICE may be ``disconnected``, and ``failed``, before an attempt.
    closed_as_failed
        Whether a connection that closes by itself counts as ``failed``.
    silence_s, silence_when
        After how long without any packet of media or data there is an attempt: ``"always"``, or
        ``"disconnected"`` where ICE must say so too.
    ping_interval_s, missed_pings
        After how many pings in a row without data in answer there is an attempt; 0 never.
    renegotiate
        Whether a new offer is made when the server asks for one.
    keep_grace
        Hole C6: a grace goes on when the path recovers, and looks at the state at its own end alone.
    actions
        What the attempts do: each further failure goes one on, and the last one is repeated.
    escalate
        Which failures go one on: any (``"failure"``), or only those after an answer (``"unconnected"``).
    close_old
        When the old connection is closed: before the offer (``"first"``), after it whatever came of it
        (``"tried"``, hole C9), or once the offer is answered (``"answered"``).
    abandon_when_healed
        Whether an attempt, or the wait for one, is abandoned when the old path recovers.
    answer_timeout_s, connect_timeout_s
        When an attempt has failed, from its start: without an answer; without an open connection.
    delays_s
        The wait before each attempt, the first included; the last one is repeated. Without any, the next
        five say it.
    wait_first
        Whether the first attempt after a trigger waits as a retry does; else it is made at once.
    retry_delay_s, factor, longest_delay_s
        The n-th wait is ``retry_delay * factor ** (n - 1)``, and ``longest_delay`` at most.
    jitter, jitter_share
        What chance makes of a wait: see ``waits.py``.
    keep_retries
        Hole C8: a retry that waits is never cancelled. A trigger makes an attempt beside it, and it
        outlasts giving up.
    max_attempts
        How many attempts in a row before it gives up; 0 makes none, None sets no limit.
    give_up_late
        Whether it finds only after one more wait that there are no attempts left.
    time_limit_s, time_limit_from
        When it gives up, counted from the first ``"trigger"``, or from the first of several offers in a row
        that stay ``"unanswered"``.
    counter_reset, reset_after_s
        What sets the count of attempts back to 0: an applied ``"answer"`` (hole C5), or a connection that
        is open (``"connected"``), and has been so for ``reset_after_s``.
    final_statuses, transient_statuses
        The HTTP statuses of an offer that end everything at once: ``"404"``, ``"4xx"``; and those that
        do not although the former say so.
    give_up
        ``"close"`` closes the connection, ``"stay"`` leaves it to heal by itself.
    outlast_disconnect
        Whether attempts go on after the user has disconnected, as in 1.10.6.
    """

    name: str
    source: str
    description: str = ""
    follow_client: bool = False
    watch: Literal["ice", "connection"] = "ice"
    grace_s: float = 5.0
    failed_grace_s: float = 0.0
    closed_as_failed: bool = True
    silence_s: float = inf
    silence_when: Literal["always", "disconnected"] = "always"
    ping_interval_s: float = 1.0
    missed_pings: int = 0
    renegotiate: bool = True
    keep_grace: bool = False
    actions: tuple[Attempt, ...] = (Attempt.RECREATE,)
    escalate: Literal["failure", "unconnected"] = "failure"
    close_old: Literal["first", "tried", "answered"] = "answered"
    abandon_when_healed: bool = True
    answer_timeout_s: float = 10.0
    connect_timeout_s: float = inf
    delays_s: tuple[float, ...] = ()
    wait_first: bool = False
    retry_delay_s: float = 2.0
    factor: float = 1.0
    longest_delay_s: float = inf
    jitter: Jitter = "none"
    jitter_share: float = 0.0
    keep_retries: bool = False
    max_attempts: int | None = 3
    give_up_late: bool = False
    time_limit_s: float = inf
    time_limit_from: Literal["trigger", "unanswered"] = "trigger"
    counter_reset: Literal["answer", "connected"] = "connected"
    reset_after_s: float = 0.0
    final_statuses: tuple[str, ...] = ("4xx",)
    transient_statuses: tuple[str, ...] = ("408", "425", "429")
    give_up: Literal["close", "stay"] = "close"
    outlast_disconnect: bool = False

    def is_final(self, status: int | None) -> bool:
        """Tell whether an offer that was answered with this status ends everything."""
        if status is None:
            return False
        words = {str(status), f"{status // 100}xx"}
        return bool(words & set(self.final_statuses)) and str(status) not in self.transient_statuses
