"""What was measured of Pipecat's client 1.10.8 and server 1.14.0, reproduced in virtual time."""

import itertools

import pytest

from simlab.study.invariants import violations
from simlab.study.metrics import metrics
from tests.virtual.sessions import run_text

DEAD = """
duration = "80s"
[peers]
media = []
[link]
delay = "20ms"
[[fault]]
kind = "blackout"
at = "4s"
for = "70s"
"""
HEALED = DEAD.replace('"80s"', '"45s"').replace('"70s"', '"16s"').replace("[]", '["audio"]')


def signalling(how, lasts="70s", at="4s"):
    return f'[[fault]]\nkind = "signalling"\nat = "{at}"\nfor = "{lasts}"\nhow = "{how}"\n'


def times_s(timeline, source, kind, **fields):
    events = timeline.select(source, kind)
    return [e.t_s for e in events if all(e.data.get(name) == value for name, value in fields.items())]


def test_udp_dead_and_http_alive_goes_on_for_ever():
    # Hole C5, measured in Chromium: a POST every 20.1 to 20.4 s, and the state stays `ready`.
    timeline = run_text(DEAD)
    offers_s = times_s(timeline, "client", "offer")[1:]
    assert len(offers_s) == 4
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(offers_s)]
    assert all(20.0 <= gap_s <= 20.4 for gap_s in gaps_s)
    assert metrics(timeline)["final_state"] == "ready"


@pytest.mark.parametrize("how", ["refused", "reset", "status 503"])
def test_offers_that_fail_fast_are_made_three_times_two_seconds_apart(how):
    timeline = run_text(DEAD + signalling(how))
    offers_s = times_s(timeline, "client", "offer")[1:]
    assert [at_s - offers_s[0] for at_s in offers_s] == pytest.approx([0.0, 2.0, 4.0], abs=0.1)
    [error_s] = times_s(timeline, "client", "transport_state", state="error")
    assert error_s - offers_s[0] == pytest.approx(6.0, abs=0.2)


def test_a_hanging_offer_is_the_last_one():
    # Hole C2.
    timeline = run_text(DEAD + signalling("hang"))
    assert len(times_s(timeline, "client", "offer")) == 2
    assert metrics(timeline)["final_state"] == "ready"


@pytest.mark.parametrize("status", [400, 404, 429])
def test_a_4xx_is_final(status):
    # Hole C12.
    timeline = run_text(DEAD + signalling(f"status {status}"))
    assert len(times_s(timeline, "client", "offer")) == 2
    assert metrics(timeline)["final_state"] == "error"
    assert times_s(timeline, "policy", "give_up", status=status)


def test_a_first_connect_that_fails_fast_makes_four_offers_and_rejects():
    timeline = run_text('duration = "20s"\n' + signalling("status 500", lasts="20s", at="0s"))
    assert times_s(timeline, "client", "offer") == pytest.approx([0.0, 2.0, 4.0, 6.0], abs=0.1)
    [rejected_s] = times_s(timeline, "client", "connect", outcome="rejected")
    assert rejected_s == pytest.approx(8.05, abs=0.1)
    states = [e["state"] for e in timeline.select("client", "transport_state")]
    assert states[:3] == ["initializing", "initialized", "connecting"]
    assert states[3:] == ["error", "disconnecting", "disconnected"]


def test_a_first_connect_without_udp_is_never_decided():
    blocked = '[[fault]]\nkind = "blackout"\nat = "0s"\nfor = "99s"\n'
    timeline = run_text('duration = "100s"\n' + blocked)
    offers_s = times_s(timeline, "client", "offer")
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(offers_s)]
    assert len(gaps_s) == 4
    assert all(20.0 <= gap_s <= 20.4 for gap_s in gaps_s)
    assert times_s(timeline, "client", "connect") == []


def test_after_the_heal_the_servers_next_check_decides():
    # Its checks go out 0, 0.5, 1.5, 3.5, 7.5, 15.5 s after its answer.
    timeline = run_text(HEALED)
    answered_s = times_s(timeline, "client", "answer")[1]
    completed_s = [e.t_s for e in timeline.select("server", "ice_state") if e["state"] == "completed"][1]
    assert completed_s - answered_s == pytest.approx(7.5, abs=0.15)


def test_the_microphone_survives_where_it_is_not_shared_to_death():
    default = {v.invariant for v in violations(run_text(HEALED))}
    mended = run_text(HEALED, client__behaviour__stop_shared_tracks="false")
    assert "microphone-dead-after-recovery" in default
    assert "microphone-dead-after-recovery" not in {v.invariant for v in violations(mended)}
    assert metrics(mended)["media"]["up"]["alive_at_end"]


def test_both_ways_survive_where_neither_fault_is_there():
    mended = run_text(
        HEALED,
        client__behaviour__stop_shared_tracks="false",
        client__behaviour__drop_new_remote_tracks="false",
    )
    assert violations(mended) == ()
    assert [outage["outcome"] for outage in metrics(mended)["outages"]] == ["reconnected"]


def test_the_candidates_of_a_new_connection_go_out_under_the_old_name():
    # Hole C11: while the offer waits longer than the 200 ms in which candidates are collected.
    timeline = run_text(HEALED + signalling("slow 1s", lasts="40s"))
    first, second = (e["pc_id"] for e in timeline.select("client", "answer"))
    assert [e["pc_id"] for e in timeline.select("client", "trickle") if e["connection"] == 2] == [first]
    assert first != second


def test_a_lost_response_leaves_a_second_connection_at_the_server():
    # The answer is lost after the server has restarted; the retry finds it under its old name.
    timeline = run_text(HEALED + signalling("lost-response", lasts="12s"))
    assert metrics(timeline)["server"]["connections_opened"] == 3
    assert metrics(timeline)["server"]["bots_started"] == 1


def test_the_bot_is_not_told_twice_that_the_client_is_ready():
    # Hole C10: neither side repeats the handshake after a reconnection.
    timeline = run_text(HEALED)
    assert len(times_s(timeline, "client", "bot_ready")) == 1
    assert len(times_s(timeline, "client", "callback", name="connected")) == 1


def test_the_server_gives_up_a_connection_that_never_connects_after_a_minute():
    timeline = run_text(DEAD)
    watchdogs = [e for e in timeline.select("server", "connection_closed") if e["reason"] == "watchdog"]
    assert watchdogs == []  # every restart comes before the minute is over
    never = run_text(DEAD, policy__name="never")
    assert metrics(never)["attempts"]["offers"] == 1


def test_the_server_notices_a_dead_path_by_its_consent_checks():
    # Measured: 26.6 to 34.0 s after the loss (n = 24); possible: 23.0 to 39.0 s.
    closed_s = []
    for seed in range(5):
        timeline = run_text(DEAD, policy__name="never", seed=str(seed))
        closed = [e for e in timeline.select("server", "connection_closed") if e["reason"] == "closed"]
        closed_s.append(closed[0].t_s - 4.0)
    assert all(23.0 <= at_s <= 39.0 for at_s in closed_s)


def test_a_browser_sends_nothing_while_ice_is_disconnected():
    # Measured in Chromium: pings stop with `disconnected`, though all but checks would pass.
    stunless = DEAD.replace('kind = "blackout"', 'kind = "block"\nmatch = ["stun"]')
    timeline = run_text(stunless, policy__name="never")
    [disconnected_s] = times_s(timeline, "client", "liveness", state="disconnected")
    [lost] = [e for e in timeline.select("probe", "lost") if e["direction"] == "up"]
    assert lost["since_s"] == pytest.approx(disconnected_s, abs=0.15)  # 100 ms apart, 20 ms on the way
