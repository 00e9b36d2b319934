"""The model of Chromium's liveness, held against what was measured of Chromium 156 (81 sessions)."""

import heapq
from itertools import count, pairwise

import pytest

from simlab.reconnect.liveness import TICK_STRONG_S, TICK_WEAK_S, ChromiumLiveness

CONNECTED_S = 0.0
FRAME_S = 0.02


class Path:
    """A path under a model: answers and media arrive unless they are lost.

    Parameters
    ----------
    answers, media
        Tell whether what is sent at that time gets through.
    peer_checks_s
        When checks of the other side arrive.
    """

    def __init__(self, answers, media, rtt_s=0.001, peer_checks_s=()):
        self.model = ChromiumLiveness()
        self.answers, self.media, self.rtt_s = answers, media, rtt_s
        self.checks_s = []
        self.changes = []
        self._events = []
        self._ties = count()
        for at_s in peer_checks_s:
            self._push(at_s, "peer check", at_s)

    def _push(self, at_s, kind, value):
        heapq.heappush(self._events, (at_s, next(self._ties), kind, value))

    def run(self, until_s):
        self.model.begin(CONNECTED_S)
        self.model.connected(CONNECTED_S)
        self._push(FRAME_S, "media", None)
        while True:
            timer_s = self.model.next_timer_s
            event_s = self._events[0][0] if self._events else float("inf")
            now_s = min(timer_s if timer_s is not None else float("inf"), event_s)
            if now_s > until_s:
                return self
            self._step(now_s, event_s <= now_s)

    def _step(self, now_s, is_event):
        before = self.model.state
        if is_event:
            _, _, kind, value = heapq.heappop(self._events)
            self._handle(kind, value, now_s)
        elif self.model.handle_timer(now_s):
            self.checks_s.append(now_s)
            if self.answers(now_s):
                self._push(now_s + self.rtt_s, "answer", now_s)
        if self.model.state != before:
            self.changes.append((now_s, self.model.state))

    def _handle(self, kind, value, now_s):
        if kind == "answer":
            self.model.answered(value, now_s)
        elif kind == "peer check":
            self.model.check_received(now_s)
        else:
            if self.media(now_s):
                self.model.received(now_s)
            self._push(now_s + FRAME_S, "media", None)


def always(_):
    return True


def lost(began_s, ended_s=float("inf")):
    return lambda now_s: not began_s <= now_s < ended_s


def intervals_s(times_s, since_s, until_s):
    kept = [at_s for at_s in times_s if since_s <= at_s <= until_s]
    return {round(b - a, 6) for a, b in pairwise(kept)}


PHASES_S = [20.0 + 0.137 * n for n in range(20)]  # over more than one interval of 2.66 s


def test_a_healthy_path_is_checked_every_2_66_s_from_the_fifth_answer_on():
    # Measured: 0.06, 0.06, 1.1, 1.1 s, then 2.66 s (n = 216).
    checks_s = Path(always, always).run(60.0).checks_s
    assert [round(b - a, 4) for a, b in pairwise(checks_s[:7])] == [
        0.0625,
        0.0625,
        1.0625,
        1.0625,
        2.6562,
        2.6562,
    ]
    assert intervals_s(checks_s, 5.0, 60.0) == {2.65625}


@pytest.mark.parametrize("began_s", PHASES_S)
@pytest.mark.parametrize("media", ["lost", "alive"], ids=["everything lost", "uplink or STUN lost"])
def test_disconnected_comes_five_seconds_after_the_first_unanswered_check(began_s, media):
    # Measured from that check: 5.02 to 5.06 s (all lost), 5.04 to 5.05 s (uplink or STUN alone).
    # While packets arrive the ticks are coarser: the first one after 5.0 s is the 19th, at 5.05 s.
    path = Path(lost(began_s), lost(began_s) if media == "lost" else always).run(began_s + 9.0)
    first_s = next(at_s for at_s in path.checks_s if at_s >= began_s)
    [(at_s, state)] = path.changes
    assert state == "disconnected"
    assert 5.0 < at_s - first_s <= 5.0 + (TICK_WEAK_S if media == "lost" else TICK_STRONG_S)
    assert 5.0 < at_s - began_s < 7.73  # measured: 5.04 to 7.69 s


def test_while_packets_arrive_a_missing_answer_makes_it_check_every_1_06_s():
    path = Path(lost(20.0), always).run(29.0)
    first_s = next(at_s for at_s in path.checks_s if at_s >= 20.0)
    assert intervals_s(path.checks_s, first_s, path.changes[0][0] - 0.01) == {1.0625}


def test_in_silence_it_checks_on_every_fast_tick():
    path = Path(lost(20.0), lost(20.0)).run(40.0)
    first_s = next(at_s for at_s in path.checks_s if at_s >= 20.0)
    silent_s = max(first_s, 22.5) + TICK_STRONG_S
    assert intervals_s(path.checks_s, silent_s, 40.0) == {TICK_WEAK_S}


def test_silence_alone_changes_nothing_while_answers_come():
    path = Path(always, lost(20.0)).run(60.0)
    # One fast tick while the answer to a check is under way.
    assert intervals_s(path.checks_s, 5.0, 60.0) == {2.65625, 2.65625 + TICK_WEAK_S}
    assert path.changes == []


def test_a_pair_is_dead_15_s_after_the_first_unanswered_check():
    path = Path(lost(20.0), lost(20.0)).run(60.0)
    first_s = next(at_s for at_s in path.checks_s if at_s >= 20.0)
    assert first_s + 15.0 - TICK_WEAK_S <= path.checks_s[-1] <= first_s + 15.0
    assert path.model.next_timer_s is None


def test_a_dead_pair_comes_back_with_a_check_of_the_other_side():
    path = Path(lost(20.0, 44.0), lost(20.0, 44.0), peer_checks_s=[47.5]).run(60.0)
    assert path.changes[-1] == (47.5 + path.rtt_s, "connected")


@pytest.mark.parametrize("began_s", PHASES_S)
def test_three_seconds_of_loss_are_never_noticed(began_s):
    # Measured: 0 of 6.
    gone = lost(began_s, began_s + 3.0)
    assert Path(gone, gone).run(began_s + 20.0).changes == []


def test_a_loss_of_six_seconds_may_be_noticed_after_it_is_over():
    # Measured: 4 of 12 before the heal, 3 of 12 up to 1.1 s after it, 5 of 12 not at all.
    late_s = []
    for began_s in PHASES_S:
        gone = lost(began_s, began_s + 6.0)
        changes = Path(gone, gone).run(began_s + 20.0).changes
        late_s += [at_s - began_s - 6.0 for at_s, state in changes if state == "disconnected"]
        assert all(state == "connected" for _, state in changes[1::2])
    assert any(late < 0 for late in late_s)
    assert any(late > 0 for late in late_s)
    assert all(late <= 1.2 for late in late_s)
    assert len(late_s) < len(PHASES_S)


def test_a_path_that_never_connects_is_disconnected_after_15_06_s():
    # Measured: 15.01, 15.06, 15.07 s (min, median, max) after the remote description.
    model = ChromiumLiveness()
    model.begin(100.0)
    while model.next_timer_s is not None:
        now_s = model.next_timer_s
        assert not model.handle_timer(now_s)
    assert model.state == "disconnected"
    assert now_s == pytest.approx(115.0625)


def test_a_late_answer_is_an_answer():
    # 0.8 s of round trip: more than aioice's own checks would wait.
    path = Path(always, always, rtt_s=0.8).run(60.0)
    assert path.changes == []
