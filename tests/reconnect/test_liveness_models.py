"""The models of liveness beside Chromium's, with exact times; every draw is 0.5, so an interval is 5 s."""

from itertools import repeat

import numpy as np
import pytest

from simlab.core.rng import stream, uniforms
from simlab.reconnect.liveness import ChromiumLiveness
from simlab.reconnect.liveness_consent import AioiceLiveness, FirefoxLiveness
from simlab.reconnect.liveness_silence import SilenceLiveness, ping_liveness


def drive(model, until_s, answered=lambda _: False, rtt_s=0.05, packets=()):
    """Connect at 0, and return the checks and the changes of state. Answers take ``rtt_s``.

    Parameters
    ----------
    answered
        Tells whether a check that is sent at that time is answered.
    packets
        Times and kinds of the packets that arrive.
    """
    model.begin(0.0)
    model.connected(0.0)
    events = sorted((at_s, what, None) for at_s, what in packets)
    checks_s, changes = [], []
    while True:
        timer_s = float("inf") if model.next_timer_s is None else model.next_timer_s
        now_s = min(timer_s, events[0][0] if events else float("inf"))
        if now_s > until_s:
            return checks_s, changes
        before = model.state
        if events and events[0][0] <= timer_s:
            _, what, sent_s = events.pop(0)
            model.answered(sent_s, now_s) if what == "answer" else model.received(now_s, what)
        elif model.handle_timer(now_s):
            checks_s.append(round(now_s, 6))
            if answered(now_s):
                events = sorted([*events, (now_s + rtt_s, "answer", now_s)])
        if model.state != before:
            changes.append((round(now_s, 6), model.state))


def lost(from_s, until_s=float("inf")):
    return lambda now_s: not from_s <= now_s < until_s


def test_firefox_checks_every_five_seconds_and_repeats_what_is_not_answered():
    checks_s, changes = drive(FirefoxLiveness(repeat(0.5)), 21.0, lost(12.0))
    assert checks_s == [5.0, 10.0, 15.0, 15.1, 15.3, 15.7, 16.5, 18.1, 20.0, 20.1, 20.3, 20.7]
    assert changes == [(20.0, "disconnected")]


def test_firefox_is_disconnected_at_the_next_check_and_failed_30_s_after_the_last_answer():
    _, changes = drive(FirefoxLiveness(repeat(0.5)), 100.0, lost(12.0))
    assert changes == [(20.0, "disconnected"), (40.05, "failed")]


def test_firefox_is_connected_again_with_any_answer():
    _, changes = drive(FirefoxLiveness(repeat(0.5)), 60.0, lost(12.0, 30.5))
    # The check of 30 s is answered at its repetition after 0.7 s.
    assert changes == [(20.0, "disconnected"), (30.75, "connected")]


def test_firefox_that_never_connects_fails_after_30_s():
    model = FirefoxLiveness(repeat(0.5))
    model.begin(3.0)
    assert model.next_timer_s == 33.0
    assert not model.handle_timer(33.0)
    assert (model.state, model.next_timer_s) == ("failed", None)


@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
def test_firefox_draws_its_intervals_between_4_and_6_s(draw):
    checks_s, _ = drive(FirefoxLiveness(repeat(draw)), 20.0, lambda _: True)
    assert checks_s[0] == pytest.approx(4.0 + 2.0 * draw)
    assert np.diff(checks_s) == pytest.approx(4.0 + 2.0 * draw)


def test_firefox_notices_between_4_and_12_s_and_fails_between_24_and_30_s_after_a_loss():
    found = []
    for seed in range(200):
        draws = uniforms(stream(seed, "liveness"))
        _, changes = drive(FirefoxLiveness(draws), 200.0, lost(50.0))
        found.append([at_s - 50.0 for at_s, _ in changes])
    noticed_s, failed_s = np.array(found).T
    # The last answered check is up to 6 s before the loss, the first unanswered one up to 6 s after it.
    assert noticed_s.min() >= 4.0
    assert noticed_s.max() <= 12.0
    assert failed_s.min() >= 24.0
    assert failed_s.max() <= 30.05


def test_aiortc_says_nothing_until_the_sixth_miss_in_a_row():
    # A check 5 s after the last one was over; each miss takes half a second.
    checks_s, changes = drive(AioiceLiveness(repeat(0.5)), 100.0, lost(12.0), rtt_s=0.05)
    assert checks_s == pytest.approx([5.0, 10.05, 15.1, 20.6, 26.1, 31.6, 37.1, 42.6])
    assert changes == [(43.1, "closed")]


def test_aiortc_takes_no_late_answer():
    _, changes = drive(AioiceLiveness(repeat(0.5)), 100.0, lambda _: True, rtt_s=0.51)
    assert changes == [(6 * 5.5, "closed")]
    assert drive(AioiceLiveness(repeat(0.5)), 100.0, lambda _: True, rtt_s=0.49)[1] == []


def test_aiortc_starts_its_count_again_with_every_answer():
    # Five misses, an answer, five misses, an answer...
    sent = iter(range(10**6))
    assert drive(AioiceLiveness(repeat(0.5)), 1000.0, lambda _: next(sent) % 6 == 5)[1] == []


def test_aiortc_closes_23_to_39_s_after_a_loss_as_often_as_theory_says():
    # U + 3 + the sum of five U(4, 6), U the rest of the interval: mean 30.5 s, standard deviation 1.97 s
    # (docs/policies.md); of n = 400 the mean is within 4 standard errors, 0.4 s.
    closed_s = []
    for seed in range(400):
        draws = uniforms(stream(seed, "liveness"))
        _, [(at_s, state)] = drive(AioiceLiveness(draws), 300.0, lost(100.0), rtt_s=0.0)
        assert state == "closed"
        closed_s.append(at_s - 100.0)
    assert min(closed_s) >= 23.0
    assert max(closed_s) <= 39.0
    assert np.mean(closed_s) == pytest.approx(30.5, abs=0.4)


def test_aiortc_that_never_connects_fails_after_63_5_s():
    model = AioiceLiveness(repeat(0.5))
    model.begin(1.0)
    assert model.next_timer_s == 64.5
    model.handle_timer(64.5)
    assert model.state == "failed"


def every(step_s, until_s, what="media"):
    return [(round(n * step_s, 6), what) for n in range(1, int(until_s / step_s) + 1)]


def test_silence_counts_from_the_last_packet_whatever_checks_say():
    model = SilenceLiveness(3.0)
    packets = [*every(0.02, 10.0), (17.0, "media"), (17.02, "media")]
    checks_s, changes = drive(model, 30.0, lambda _: True, packets=packets)
    assert changes == [(13.0, "disconnected"), (17.0, "connected"), (20.02, "disconnected")]
    assert checks_s[:3] == [2.5, 5.0, 7.5]


def test_a_session_without_packets_has_no_silence():
    assert drive(SilenceLiveness(3.0), 100.0)[1] == []


def test_data_is_a_sign_of_life_too():
    packets = [*every(0.02, 10.0), *every(1.0, 60.0, "data")]
    assert drive(SilenceLiveness(3.0), 60.0, packets=packets)[1] == []


@pytest.mark.parametrize(("k", "noticed_s"), [(1, 12.0), (3, 14.0), (10, 21.0)])
def test_missed_pings_are_found_at_the_k_th_ping(k, noticed_s):
    # Data until 10.5 s, media for ever; the pings are on whole seconds from the first data at 1 s on.
    packets = [*every(1.0, 10.0, "data"), (10.5, "data"), *every(0.02, 40.0)]
    assert drive(ping_liveness(k), 40.0, packets=packets)[1] == [(noticed_s, "disconnected")]


def test_a_silent_client_that_never_connects_is_disconnected_as_in_chromium():
    for model in (SilenceLiveness(3.0), ping_liveness()):
        model.begin(0.0)
        assert model.next_timer_s == 15.0
        model.handle_timer(15.0)
        assert model.state == "disconnected"


def test_chromiums_connection_fails_when_the_pair_is_dead_though_ice_never_does():
    model = ChromiumLiveness()
    model.begin(0.0)
    model.connected(0.0)
    seen = set()
    while model.next_timer_s is not None and model.next_timer_s < 60.0:
        now_s = model.next_timer_s
        model.handle_timer(now_s)
        seen.add((model.state, model.connection_state))
    assert seen == {("connected", "connected"), ("disconnected", "disconnected"), ("disconnected", "failed")}
    assert 15.0 < now_s < 15.1
    model.check_received(70.0)
    model.handle_timer(70.0)
    model.answered(70.0, 70.05)
    assert (model.state, model.connection_state) == ("connected", "connected")


@pytest.mark.parametrize(
    "make",
    [
        ChromiumLiveness,
        lambda: FirefoxLiveness(uniforms(stream(1, "x"))),
        lambda: AioiceLiveness(uniforms(stream(1, "x"))),
        SilenceLiveness,
        ping_liveness,
    ],
    ids=["chromium", "firefox", "aioice", "media", "ping"],
)
def test_a_good_path_is_good_and_every_timer_lies_ahead(make):
    model = make()
    packets = [*every(0.02, 120.0), *every(0.9, 120.0, "data")]
    assert drive(model, 120.0, lambda _: True, packets=packets)[1] == []
    assert model.next_timer_s > 119.9
