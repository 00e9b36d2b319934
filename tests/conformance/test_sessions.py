"""What a session must be like, whichever clock it runs under."""

import pytest

from simlab.study.invariants import violations
from simlab.study.metrics import metrics
from tests.conformance.conftest import virtual_timeline

# The sessions on the real clock are run once for the whole file, so it stays on one worker.
pytestmark = [pytest.mark.xdist_group("real"), pytest.mark.timeout(300)]

BEGAN_S = 4.0


def first_offer_s(timeline):
    """Seconds from the beginning of the blackout to the first offer after it."""
    return next(e.t_s for e in timeline.select("client", "offer") if e.t_s > BEGAN_S) - BEGAN_S


def error_s(timeline):
    """Seconds from the beginning of the blackout until the transport said ``error``."""
    states = timeline.select("client", "transport_state")
    return next(e.t_s for e in states if e["state"] == "error") - BEGAN_S


def test_a_clean_network_is_noticed_by_nobody(measured):
    clean = measured("clean")
    assert clean["connect"]["bot_ready_s"] < 2
    assert clean["outages"] == []
    assert clean["violations"] == []
    assert all(way["alive_at_end"] for way in clean["media"].values())
    assert [way["lost"] for way in clean["messages"].values()] == [0, 0]


def test_a_relayed_call_is_as_good_as_a_direct_one(relayed):
    measured = metrics(relayed)
    assert measured["outages"] == []
    assert [way["lost"] for way in measured["messages"].values()] == [0, 0]
    for link in ("link.up", "link.down"):
        assert {kind for event in relayed.select(link, "rate") for kind in event["packets"]} == {"turn"}
    events = list(relayed.select("ice-server"))
    assert [event.kind for event in events] == ["allocated", "permitted", "open"]
    assert events[-1]["denied"] == 0
    # All that the client sent but two Allocates and a ChannelBind, and all that it got but their answers.
    assert events[-1]["to_peers"] == pytest.approx(measured["links"]["up"]["delivered"] - 3, abs=2)
    assert events[-1]["to_client"] == pytest.approx(measured["links"]["down"]["offered"] - 3, abs=2)


def test_connecting_goes_through_its_phases_in_order(measured):
    connect = measured("clean")["connect"]
    phases_s = [connect[phase] for phase in ("offer_s", "ice_s", "dtls_s", "channel_s", "bot_ready_s")]
    assert phases_s == sorted(phases_s)


@pytest.mark.parametrize("name", ["blackout 3 s", "blackout 8 s"])
def test_a_short_blackout_heals_by_itself_without_an_offer(measured, name):
    short = measured(name)
    assert [outage["outcome"] for outage in short["outages"]] == ["self_healed"]
    assert short["attempts"]["offers"] == 1
    assert short["final_state"] == "ready"


def test_a_long_blackout_ends_in_a_re_created_connection(timeline):
    long = timeline("blackout 16 s")
    assert 10 <= first_offer_s(long) <= 13
    assert metrics(long)["attempts"]["recreations"] == 1
    assert metrics(long)["server"]["connections_opened"] == 2


def test_messages_pass_again_after_the_re_creation_and_nobody_hears_anybody(timeline):
    # Hole C1: the client stops the microphone that it shares with its new connection, and forgets the
    # track of the bot that the new connection brought.
    long = metrics(timeline("blackout 16 s"))
    assert long["final_state"] == "ready"
    assert not long["media"]["up"]["alive_at_end"]
    assert not long["media"]["down"]["alive_at_end"]
    kinds = {violation.invariant for violation in violations(timeline("blackout 16 s"))}
    assert kinds == {"microphone-dead-after-recovery", "bot-voice-dead-after-recovery"}


def test_ice_is_restarted_under_the_same_connection(timeline, measured):
    restarted = measured("ice restart")
    assert restarted["attempts"]["ice_restarts"] == 1
    assert restarted["attempts"]["recreations"] == 0
    assert restarted["server"]["connections_opened"] == 1
    assert [e["state"] for e in timeline("ice restart").select("client", "ice_restart")] == [
        "begun",
        "connected",
    ]
    assert [outage["outcome"] for outage in restarted["outages"]] == ["reconnected"]
    assert all(way["alive_at_end"] for way in restarted["media"].values())


def test_udp_and_http_dead_it_gives_up(timeline):
    dead = timeline("all dead")
    assert 16 <= error_s(dead) <= 19
    assert metrics(dead)["final_state"] == "error"
    assert metrics(dead)["attempts"] | {"unneeded": 0} == {
        "ice_restarts": 0,
        "recreations": 3,
        "offers": 4,
        "offers_failed": 3,
        "unneeded": 0,
    }


def test_behind_a_strict_nat_the_server_finds_the_client_by_its_checks(timeline):
    found = metrics(timeline("strict NAT"))
    assert found["connect"]["bot_ready_s"] < 2
    # The server's checks of the candidate that only the client's own network knows, and after the
    # rebinding all that it sends until the client's next check, which comes after 2.5 s at most.
    assert set(found["links"]["down"]["dropped"]) == {"nat"}
    assert found["links"]["up"]["dropped"] == {}
    assert [outage["outcome"] for outage in found["outages"]] in ([], ["self_healed"])
    assert all(outage["recovered_s"] < 2.5 + 0.5 for outage in found["outages"])
    assert found["attempts"]["offers"] == 1


@pytest.mark.parametrize(
    ("name", "moment_s"), [("blackout 16 s", first_offer_s), ("all dead", error_s)], ids=["offer", "error"]
)
def test_both_clocks_agree_within_0_3_s(real_timelines, name, moment_s):
    # The checks that find the path dead follow each other from the moment when ICE is connected, which a busy
    # machine reaches later, by as much as it is busy. So both are counted from there, and under the virtual
    # clock the blackout begins as long after it as it did in real time, between the same two checks.
    real, virtual = real_timelines[name], virtual_timeline(name)
    late_s = connected_s(real) - connected_s(virtual)
    same = virtual_timeline(name, began_s=BEGAN_S - late_s)
    expected_s = moment_s(same) - connected_s(same)
    assert moment_s(real) - connected_s(real) == pytest.approx(expected_s, abs=0.3)


def connected_s(timeline):
    """When ICE was connected for the first time."""
    return next(e.t_s for e in timeline.select("client", "liveness") if e["state"] == "connected")


def test_pictures_arrive_both_ways_also_after_the_application_has_connected_again(timeline):
    pictures = timeline("pictures")
    outcomes = [event["outcome"] for event in pictures.select("client", "connect")]
    assert outcomes == ["resolved", "resolved"]
    found = metrics(pictures)
    for way in found["video"].values():
        # 30 a second from a beginning within 2 s to 4 s, and again until 10 s; 20 may be under way.
        assert 30 * 4 - 20 <= way["received"] <= way["sent"] <= 30 * 8
        assert way["alive_at_end"]
    assert found["violations"] == []
    assert found["server"]["bots_started"] == 2
