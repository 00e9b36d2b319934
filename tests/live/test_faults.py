"""Faults of processes and addresses in real time, several in each of two sessions that run at once."""

import pytest

from simlab.study.metrics import metrics
from tests.live.together import run_together

pytestmark = pytest.mark.xdist_group("real")

HEAD = 'duration = "{}"\n[peers]\nmedia = []\n[link]\ndelay = "20ms"\n'
FAULT = '[[fault]]\nkind = "{}"\nat = "{}"\nfor = "{}"\n'
STILL = (
    HEAD.format("11s")
    + FAULT.format("server-freeze", "2s", "1.3s")
    + FAULT.format("client-freeze", "4s", "1.3s")
    + '[[fault]]\nkind = "rebind"\nat = "6s"\nwhat = "address"\n'
)
GONE = (
    HEAD.format("7s")
    + FAULT.format("server-restart", "0s", "1s")
    + FAULT.format("handover", "4.5s", "500ms")
    + '[[fault]]\nkind = "tab-closed"\nat = "5.5s"\n'
    + "[nat]\nshared = true\n"
)


@pytest.fixture(scope="module")
def timelines():
    return run_together({"still": STILL, "gone": GONE})


def times_s(timeline, source, kind, **fields):
    events = timeline.select(source, kind)
    return [e.t_s for e in events if all(e.data.get(name) == value for name, value in fields.items())]


def backs(timeline, from_s, to_s):
    """Return when each direction was back, in a stretch of time."""
    return {e["direction"]: e.t_s for e in timeline.select("probe", "back") if from_s <= e.t_s < to_s}


def test_both_run_to_their_end(timelines):
    assert [timeline.events[-1].kind for timeline in timelines.values()] == ["end", "end"]


@pytest.mark.parametrize(("thawed_s", "first"), [(3.3, "up"), (5.3, "down")])
def test_what_waits_for_a_frozen_process_is_there_when_it_thaws(timelines, thawed_s, first):
    back_s = backs(timelines["still"], thawed_s - 0.1, thawed_s + 0.7)
    assert sorted(back_s) == ["down", "up"]
    assert min(back_s, key=back_s.__getitem__) == first
    assert thawed_s <= back_s[first] < thawed_s + 0.2


def test_a_rebound_client_is_found_again_by_its_next_check(timelines):
    timeline = timelines["still"]
    back_s = backs(timeline, 6.0, 11.0)
    assert 6.0 < back_s["down"] < 6.0 + 2.5 + 1.0 + 0.3
    assert metrics(timeline)["attempts"]["offers"] == 1
    assert set(metrics(timeline)["links"]["down"]["dropped"]) == {"nat"}


def test_a_server_that_is_down_and_the_one_that_takes_its_place(timelines):
    timeline = timelines["gone"]
    (failed,) = timeline.select("client", "offer_failed")
    assert failed["error"] == "ReadError"
    assert failed.t_s < 1.0
    first, second = times_s(timeline, "client", "offer")
    assert second - failed.t_s == pytest.approx(2.0, abs=0.2)
    (ready_s,) = times_s(timeline, "client", "bot_ready")
    assert ready_s < second + 1.5
    assert first < 0.5


def test_nothing_passes_to_or_from_an_address_that_is_gone(timelines):
    timeline = timelines["gone"]
    links = metrics(timeline)["links"]
    assert set(links["down"]["dropped"]) == {"handover"}
    rates = [e for e in timeline.select("link.up", "rate") if e.t_s > 5.01]
    assert rates == []


def test_what_a_carriers_nat_does_not_let_in_is_in_no_link(timelines):
    # The server's checks of the candidate that only the carrier's network knows.
    timeline = timelines["gone"]
    lost = [event for event in timeline.select("link.down", "dropped") if event["cause"] == "nat"]
    assert {event["class"] for event in lost} == {"stun.request"}
    found = metrics(timeline)
    assert "nat" not in found["links"]["down"]["dropped"]
    assert found["beyond_links"] == {"dropped": {"nat": len(lost)}}


def test_a_closed_tab_says_nothing_any_more(timelines):
    timeline = timelines["gone"]
    assert [e for e in timeline.select("client") if e.t_s > 5.6] == []
    assert times_s(timeline, "server", "connection_closed") == []
    assert [e["fault"] for e in timeline.select("fault", "end")] == ["server-restart", "handover"]
