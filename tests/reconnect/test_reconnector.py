from itertools import repeat

import pytest

from simlab.reconnect.actions import GiveUp, StartAttempt
from simlab.reconnect.policy import POLICIES, Policy
from simlab.reconnect.reconnector import Reconnector as Machine
from simlab.reconnect.rules import Rules
from simlab.reconnect.terms import Attempt


def Reconnector(policy):  # noqa: N802
    return Machine(Rules(repeat(0.5), policy))


PIPECAT = POLICIES["pipecat"]


def recreate(number, cause):
    return StartAttempt(number, Attempt.RECREATE, cause)


def test_a_path_still_disconnected_after_the_grace_is_recreated():
    machine = Reconnector(PIPECAT)
    assert machine.state_changed("disconnected", 10.0) == []
    assert machine.next_timer_s() == 15.0
    assert machine.handle_timer(15.0) == [recreate(1, "disconnected")]


def test_a_path_that_is_back_after_the_grace_is_left_alone():
    machine = Reconnector(PIPECAT)
    machine.state_changed("disconnected", 10.0)
    machine.state_changed("connected", 12.0)
    assert machine.handle_timer(15.0) == []
    assert machine.next_timer_s() is None


def test_a_flap_is_judged_at_the_end_of_the_first_grace():
    # Hole C6: disconnected at 0 and again at 4.9 s, and the timer of the first one fires at 5.0 s.
    machine = Reconnector(PIPECAT)
    machine.state_changed("disconnected", 0.0)
    machine.state_changed("connected", 1.0)
    machine.state_changed("disconnected", 4.9)
    assert machine.handle_timer(5.0) == [recreate(1, "disconnected")]


def test_failed_has_no_grace():
    assert Reconnector(PIPECAT).state_changed("failed", 3.0) == [recreate(1, "failed")]


def test_three_failed_offers_two_seconds_apart_and_it_gives_up():
    machine = Reconnector(PIPECAT)
    machine.state_changed("disconnected", 0.0)
    times_s = []
    actions = machine.handle_timer(5.0)
    while isinstance(actions[0], StartAttempt):
        times_s.append(machine.next_timer_s() or 5.0)
        now_s = 5.0 + 2.0 * (len(times_s) - 1)
        machine.offer_failed(now_s)
        actions = machine.handle_timer(now_s + 2.0)
    assert len(times_s) == 3
    assert actions == [GiveUp("attempts exhausted")]


def test_an_applied_answer_starts_the_count_again():
    # Hole C5: it does so even if no media ever flows, so the attempts never end.
    machine = Reconnector(PIPECAT)
    for start_s in range(0, 200, 20):
        machine.state_changed("disconnected", start_s)
        assert machine.handle_timer(start_s + 5.0) == [recreate(1, "disconnected")]
        machine.answered(start_s + 5.1)
        machine.state_changed("checking", start_s + 5.1)


def test_an_unanswered_offer_blocks_every_later_attempt():
    # Hole C2: nothing ends the wait for an answer that never comes.
    machine = Reconnector(PIPECAT)
    machine.state_changed("failed", 0.0)
    assert machine.state_changed("failed", 60.0) == []
    assert machine.busy


def test_a_refusal_is_final():
    machine = Reconnector(PIPECAT)
    machine.state_changed("failed", 0.0)
    assert machine.offer_failed(0.1, 429) == [GiveUp("offer refused", 429)]
    assert machine.next_timer_s() is None


def test_a_refusal_is_a_failure_where_the_policy_says_so():
    machine = Reconnector(Policy("lenient", "here", final_statuses=()))
    machine.state_changed("failed", 0.0)
    assert machine.offer_failed(1.0, 429) == []
    assert machine.next_timer_s() == 3.0


def test_the_server_may_ask_for_a_new_offer():
    assert Reconnector(PIPECAT).renegotiation_asked(0.0) == [StartAttempt(1, Attempt.REOFFER, "renegotiate")]


def test_nothing_is_attempted_after_the_user_disconnected():
    machine = Reconnector(PIPECAT)
    machine.state_changed("disconnected", 0.0)
    machine.end()
    assert machine.handle_timer(5.0) == []
    assert machine.state_changed("failed", 6.0) == []


def test_never_waits_for_ever():
    machine = Reconnector(POLICIES["never"])
    machine.state_changed("disconnected", 0.0)
    assert machine.next_timer_s() is None


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_every_policy_says_where_it_comes_from(policy):
    assert policy.source
    assert POLICIES[policy.name] is policy
