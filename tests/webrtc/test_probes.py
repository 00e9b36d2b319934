import asyncio

import pytest

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.virtual.loop import VirtualLoop
from simlab.webrtc.probes import Messages, Metronome, Tally, Watch, is_probe


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def recorder():
    clock = Clock()
    return clock, Recorder(clock)


def events(record, *kinds):
    return [(e.t_s, e.kind, dict(e.data.items())) for e in record.events if e.kind in kinds]


def test_a_gap_is_noted_with_its_beginning_and_its_length():
    clock, record = recorder()
    watch = Watch(record, Direction.DOWN, "media", gap_s=0.5)
    watch.begin()
    for clock.now_s in (0.1, 0.2, 3.0):
        watch.arrived()
    labels = {"direction": "down", "what": "media"}
    assert events(record, "lost", "back") == [
        (0.7, "lost", labels | {"since_s": 0.2}),
        (3.0, "back", labels | {"gap_s": 2.8}),
    ]


def test_a_silence_of_just_the_gap_is_none():
    clock, record = recorder()
    watch = Watch(record, Direction.UP, "media", gap_s=0.5)
    watch.begin()
    clock.now_s = 0.5
    watch.arrived()
    assert events(record, "lost") == []


def test_what_is_still_open_at_the_end_is_noted():
    clock, record = recorder()
    watch = Watch(record, Direction.UP, "message", gap_s=1.0)
    watch.begin()
    clock.now_s = 9.0
    watch.finish(end_s=9.0)
    assert [(t_s, data["since_s"]) for t_s, _, data in events(record, "lost")] == [(1.0, 0.0)]
    assert events(record, "back") == []


def test_a_session_that_ends_late_misses_nothing_after_its_end():
    clock, record = recorder()
    watch = Watch(record, Direction.UP, "message", gap_s=1.0)
    clock.now_s = 8.1
    watch.begin()
    clock.now_s = 9.4
    watch.finish(end_s=9.0)
    assert events(record, "lost") == []


def test_nothing_is_expected_before_the_beginning():
    clock, record = recorder()
    watch = Watch(record, Direction.UP, "message", gap_s=1.0)
    clock.now_s = 9.0
    watch.finish(end_s=9.0)
    assert events(record, "lost") == []


def test_a_tally_counts_by_the_second():
    clock, record = recorder()
    tally = Tally(record, Direction.UP, "message")
    for clock.now_s in (0.1, 0.9, 1.0, 1.5, 4.2):
        tally.add("sent")
    tally.flush()
    counted = [(t_s, data["sent"]) for t_s, _, data in events(record, "tally")]
    assert counted == [(1.0, 2), (2.0, 2), (4.2, 1)]


def test_a_metronome_beats_every_100_ms_until_its_time():
    loop = VirtualLoop()
    beats_s = []

    async def start():
        Metronome(lambda: beats_s.append(round(loop.time(), 9)), loop.time, until_s=0.45)
        await asyncio.sleep(5.0)

    loop.run_until_complete(start())
    loop.close()
    assert beats_s == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_a_stopped_metronome_is_silent():
    loop = VirtualLoop()
    beats = []

    async def start():
        metronome = Metronome(lambda: beats.append(None), loop.time, until_s=9.0)
        await asyncio.sleep(0.25)
        metronome.stop()
        await asyncio.sleep(5.0)

    loop.run_until_complete(start())
    loop.close()
    assert len(beats) == 3


def test_a_message_that_comes_twice_counts_once():
    clock, record = recorder()
    messages = Messages(record, Direction.UP)
    messages.watch.begin()
    clock.now_s = 0.3
    messages.arrived(0, 0.2)
    messages.arrived(0, 0.2)
    clock.now_s = 1.25
    messages.arrived(1, 0.2)
    messages.watch.finish(end_s=9.0)
    assert [data for _, _, data in events(record, "tally")] == [
        {"direction": "up", "what": "message", "received": 1, "duplicated": 1},
        {"direction": "up", "what": "message", "late": 1, "received": 1},
    ]


def test_what_the_sender_had_not_sent_yet_is_not_missed():
    clock, record = recorder()
    messages = Messages(record, Direction.UP)
    messages.watch.begin()
    clock.now_s = 2.9
    messages.arrived(0, 2.0)
    clock.now_s = 4.0
    messages.arrived(1, 3.9)
    labels = {"direction": "up", "what": "message"}
    assert events(record, "lost", "back") == [
        (3.9, "lost", labels | {"since_s": 2.9}),
        (4.0, "back", labels | {"gap_s": 1.1}),
    ]


def test_a_first_message_that_is_long_under_way_is_missed_from_when_it_was_sent():
    clock, record = recorder()
    messages = Messages(record, Direction.UP)
    messages.watch.begin()
    clock.now_s = 9.0
    messages.arrived(0, 2.0)
    labels = {"direction": "up", "what": "message"}
    assert events(record, "lost", "back") == [
        (3.0, "lost", labels | {"since_s": 2.0}),
        (9.0, "back", labels | {"gap_s": 7.0}),
    ]


def test_a_first_message_that_says_it_was_sent_later_than_now_or_before_the_beginning_changes_nothing():
    for sent_s, since_s in ((99.0, None), (1.0, 3.0)):
        clock, record = recorder()
        messages = Messages(record, Direction.UP)
        clock.now_s = 3.0
        messages.watch.begin()
        clock.now_s = 5.0
        messages.arrived(0, sent_s)
        assert [data["since_s"] for _, _, data in events(record, "lost")] == [since_s] * (since_s is not None)


@pytest.mark.parametrize("number", [-1, 1.0, True, "1", None, [], {}, 2**53, float("nan")])
def test_a_message_with_another_number_is_none(number):
    assert not is_probe(number, 1.0)


@pytest.mark.parametrize("sent_s", [-0.1, True, "1", None, [], float("nan"), float("inf"), 10**400])
def test_a_message_from_another_time_is_none(sent_s):
    assert not is_probe(0, sent_s)
    clock, record = recorder()
    messages = Messages(record, Direction.UP)
    messages.watch.begin()
    clock.now_s = 3.0
    messages.arrived(0, sent_s)
    messages.watch.finish(end_s=9.0)
    assert [kind for _, kind, _ in events(record, "lost", "back", "tally")] == ["lost"]
