"""Whole sessions whose signalling is TCP over links: when requests arrive, and what becomes of them."""

import pytest

from simlab.core.packet import Direction
from simlab.core.tcp import unanswered_s
from simlab.profile.build import links, signalling_links
from tests.virtual.sessions import run_text, scenario

HEAD = 'duration = "{}"\n[peers]\nmedia = []\n[link]\ndelay = "20ms"\n'
OVER_LINK = '[signalling]\npath = "link"\n'
FAULT = '[[fault]]\nkind = "{}"\nat = "{}"\nfor = "{}"\n'
REQUEST_S, HERE_S, LINK_S = 0.0006, 0.0002, 0.020


def times_s(timeline, source, kind, **fields):
    events = timeline.select(source, kind)
    return [e.t_s for e in events if all(e.data.get(name) == value for name, value in fields.items())]


def answers_s(text, **overrides):
    return times_s(run_text(text, **overrides), "signalling", "response")


def test_a_new_connection_costs_a_round_trip_and_one_that_is_there_does_not():
    # The proxy's own connection to the server takes 0.4 ms, and 0.2 ms each way.
    timeline = run_text(HEAD.format("1s") + OVER_LINK)
    requests_s, answered_s = (times_s(timeline, "signalling", kind) for kind in ("request", "response"))
    took_s = [answer - request for request, answer in zip(requests_s, answered_s, strict=True)]
    assert took_s == pytest.approx([4 * LINK_S + 4 * HERE_S, 2 * LINK_S + 2 * HERE_S], abs=1e-6)


def test_a_blackout_is_one_for_the_signalling_too():
    # SYNs go out 0, 1 and 3 s after the request: the third is the first to pass.
    text = HEAD.format("6s") + OVER_LINK + FAULT.format("blackout", "0s", "2s")
    assert answers_s(text)[0] == pytest.approx(REQUEST_S + 3.0 + 4 * LINK_S + 4 * HERE_S, abs=1e-6)


def test_without_the_key_it_is_none():
    text = HEAD.format("6s") + FAULT.format("blackout", "0s", "2s")
    assert answers_s(text)[0] < 0.1


def test_a_blackout_of_the_way_down_loses_responses_alone():
    # The SYN+ACKs of 0 and 1 s are lost, and the server's own timer is due a second after the latter.
    down = FAULT.format("blackout", "0s", "2s") + 'direction = "down"\n'
    timeline = run_text(HEAD.format("6s") + OVER_LINK + down)
    answered_s = times_s(timeline, "signalling", "response")[0]
    assert answered_s == pytest.approx(REQUEST_S + 2.0 + 4 * LINK_S + 4 * HERE_S, abs=1e-6)
    assert len(times_s(timeline, "server", "http", method="POST")) == 1


def test_a_client_that_goes_before_its_connection_is_open_has_asked_nothing():
    # Two SYNs are lost, so the first connection would be open after 3 s.
    losing = HEAD.format("6s").replace('"20ms"', '"20ms"\nup.loss = { model = "scripted", drop = [1, 2] }')
    timeline = run_text(losing + OVER_LINK + '[client]\noffer_timeout = "1s"\n')
    failures = list(timeline.select("client", "offer_failed"))
    assert [e["error"] for e in failures] == ["ReadTimeout"]
    assert len(times_s(timeline, "client", "offer")) == 2
    assert len(times_s(timeline, "server", "http", method="POST")) == 1


# An offer is two segments, for which RFC 8985's probe comes after two round trips; for one it is the timeout.
@pytest.mark.parametrize(("path", "sooner_s"), [("", 0.0), (OVER_LINK, 0.24 - 0.08)])
def test_a_half_open_connection_dies_after_sixteen_minutes(path, sooner_s):
    first = '[[fault]]\nkind = "signalling"\nat = "0s"\nfor = "1s"\nhow = "status 503"\n'
    dead = '[[fault]]\nkind = "signalling"\nat = "1s"\nfor = "2s"\nhow = "half-open"\n'
    timeline = run_text(HEAD.format("970s") + path + first + dead)
    asked_s = times_s(timeline, "signalling", "request")[1]
    assert times_s(timeline, "signalling", "faulted", how="half-open") == [asked_s]
    died_s = times_s(timeline, "signalling", "faulted", how="connection dead")
    assert died_s == pytest.approx([asked_s + unanswered_s(2 * LINK_S) - sooner_s], abs=1e-6)
    failures = list(timeline.select("client", "offer_failed"))
    assert [e.data.get("error") for e in failures] == [None, "ReadError"]
    assert failures[1].t_s == pytest.approx(died_s[0] + HERE_S, abs=1e-6)
    assert len(times_s(timeline, "client", "answer")) == 1


def test_new_connections_are_none_of_a_half_open_faults():
    dead = '[[fault]]\nkind = "signalling"\nat = "0s"\nfor = "2s"\nhow = "half-open"\n'
    timeline = run_text(HEAD.format("3s") + dead)
    assert times_s(timeline, "signalling", "faulted") == []
    assert len(times_s(timeline, "client", "bot_ready")) == 1


def test_the_same_seed_gives_the_same_losses_and_another_seed_others():
    text = HEAD.format("3s") + 'loss = "30%"\n' + OVER_LINK
    assert answers_s(text, seed="5") == answers_s(text, seed="5")
    assert len({tuple(answers_s(text, seed=str(seed))) for seed in range(8)}) > 4


def fates(link, count=500):
    for number in range(count):
        link.receive(b"\xff" * 100, number * 0.01)
    return [packet.seq for packet in link.release(1e9)]


def test_segments_have_the_settings_of_packets_and_losses_of_their_own():
    text = HEAD.format("9s") + 'loss = "30%"\n'
    packets, segments = links(scenario(text)), signalling_links(scenario(text + OVER_LINK))
    assert signalling_links(scenario(text)) is None
    had, own = fates(packets[Direction.UP]), fates(segments[Direction.UP])
    assert had == fates(links(scenario(text + OVER_LINK))[Direction.UP])
    assert had != own
    # Of 500 with p = 0.3, 0.0001 % of all are further than 51 from 350.
    assert abs(len(own) - 350) <= 51


def test_what_is_about_packets_alone_is_nothing_for_segments():
    block = FAULT.format("block", "0s", "9s") + 'match = ["other"]\n'
    own = signalling_links(scenario(HEAD.format("9s") + 'mtu = "1000B"\n' + OVER_LINK + block))
    own[Direction.UP].receive(b"\xff" * 1472, 0.0)
    assert len(own[Direction.UP].release(1.0)) == 1
