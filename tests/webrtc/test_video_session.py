"""A session with pictures: they are measured as sound is."""

import pytest

from simlab.study.invariants import violations
from simlab.study.metrics import metrics
from simlab.study.reading import Channel, gaps
from tests.virtual.sessions import run_text

CLEAN = """
duration = "10s"
[peers]
media = ["audio", "video"]
[link]
delay = "20ms"
"""
BLACKOUT = (
    CLEAN.replace('"10s"', '"45s"')
    + """
[[fault]]
kind = "blackout"
at = "4s"
for = "16s"
"""
)


def test_pictures_arrive_both_ways_30_times_a_second():
    video = metrics(run_text(CLEAN))["video"]
    for way in ("up", "down"):
        # From the first connection at about 0.2 s on; 10 are under way or wait for the one before.
        assert 30 * 9.5 < video[way]["sent"] <= 30 * 10
        assert video[way]["sent"] - 10 <= video[way]["received"] <= video[way]["sent"]
        assert video[way]["alive_at_end"]
    assert metrics(run_text(CLEAN))["outages"] == []


def test_a_session_of_pictures_alone():
    found = metrics(run_text(CLEAN, peers__media='["video"]'))
    assert found["media"]["up"]["sent"] == 0
    assert found["video"]["up"]["alive_at_end"]


def test_it_is_the_same_each_time():
    assert run_text(CLEAN).to_text() == run_text(CLEAN).to_text()


def test_pictures_that_stay_away_after_a_reconnection_are_violations():
    timeline = run_text(BLACKOUT)
    assert {violation.invariant for violation in violations(timeline)} == {
        *("microphone-dead-after-recovery", "bot-voice-dead-after-recovery"),
        *("camera-dead-after-recovery", "bot-video-dead-after-recovery"),
    }
    assert violations(run_text(BLACKOUT, client__preset="fixed")) == ()


def test_losses_hold_up_pictures_but_not_for_good():
    lossy = metrics(run_text(CLEAN, link__loss="5%"))["video"]
    for way in ("up", "down"):
        assert lossy[way]["alive_at_end"]
        assert 0 < lossy[way]["received"] <= lossy[way]["sent"]


@pytest.mark.parametrize(
    ("switches", "channel"),
    [(("mute", "unmute"), Channel("media", "up")), (("camera-off", "camera-on"), Channel("video", "up"))],
)
def test_what_is_switched_off_is_not_missed(switches, channel):
    actions = "".join(
        f'[[action]]\nat = "{at}s"\ndo = "{do}"\n' for at, do in zip((3, 6), switches, strict=True)
    )
    timeline = run_text(CLEAN + actions)
    silent = [event for event in timeline.select("probe", "back") if event["what"] == channel.what]
    assert [round(event["gap_s"]) for event in silent] == [3]
    assert gaps(timeline, channel) == ()
    assert metrics(timeline)["outages"] == []
