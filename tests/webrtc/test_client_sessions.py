"""What a profile says of the client and of its application, and what comes of it."""

import pytest

from simlab.study.metrics import metrics
from tests.virtual.sessions import run_text

CLEAN = """
duration = "12s"
[peers]
media = []
[link]
delay = "20ms"
"""


def action(at, do, **more):
    keys = "".join(f'{key} = "{value}"\n' for key, value in more.items())
    return f'[[action]]\nat = "{at}"\ndo = "{do}"\n{keys}'


def refusals(timeline):
    return [(event.t_s, event["do"], event["error"]) for event in timeline.select("client", "action_refused")]


def connects(timeline):
    return [(round(event.t_s), event["outcome"]) for event in timeline.select("client", "connect")]


def test_an_application_that_disconnects_and_connects_again_misses_nothing_meanwhile():
    timeline = run_text(CLEAN + action("4s", "disconnect") + action("8s", "connect"))
    measured = metrics(timeline)
    assert connects(timeline) == [(0, "resolved"), (8, "resolved")]
    assert measured["outages"] == measured["violations"] == []
    assert measured["messages"]["up"]["lost"] <= 1  # one that was under way
    assert measured["server"] == {"connections_opened": 2, "connections_open_at_end": 1, "bots_started": 2}


def test_an_outage_in_which_the_user_hangs_up_was_not_wanted_any_more():
    fault = '[[fault]]\nkind = "blackout"\nat = "2s"\nfor = "5s"\n'
    timeline = run_text(CLEAN + fault + action("4s", "disconnect") + action("8s", "connect"))
    (outage,) = metrics(timeline)["outages"]
    assert (outage["ended_s"], outage["recovered_s"], outage["outcome"]) == (4.0, None, "unwanted")


def test_an_application_that_connects_in_vain_does_miss_it():
    fault = '[[fault]]\nkind = "signalling"\nat = "7s"\nfor = "5s"\nhow = "status 404"\n'
    timeline = run_text(CLEAN + action("4s", "disconnect") + action("8s", "connect") + fault)
    assert connects(timeline) == [(0, "resolved"), (8, "rejected")]
    assert [round(outage["began_s"]) for outage in metrics(timeline)["outages"]] == [8]
    assert [outage["ended_s"] for outage in metrics(timeline)["outages"]] == [None]


def test_what_the_client_refuses_stands_in_the_timeline():
    late = action("3s", "connect") + action("4s", "send", size="256KiB") + action("6s", "disconnect")
    timeline = run_text(CLEAN + late + action("7s", "send") + action("8s", "request"))
    assert [(at_s, do) for at_s, do, _ in refusals(timeline)] == [
        (3.0, "connect"),
        (4.0, "send"),
        (7.0, "send"),
        (8.0, "request"),
    ]
    assert refusals(timeline)[1][2] == "Message data too large. Max size is 262144"


def test_a_request_is_answered_or_refused_after_10_s():
    dead = '[[fault]]\nkind = "blackout"\nat = "4s"\nfor = "19s"\n'
    text = (
        CLEAN.replace('"12s"', '"24s"')
        + action("3s", "request", size="10KiB")
        + action("5s", "request")
        + dead
    )
    responses = [
        (round(e.t_s), e["outcome"])
        for e in run_text(text, policy__name="never").select("client", "response")
    ]
    # The sweep that finds the second one comes every 2 s from the first request on.
    assert responses == [(3, "answered"), (15, "refused")]


def test_a_session_can_begin_at_the_start_endpoint():
    timeline = run_text(CLEAN, client__start="true")
    paths = [event["path"] for event in timeline.select("signalling", "request")]
    assert paths[0] == "/start"
    assert all(path.startswith("/sessions/") and path.endswith("/api/offer") for path in paths[1:])
    states = [event["state"] for event in timeline.select("client", "transport_state")]
    assert states[:3] == ["authenticating", "authenticated", "connecting"]


@pytest.mark.parametrize(
    ("how", "final"),
    [("status 503", "disconnected"), ("invalid-json", "disconnected"), ("refused", "disconnected")],
)
def test_a_start_that_fails_ends_the_session_in_its_state(how, final):
    fault = f'[[fault]]\nkind = "signalling"\nat = "0s"\nfor = "12s"\nhow = "{how}"\n'
    timeline = run_text(CLEAN + fault, client__start="true")
    assert timeline.events[-1].is_a("session", "end")
    assert metrics(timeline)["final_state"] == final
    assert list(timeline.select("client", "offer")) == []


@pytest.mark.parametrize("key", ["audio_codec", "video_codec"])
def test_an_unknown_codec_is_refused_by_the_server_with_500(key):
    timeline = run_text(CLEAN, **{f"client__{key}": "nothing"})
    assert connects(timeline) == [(8, "rejected")]
    failed = [event["status"] for event in timeline.select("client", "offer_failed")]
    assert failed == [500] * 4
    assert metrics(timeline)["server"]["connections_open_at_end"] == 0


def test_a_codec_that_both_know_is_heard():
    measured = metrics(run_text(CLEAN, peers__media='["audio"]', client__audio_codec="PCMU"))
    assert all(way["alive_at_end"] for way in measured["media"].values())
    assert measured["outages"] == []


def test_an_offer_has_a_time_limit_where_one_is_set():
    fault = '[[fault]]\nkind = "signalling"\nat = "0s"\nfor = "12s"\nhow = "hang"\n'
    timeline = run_text(CLEAN + fault, client__offer_timeout="1s")
    offers_s = [event.t_s for event in timeline.select("client", "offer")]
    assert offers_s == pytest.approx([0, 3, 6, 9], abs=0.1)
    assert [event["error"] for event in timeline.select("client", "offer_failed")] == ["ReadTimeout"] * 4


def test_malformed_ice_servers_are_the_connections_error():
    servers = action("3s", "disconnect") + '[[action]]\nat = "4s"\ndo = "set-ice-servers"\nurls = ["turn:"]\n'
    timeline = run_text(CLEAN + servers + action("5s", "connect"))
    assert connects(timeline) == [(0, "resolved"), (5, "rejected")]
    [(_, do, error)] = refusals(timeline)
    assert (do, error) == ("connect", "ICE server 'turn:': malformed uri")


@pytest.mark.parametrize("leaves", ["true", "false"])
def test_a_bot_that_ends_the_call_is_followed_unless_it_shall_not(leaves):
    keys = {"client__disconnect_on_bot_disconnect": leaves, "policy__name": "never"}
    timeline = run_text(CLEAN + '[bot]\nends_after = "4s"\n', peers__media='["audio"]', **keys)
    assert metrics(timeline)["final_state"] == ("disconnected" if leaves == "true" else "ready")
    told = [event["name"] for event in timeline.select("client", "callback")]
    assert "bot_disconnected" in told
