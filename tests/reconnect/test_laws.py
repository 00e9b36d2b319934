"""What every policy keeps to, whatever happens."""

import dataclasses
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlab.core.rng import stream, uniforms
from simlab.reconnect.actions import GiveUp, StartAttempt
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.reconnector import Reconnector
from simlab.reconnect.rules import Rules

EVENTS = (
    "checking",
    "connected",
    "disconnected",
    "failed",
    "closed",
    "answered",
    "open",
    "failed offer",
    "503",
)
EVENTS += ("404", "media", "data", "renegotiate", "old path", "timer", "timer", "timer")
steps = st.lists(st.tuples(st.floats(0.0, 8.0), st.sampled_from(EVENTS)), max_size=60)
policies = st.sampled_from(list(POLICIES.values()))


def told(machine, event, now_s):
    match event:
        case "answered":
            return machine.answered(now_s)
        case "open":
            return machine.connected(now_s)
        case "failed offer" | "503" | "404":
            status = None if event == "failed offer" else int(event)
            return machine.offer_failed(now_s, status) if machine.busy else []
        case "media" | "data":
            return machine.heard(event, now_s) or []
        case "renegotiate":
            return machine.renegotiation_asked(now_s)
        case "old path":
            return machine.old_path_healed(now_s)
        case "timer":
            return []
    return machine.state_changed(event, now_s)


def play(policy, row, end_at=None, seed=1):
    """Yield (time, event, actions) of a random session; timers fire exactly when they are due."""
    machine = Reconnector(Rules(uniforms(stream(seed, "policy")), policy))
    now_s = 0.0
    for number, (pause_s, event) in enumerate(row):
        until_s = now_s + pause_s
        while (due_s := machine.next_timer_s()) is not None and due_s <= until_s:
            now_s = max(now_s, due_s)
            actions = machine.handle_timer(now_s)
            assert machine.next_timer_s() is None or machine.next_timer_s() > now_s or actions
            yield now_s, "timer", actions, machine
        now_s = until_s
        if number == end_at:
            machine.end()
            yield now_s, "end", [], machine
        yield now_s, event, told(machine, event, now_s), machine


@settings(max_examples=300)
@given(policies, steps)
def test_attempts_are_counted_from_one_and_never_more_than_the_limit(policy, row):
    for _, _, actions, _ in play(policy, row):
        for action in actions:
            if isinstance(action, StartAttempt):
                assert action.number >= 1
                assert policy.max_attempts is None or action.number <= policy.max_attempts
                assert action.action in policy.actions or action.cause == "renegotiate"


@settings(max_examples=300)
@given(policies, steps, st.integers(0, 59))
def test_nothing_happens_after_the_user_disconnected(policy, row, end_at):
    ended = False
    for _, event, actions, _machine in play(policy, row, end_at):
        ended = ended or event == "end"
        if ended and not policy.outlast_disconnect:
            assert not any(
                isinstance(action, StartAttempt | GiveUp) for action in actions if event == "timer"
            )
            assert not any(isinstance(action, StartAttempt) for action in actions)


@settings(max_examples=300)
@given(policies, steps)
def test_one_offer_is_under_way_at_a_time(policy, row):
    under_way = False
    for _, event, actions, _machine in play(policy, row):
        if event in {"answered", "failed offer", "503", "404"} or any(
            not isinstance(action, StartAttempt) for action in actions
        ):
            under_way = False
        starts = sum(isinstance(action, StartAttempt) for action in actions)
        assert starts <= 1
        assert not (under_way and starts)
        under_way = under_way or bool(starts)


@settings(max_examples=300)
@given(policies, steps)
def test_the_same_events_and_draws_give_the_same_actions(policy, row):
    def run():
        return [(now_s, event, actions) for now_s, event, actions, _ in play(policy, row)]

    assert run() == run()


@settings(max_examples=300)
@given(policies, steps)
def test_every_timer_lies_ahead_and_waits_are_among_them(policy, row):
    for now_s, event, _, machine in play(policy, row):
        due_s, wait_s = machine.next_timer_s(), machine.next_wait_s()
        assert due_s is None or due_s < inf
        assert wait_s is None or (due_s is not None and due_s <= wait_s)
        # Whatever was due has been done.
        assert event != "timer" or due_s is None or due_s > now_s


@settings(max_examples=200)
@given(st.sampled_from([p for p in POLICIES.values() if p.max_attempts and p.max_attempts < 100]), st.data())
def test_without_a_success_a_policy_with_a_limit_ends(policy, data):
    # However offers fail, one after the other, and whatever is drawn.
    machine = Reconnector(Rules(uniforms(stream(data.draw(st.integers(0, 1000)), "policy")), policy))
    actions = [*machine.state_changed("disconnected", 0.0), *machine.state_changed("failed", 0.0)]
    now_s, attempts = 0.0, 0
    while not any(isinstance(action, GiveUp) for action in actions):
        attempts += sum(isinstance(action, StartAttempt) for action in actions)
        assert attempts <= policy.max_attempts
        if machine.busy:
            now_s += data.draw(st.floats(0.0, 3.0))
            actions = machine.offer_failed(now_s, data.draw(st.sampled_from([None, 500, 503])))
        else:
            assert machine.next_timer_s() is not None
            now_s = max(now_s, machine.next_timer_s())
            actions = machine.handle_timer(now_s)
    assert attempts == policy.max_attempts


@settings(max_examples=200)
@given(
    st.sampled_from(["aws-equal-jitter", "immediate", "mediasoup-demo", "pipecat-fixed", "jitsi"]),
    st.integers(0, 99),
)
def test_failing_offers_are_never_made_more_often_than_the_waits_allow(name, seed):
    policy = dataclasses.replace(POLICIES[name], time_limit_s=inf, max_attempts=40)
    shortest_s = policy.retry_delay_s * (0.5 if policy.jitter in {"equal", "jitsi"} else 1.0)
    machine = Reconnector(Rules(uniforms(stream(seed, "policy")), policy))
    actions = [*machine.state_changed("disconnected", 0.0), *machine.state_changed("failed", 0.0)]
    times_s, now_s = [], 0.0
    for _ in range(200):
        if any(isinstance(action, StartAttempt) for action in actions):
            times_s.append(now_s)
            actions = machine.offer_failed(now_s)
        elif machine.next_timer_s() is None:
            break
        else:
            now_s = machine.next_timer_s()
            actions = machine.handle_timer(now_s)
    assert len(times_s) == 40
    window_s = 10.0
    most = window_s / shortest_s + 1
    assert all(sum(a <= b < a + window_s for b in times_s) <= most + 1e-9 for a in times_s)


@pytest.mark.parametrize("name", POLICIES)
def test_a_session_without_trouble_has_no_attempt(name):
    machine = Reconnector(Rules(uniforms(stream(1, "policy")), POLICIES[name]))
    machine.offer_began(0.0)
    actions = [*machine.answered(0.1), *machine.state_changed("connected", 0.2), *machine.connected(0.3)]
    for n in range(1, 3000):
        machine.heard("media", n * 0.02)
        machine.heard("data", n * 0.02)
        while machine.next_timer_s() is not None and machine.next_timer_s() <= n * 0.02:
            actions += machine.handle_timer(n * 0.02)
    assert actions == []
