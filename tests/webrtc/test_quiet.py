import pytest

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.webrtc.quiet import Quiet


class Voice:
    now_s = 0.0

    def __init__(self):
        self.record = Recorder(lambda: self.now_s)
        self.quiet = Quiet(self.record, Direction.DOWN)

    def sends(self, until_s, audible):
        """Send frames of 20 ms up to a time, that one included."""
        while self.now_s < until_s - 0.001:
            self.now_s = round(self.now_s + 0.02, 6)
            self.quiet.sent(audible)

    @property
    def spans(self):
        assert all(e["direction"] == "down" and e["what"] == "media" for e in self.record.events)
        return [(e["since_s"], e.t_s) for e in self.record.events]


@pytest.fixture
def voice():
    return Voice()


def test_what_is_silent_from_the_first_such_frame_to_the_next_that_is_heard(voice):
    voice.sends(0.02, audible=True)
    voice.sends(2.0, audible=False)
    voice.sends(3.0, audible=True)
    assert voice.spans == [(0.04, 2.02)]


def test_a_pause_between_two_words_is_none(voice):
    voice.sends(0.02, audible=True)
    voice.sends(0.3, audible=False)
    voice.sends(1.0, audible=True)
    assert voice.spans == []


def test_before_its_first_frame_there_is_no_voice(voice):
    voice.now_s = 1.0
    assert not voice.quiet.has_voice
    voice.sends(2.0, audible=True)
    assert voice.spans == [(0.0, 1.02)]
    assert voice.quiet.has_voice


def test_there_may_never_be_one(voice):
    voice.now_s = 10.5
    voice.quiet.finish(10.0)
    assert voice.spans == [(0.0, 10.0)]


def test_time_without_frames_is_not_silent(voice):
    voice.sends(0.02, audible=True)
    voice.sends(1.0, audible=False)
    voice.now_s = 3.0
    voice.sends(4.0, audible=False)
    voice.now_s = 6.0
    voice.quiet.finish(10.0)
    assert voice.spans == [(0.04, 1.0), (3.02, 4.0)]


def test_it_is_silent_to_the_end(voice):
    voice.sends(0.02, audible=True)
    voice.sends(9.98, audible=False)
    voice.now_s = 10.3
    voice.quiet.finish(10.0)
    assert voice.spans == [(0.04, 10.0)]


@pytest.mark.parametrize(("had_voice", "spans"), [(False, [(0.0, 5.02)]), (True, [])])
def test_another_goes_on_for_it(voice, had_voice, spans):
    voice.now_s = 5.0
    voice.quiet.resume(had_voice)
    voice.sends(6.0, audible=True)
    assert voice.spans == spans
