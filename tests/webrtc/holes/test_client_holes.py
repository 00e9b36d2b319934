"""Each hole of the client: its profile shows it, and does not where it alone is mended, or everything is."""

from functools import cache
from pathlib import Path

import pytest

from simlab.study.invariants import violations
from simlab.study.metrics import metrics
from tests.virtual.sessions import run_text

HOLES = Path(__file__).parents[3] / "profiles" / "holes"


@cache
def published(name):
    """Return the timeline of a hole's profile as it stands."""
    return run_text((HOLES / f"{name}.toml").read_text())


@cache
def mended(name, switch):
    """Return the same where one switch is mended, or with the preset ``fixed``."""
    key = "client__preset" if switch == "fixed" else f"client__behaviour__{switch}"
    return run_text((HOLES / f"{name}.toml").read_text(), **{key: "fixed" if switch == "fixed" else "false"})


def mends(*switches):
    return pytest.mark.parametrize("switch", [*switches, "fixed"])


def invariants(timeline):
    return {violation.invariant for violation in violations(timeline)}


def callbacks(timeline, name):
    return [event.t_s for event in timeline.select("client", "callback") if event["name"] == name]


def connects(timeline):
    # A connect() takes 0.25 to 0.4 s over these links, as the dither of the virtual network has it.
    return [(round(event.t_s), event["outcome"]) for event in timeline.select("client", "connect")]


@mends("stop_shared_tracks")
def test_c1_the_microphone_is_dead_after_a_reconnection(switch):
    assert invariants(published("c1-microphone")) == {"microphone-dead-after-recovery"}
    assert invariants(mended("c1-microphone", switch)) == set()


@mends("stop_shared_tracks")
def test_c1_the_camera_is_dead_after_a_reconnection(switch):
    assert invariants(published("c1-camera")) == {"camera-dead-after-recovery"}
    assert invariants(mended("c1-camera", switch)) == set()
    assert metrics(mended("c1-camera", switch))["video"]["up"]["alive_at_end"]


@mends("drop_new_remote_tracks")
def test_c1_the_bots_voice_is_dead_after_a_reconnection(switch):
    assert invariants(published("c1-bot-voice")) == {"bot-voice-dead-after-recovery"}
    assert invariants(mended("c1-bot-voice", switch)) == set()


@mends("leak_pending_offer")
def test_c3_the_old_connection_stays_open_after_disconnect(switch):
    for timeline in (published("c3"), mended("c3", switch)):
        assert metrics(timeline)["final_state"] == "disconnected"
    assert metrics(published("c3"))["server"]["connections_open_at_end"] == 1
    assert metrics(mended("c3", switch))["server"]["connections_open_at_end"] == 0


@mends("leak_pending_offer")
def test_c3_the_transport_says_ready_after_disconnect_and_refuses_to_connect(switch):
    name = "c3-ready-after-disconnect"
    states = [e["state"] for e in published(name).select("client", "transport_state")]
    assert states[-4:] == ["connecting", "disconnecting", "disconnected", "ready"]
    assert [event.t_s for event in published(name).select("client", "action_refused")] == [12.0]
    assert connects(published(name)) == [(0, "resolved")]
    # The second connect() is rejected at once, as one that waits for its data channel is.
    connected = [(0, "resolved"), (6, "rejected"), (12, "resolved")]
    assert connects(mended(name, switch)) == connected


@mends("keep_late_answer", "leak_pending_offer")
def test_c4_the_next_connect_names_a_connection_that_nobody_has(switch):
    offers = [e for e in published("c4").select("client", "offer") if e.t_s >= 25]
    late = next(e for e in published("c4").select("client", "answer") if 16 < e.t_s < 25)
    assert (offers[0]["pc_id"], offers[0]["restart"]) == (late["pc_id"], False)
    # Chromium's 15 s until `disconnected`, 5 s of grace, and a new connection.
    assert connects(published("c4")) == [(0, "resolved"), (45, "resolved")]
    assert connects(mended("c4", switch)) == [(0, "resolved"), (25, "resolved")]


@mends("stay_busy_after_exception")
def test_c7_an_exception_ends_all_reconnection(switch):
    failed = list(published("c7").select("client", "peer_failed"))
    assert [event["connection"] for event in failed] == [2]
    assert "want a username and a credential" in failed[0]["error"]
    assert [outage["outcome"] for outage in metrics(published("c7"))["outages"]] == ["open"]
    assert len(list(published("c7").select("client", "offer"))) == 1
    assert [outage["outcome"] for outage in metrics(mended("c7", switch))["outages"]] == ["reconnected"]


@mends("forget_to_announce_reconnection")
def test_c10_nobody_is_told_of_a_reconnection(switch):
    assert [len(callbacks(published("c10"), name)) for name in ("connected", "bot_connected")] == [1, 1]
    assert [len(callbacks(mended("c10", switch), name)) for name in ("connected", "bot_connected")] == [2, 2]
    states = [e["state"] for e in mended("c10", switch).select("client", "transport_state")]
    assert states[-4:] == ["connected", "ready", "connected", "ready"]


@mends("trickle_under_old_id")
def test_c11_candidates_go_out_under_the_old_name(switch):
    def names(timeline):
        answers = [event["pc_id"] for event in timeline.select("client", "answer")]
        return [answers.index(event["pc_id"]) for event in timeline.select("client", "trickle")]

    assert names(published("c11")) == [0, 0]
    assert names(mended("c11", switch)) == [0, 1]


@mends("drop_messages_while_reconnecting")
def test_c14_messages_are_lost_while_there_is_no_channel(switch):
    # What goes into the old channel between the blackout and the new offer is lost either way: 11 s.
    lost, kept = (metrics(t)["messages"]["up"]["lost"] for t in (published("c14"), mended("c14", switch)))
    opened_s = [e.t_s for e in published("c14").select("client", "channel_open")][1]
    offered_s = [e.t_s for e in published("c14").select("client", "offer")][1]
    assert kept == pytest.approx((offered_s - 4.0) * 10, abs=1)
    assert lost - kept == pytest.approx((opened_s - offered_s) * 10, abs=1)


@mends("greet_first_bot_only")
def test_c15_a_restarted_server_has_a_bot_that_never_speaks(switch):
    assert metrics(published("c15"))["server"]["bots_started"] == 2
    assert len(list(published("c15").select("client", "bot_ready"))) == 1
    assert [outage["outcome"] for outage in metrics(published("c15"))["outages"]] == ["open"]
    assert len(list(mended("c15", switch).select("client", "bot_ready"))) == 2
    assert [outage["outcome"] for outage in metrics(mended("c15", switch))["outages"]] == ["reconnected"]


@mends("trickle_after_failed_offer")
def test_1_10_6_sends_candidates_after_a_failed_offer(switch):
    def refused(timeline):
        events = timeline.select("client", "trickle", "trickle_failed")
        return [(event.kind, event.data.get("pc_id"), event.data.get("status")) for event in events]

    name = "trickle-after-failed-offer"
    assert refused(published(name))[:2] == [("trickle", None, None), ("trickle_failed", None, 422)]
    assert not any(kind == "trickle_failed" for kind, _, _ in refused(mended(name, switch)))
