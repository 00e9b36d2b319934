"""The policies, each with exact times: what it waits for, how long, what it does, and when it ends."""

import dataclasses

import pytest

from simlab.reconnect.policy import POLICIES
from simlab.reconnect.terms import Attempt
from tests.reconnect.driving import World, machine

LOST_S = 10.0


def lost(policy, answers=503, *, states=("disconnected",), failed_s=10.0, draws=None, **more):
    """Run an outage: ICE says so at 10 s, and that it failed ten seconds later, as Chromium does."""
    world = World(policy, answers, draws=draws, **more).state(LOST_S, *states)
    if world.machine.policy.watch == "connection":
        world.old_state(LOST_S + failed_s, "failed")
    return world.run(400.0)


# Nobody answers, every draw is 0.5: when the attempts are made, counted from `disconnected`, and how it ends.
NOBODY_ANSWERS = {
    "pipecat": ([5, 7, 9], (11, "give up: attempts exhausted")),
    "pipecat-fixed": ([5, 7, 9], (11, "give up: attempts exhausted")),
    "livekit": (
        [10.25, 10.55, 11.75, 14.45, 19.25, 26.25, 33.25, 40.25, 47.25, 54.25],
        (54.25, "give up: attempts exhausted"),
    ),
    "jitsi": ([12, 14.25, 20.25, 36], (77, "give up: time limit")),
    "vonage": ([10, 13, 16, 19, 22], (22, "give up: attempts exhausted")),
    "openai-realtime": ([], (5, "give up: attempts exhausted")),
    "mediasoup-demo": (
        [0, 1, 3, 7, 15, 23, 31, 39, 47, 55, 63],
        (63, "give up: attempts exhausted"),
    ),
    "aws-full-jitter": (
        [5, 5.5, 6.5, 8.5, 12.5, 20.5, 30.5, 40.5, 50.5, 60.5],
        (60.5, "give up: attempts exhausted"),
    ),
    "aws-equal-jitter": (
        [5, 5.75, 7.25, 10.25, 16.25, 28.25, 43.25, 58.25, 73.25, 88.25],
        (88.25, "give up: attempts exhausted"),
    ),
    "aws-decorrelated": (
        [5, 7, 10.5, 16.25, 25.375, 39.5625, 59.5625, 79.5625, 99.5625, 119.5625],
        (119.5625, "give up: attempts exhausted"),
    ),
    "never": ([], None),
}


@pytest.mark.parametrize("name", NOBODY_ANSWERS)
def test_where_nobody_answers_the_attempts_come_when_the_policy_says_so(name):
    times_s, end = NOBODY_ANSWERS[name]
    world = lost(name)
    assert world.attempts_s() == pytest.approx([LOST_S + at_s for at_s in times_s])
    ends = [(at_s - LOST_S, told) for at_s, told in world.log if told.startswith("give up")]
    assert ends == ([] if end is None else [(pytest.approx(end[0]), end[1])])


def test_daily_goes_on_every_second_for_20_s_without_an_answer():
    world = lost("daily")
    assert world.attempts_s() == [LOST_S + n for n in range(20)]
    assert world.log[-1] == (LOST_S + 20.0, "give up: time limit")


def test_daily_goes_on_for_ever_while_it_is_answered():
    world = lost("daily", "answer")
    assert "give up: time limit" not in [told for _, told in world.log]
    assert world.attempts_s()[-1] > 380.0


def test_twilio_gives_up_30_s_after_it_began():
    silent = (
        World("twilio", 503).at(4.0, lambda now_s: world_heard(silent, now_s)).state(LOST_S, "disconnected")
    )
    silent.run(100.0)
    assert silent.log[-1] == (LOST_S + 30.0, "give up: time limit")
    # 80 ms, 120, 180... and 10 s at most.
    gaps_s = [b - a for a, b in zip(silent.attempts_s(), silent.attempts_s()[1:], strict=False)]
    assert gaps_s == pytest.approx([0.08 * 1.5**n for n in range(len(gaps_s))], abs=1e-5)
    assert {told for _, told in silent.log[:-1]} == {"restart_ice"}


def world_heard(world, now_s):
    world.machine.heard("media", now_s)
    return []


def test_twilio_waits_until_it_is_silent_and_disconnected():
    for heard_s, disconnected_s, expected_s in ((9.0, 10.0, 12.0), (5.0, 10.0, 10.0)):
        world = World("twilio", "hang")
        world.at(heard_s, lambda now_s, world=world: world_heard(world, now_s))
        world.state(disconnected_s, "disconnected").run(14.0)
        assert world.attempts_s() == [expected_s]
    alive = World("twilio", "hang")
    for n in range(100):
        alive.at(9.0 + n, lambda now_s: world_heard(alive, now_s))
    assert alive.state(10.0, "disconnected").run(100.0).attempts_s() == []


def test_reconnecting_websocket_draws_its_first_wait_once():
    # 1 + 4 u seconds with u = 0.25: 2 s, and from there x1.3 up to 10 s.
    world = lost("reconnecting-websocket", draws=[0.25] + [0.9] * 10**4)
    gaps_s = [b - a for a, b in zip([LOST_S, *world.attempts_s()], world.attempts_s(), strict=False)]
    assert gaps_s == pytest.approx([min(10.0, 2.0 * 1.3**n) for n in range(len(gaps_s))], abs=1e-5)
    assert len(gaps_s) > 30


def test_immediate_tries_ten_times_a_second():
    world = World("immediate", 503).state(LOST_S, "disconnected").run(LOST_S + 1.95)
    assert world.attempts_s() == pytest.approx([LOST_S + 0.1 * n for n in range(20)])


# The offers are answered, and no connection ever comes of it.
NOTHING_CONNECTS = {
    "pipecat": [5 + 20.0625 * n for n in range(20)],  # for ever (C5)
    "pipecat-fixed": [5, 27.0625, 49.125],
    "livekit": [10.25, 27.55, 45.75, 65.45, 87.25, 111.25, 135.25, 159.25, 183.25, 207.25],
    "vonage": [10, 23, 36, 49, 62],
    "mediasoup-demo": [0, 16, 33, 52, 75, 98, 121, 144, 167, 190, 213],
    "never": [],
    "openai-realtime": [],
}


@pytest.mark.parametrize("name", NOTHING_CONNECTS)
def test_where_nothing_connects_the_attempts_end_except_the_published_ones(name):
    world = lost(name, "answer")
    assert world.attempts_s() == pytest.approx([LOST_S + at_s for at_s in NOTHING_CONNECTS[name]])


@pytest.mark.parametrize("name", POLICIES)
def test_a_connection_that_opens_ends_the_row_for_every_policy(name):
    world = lost(name, "answer", connects=lambda _: True)
    assert len(world.attempts_s()) == (0 if POLICIES[name].max_attempts == 0 or name == "twilio" else 1)
    assert world.machine.attempts == 0


def test_livekit_restarts_ice_until_that_was_of_no_use():
    actions = {told for _, told in lost("livekit", 503).log}
    assert "recreate" not in actions
    order = [told for _, told in lost("livekit", "answer").log]
    assert order[:3] == ["restart_ice", "recreate", "recreate"]


def test_a_hanging_offer_ends_after_the_time_of_the_policy_or_never():
    ends = {}
    for name in ("pipecat", "pipecat-fixed", "livekit", "twilio", "daily"):
        world = World(name, "hang").at(9.0, lambda now_s, world_of=name: [])
        first = world.machine._attempt(None, "failed", LOST_S)
        world._do(first, LOST_S)
        world.run(LOST_S + 100.0)
        ends[name] = next((at_s - LOST_S for at_s, told in world.log if told == "cancel: no answer"), None)
    assert ends == {"pipecat": None, "pipecat-fixed": 10.0, "livekit": 15.0, "twilio": 15.0, "daily": 10.0}


def test_websockets_counter_is_reset_by_five_seconds_of_being_up():
    long = World("reconnecting-websocket", "answer", connects=lambda _: True)
    for start_s in (10.0, 14.0, 30.0):
        long.state(start_s, "disconnected")
    long.run(60.0)
    # Up for less than 5 s, the next wait is x1.3; after more it is 3 s again.
    assert long.attempts_s() == pytest.approx([13.0, 17.9, 33.0])


def test_an_attempt_is_abandoned_when_the_old_path_heals():
    world = World("pipecat-fixed", "hang").state(LOST_S, "disconnected")
    world.at(17.0, world.machine.old_path_healed)
    assert world.run(100.0).log == [(15.0, "recreate"), (17.0, "cancel: healed"), (17.0, "abandon")]
    waiting = World("pipecat-fixed", 503).state(LOST_S, "disconnected").state(16.0, "connected")
    assert waiting.run(100.0).log == [(15.0, "recreate"), (16.0, "abandon")]
    stubborn = World("pipecat", "hang").state(LOST_S, "disconnected")
    stubborn.at(17.0, stubborn.machine.old_path_healed)
    assert stubborn.run(100.0).log == [(15.0, "recreate")]


def test_a_mended_grace_begins_again_with_every_loss():
    for name, expected_s in (("pipecat", [5.0]), ("pipecat-fixed", [9.9])):
        world = (
            World(name, "hang").state(0.0, "disconnected").state(1.0, "connected").state(4.9, "disconnected")
        )
        assert world.run(10.0).attempts_s() == expected_s


def test_a_kept_retry_brings_the_client_back_after_it_gave_up():
    def run(name):
        world = World(name, 503).state(0.0, "failed")
        # A second loss while a retry waits makes an attempt beside it, and so two retries.
        world.state(1.0, "failed")
        return world.run(20.0).log

    assert run("pipecat") == [
        (0.0, "recreate"),
        (1.0, "recreate"),
        (2.0, "recreate"),
        (3.0, "give up: attempts exhausted"),
        (4.0, "recreate"),
        (6.0, "recreate"),
        (8.0, "recreate"),
        (10.0, "give up: attempts exhausted"),
    ]
    assert run("pipecat-fixed") == [
        *((at_s, "recreate") for at_s in (0.0, 2.0, 4.0)),
        (6.0, "give up: attempts exhausted"),
    ]


@pytest.mark.parametrize(
    ("name", "status", "final"),
    [
        ("pipecat", 404, True),
        ("pipecat", 429, True),
        ("pipecat", 503, False),
        ("pipecat-fixed", 404, True),
        ("pipecat-fixed", 408, False),
        ("pipecat-fixed", 425, False),
        ("pipecat-fixed", 429, False),
        ("livekit", 404, False),
        ("livekit", 401, True),
        ("reconnecting-websocket", 404, False),
    ],
)
def test_which_refusals_are_final(name, status, final):
    world = machine(name)
    world.state_changed("failed", 0.0)
    world.handle_timer(10.0)
    told = [type(action).__name__ for action in world.offer_failed(10.0, status)]
    assert told == (["GiveUp"] if final else [])


def test_three_missed_pings_are_a_trigger():
    policy = dataclasses.replace(POLICIES["pipecat-fixed"], missed_pings=3, ping_interval_s=1.0)
    world = World(policy, "hang").at(4.2, lambda now_s: world.machine.heard("data", now_s) or [])
    for n in range(50):
        world.at(4.25 + n / 10, lambda now_s: world.machine.heard("media", now_s) or [])
    # Pings at 5.2 (answered before), 6.2, 7.2, 8.2.
    assert world.run(9.0).attempts_s() == pytest.approx([8.2])


def test_giving_up_may_leave_the_connection_to_itself():
    policy = dataclasses.replace(POLICIES["pipecat-fixed"], give_up="stay", max_attempts=1)
    world = World(policy, 503).state(0.0, "disconnected").state(30.0, "connected").state(40.0, "disconnected")
    assert world.run(60.0).log == [
        (5.0, "recreate"),
        (7.0, "give up: attempts exhausted"),
        (45.0, "recreate"),
        (47.0, "give up: attempts exhausted"),
    ]


def test_the_servers_wish_is_an_attempt_unless_the_policy_makes_none():
    for name, actions in (("pipecat", 1), ("livekit", 1), ("never", 0), ("openai-realtime", 0)):
        assert len(machine(name).renegotiation_asked(0.0)) == actions


def test_a_new_offer_on_a_good_connection_succeeds_with_its_answer():
    world = machine("pipecat-fixed")
    world.state_changed("connected", 0.0)
    [attempt] = world.renegotiation_asked(1.0)
    assert attempt.action is Attempt.REOFFER
    world.answered(1.1)
    assert (world.busy, world.attempts) == (False, 0)


def test_the_old_clients_attempts_go_on_after_the_user_disconnected():
    for outlasts, attempts in ((True, 1), (False, 0)):
        policy = dataclasses.replace(POLICIES["pipecat"], outlast_disconnect=outlasts)
        old = machine(policy)
        old.state_changed("failed", 0.0)
        old.offer_failed(0.1)
        old.end()
        assert old.next_wait_s() == (2.1 if outlasts else None)
        assert len(old.handle_timer(2.1)) == attempts
