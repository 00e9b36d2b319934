"""Terms that are said to change nothing change nothing."""

import os
from dataclasses import replace

import pytest

from simlab.batch.alike import run_together
from simlab.profile import Scenario, load
from simlab.profile.policy import PolicyKeys
from simlab.reconnect.idle import idle_terms
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.terms import Attempt, Policy

DEAD = """
duration = "60s"
[peers]
media = []
[client]
preset = "fixed"
[[fault]]
kind = "block"
at = "2s"
for = "9s"
match = ["stun"]
[[fault]]
kind = "blackout"
at = "25s"
for = "25s"
[[fault]]
kind = "signalling"
at = "25s"
for = "15s"
how = "status 503"
[[fault]]
kind = "signalling"
at = "40s"
for = "10s"
how = "hang"
"""
OTHERS = {
    "actions": ("reoffer",),
    "delays_s": (7.0, 0.1),
    "escalate": "unconnected",
    "factor": 3.0,
    "jitter": "full",
    "jitter_share": 0.9,
    "longest_delay_s": 0.1,
    "ping_interval_s": 0.2,
    "reset_after_s": 7.0,
    "retry_delay_s": 0.7,
    "silence_when": "disconnected",
    "time_limit_from": "unanswered",
    "transient_statuses": ("503",),
    "wait_first": True,
}
CHANGED = {
    "livekit": {"delays_s": (0.5, 3.0), "jitter": "decorrelated"},
    "pipecat-fixed": {"delays_s": (0.5, 3.0), "jitter": "jitsi"},
    "reconnecting-websocket": {"delays_s": (0.5, 3.0)},
    "aws-full-jitter": {"max_attempts": 0},
    "pipecat": {"max_attempts": 0, "follow_client": False},
    "twilio": {"counter_reset": "answer", "silence_s": 2.0, "silence_when": "always"},
}
CASES = [(name, {}) for name in POLICIES] + list(CHANGED.items())


@pytest.mark.parametrize(("name", "terms"), CASES)
def test_a_session_is_the_same_whatever_an_idle_term_is(name, terms):
    idle = idle_terms(replace(POLICIES[name], **terms))
    assert idle
    keys = [PolicyKeys(name=name).model_copy(update=terms)]
    keys += [keys[0].model_copy(update={term: OTHERS[term]}) for term in idle]
    profile = load(DEAD, "dead.toml")
    found = run_together(
        [Scenario.of(profile, policy=one) for one in keys], lambda number, *_: (number, os.getpid())
    )
    # Nobody wanted anything else than the others, or there would be a copy of this process for each.
    assert sorted(found) == [(number, os.getpid()) for number in range(len(keys))]


@pytest.mark.parametrize(
    ("terms", "idle", "busy"),
    [
        ({"delays_s": (1.0,)}, {"retry_delay_s", "longest_delay_s", "factor", "wait_first"}, {"delays_s"}),
        ({"delays_s": (1.0,), "jitter": "jitsi"}, {"longest_delay_s"}, {"retry_delay_s"}),
        ({"jitter": "decorrelated"}, {"factor", "jitter_share"}, {"retry_delay_s", "longest_delay_s"}),
        ({"jitter": "once"}, set(), {"jitter_share"}),
        ({"max_attempts": 0}, {"retry_delay_s", "actions"}, {"grace_s", "give_up"}),
        ({"max_attempts": 0, "give_up_late": True}, {"actions"}, {"retry_delay_s"}),
        ({"missed_pings": 2}, {"silence_when"}, {"ping_interval_s"}),
        ({"silence_s": 2.0}, {"ping_interval_s"}, {"silence_when"}),
        ({"actions": (Attempt.REOFFER, Attempt.RECREATE)}, set(), {"escalate"}),
        ({"time_limit_s": 9.0}, {"escalate"}, {"time_limit_from"}),
        ({"counter_reset": "answer"}, {"reset_after_s"}, set()),
        ({"final_statuses": ()}, {"transient_statuses"}, {"final_statuses"}),
    ],
)
def test_which_terms_are_idle(terms, idle, busy):
    found = idle_terms(Policy("some", "", **terms))
    assert idle <= found.keys()
    assert not busy & found.keys()
