"""What TURN servers denied, in sentences."""

from simlab.study.account_ice import ice_told
from tests.study.timelines import connected, event, timeline

RELAYED = "10.0.3.3:20000"


def denied(from_s, until_s, datagrams=9, expired=True, peer="10.0.1.2"):
    counted = {"expired": expired, "datagrams": datagrams, "from_s": from_s, "until_s": until_s}
    return event(until_s + 1, "ice-server denied", server="turn", relayed=RELAYED, peer=peer, **counted)


def permitted(at_s, peer="10.0.1.2"):
    return event(at_s, "ice-server permitted", server="turn", relayed=RELAYED, peer=peer)


def told(*events):
    return list(ice_told(timeline(connected(), *events)))


def test_a_permission_that_expired():
    sentence = (
        "From 5.0 s to 7.5 s the TURN server denied 9 datagrams between 10.0.3.3:20000 and 10.0.1.2, "
        "as its permission had not been refreshed."
    )
    assert told(permitted(0.1), denied(5.0, 7.5)) == [(5.0, sentence)]


def test_a_peer_that_never_had_one():
    sentence = (
        "From 5.0 s to 7.5 s the TURN server denied 1 datagram between 10.0.3.3:20000 and 10.0.1.9, "
        "which had no permission."
    )
    assert told(permitted(0.1), denied(5.0, 7.5, 1, False, "10.0.1.9")) == [(5.0, sentence)]


def test_of_datagrams_that_were_only_sooner_than_their_permission_nothing_is_told():
    assert told(denied(0.1, 0.2, 3, False), permitted(1.3)) == []


def test_after_four_times_the_others_are_summed_up():
    lines = told(permitted(0.1), *(denied(10.0 * n, 10.0 * n + 2) for n in range(1, 7)))
    assert len(lines) == 5
    assert lines[-1] == (50.0, "The TURN server denied datagrams 2 more times, 18 datagrams in all.")
