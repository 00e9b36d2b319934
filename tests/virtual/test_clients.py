"""Several clients against one server, in one virtual session."""

from collections import Counter

import pytest

from simlab.core.errors import InvalidInputError
from simlab.core.timeline import Timeline
from simlab.study.crowd import by_client
from simlab.study.metrics import metrics
from simlab.virtual.code import run_code
from tests.virtual.sessions import run_text, scenario

FEW = """
duration = "20s"
[peers]
clients = 3
media = []
[server.behaviour]
start_bot_for_unknown_id = false
[link]
delay = "20ms"
jitter = "5ms"
"""
RESTART = FEW + '[[fault]]\nkind = "server-restart"\nat = "5s"\nfor = "1s"\n'


@pytest.fixture(scope="module")
def restarted():
    return run_text(RESTART)


def test_each_event_says_of_which_client_it_is(restarted):
    whose = {"client", "policy", "server", "signalling", "probe", "link.up", "link.down"}
    assert {event.source for event in restarted.events} == whose | {"session", "fault"}
    for event in restarted.events:
        assert ("client_id" in event.data) == (event.source in whose)


def test_each_client_meets_the_server_by_itself(restarted):
    opened = Counter(e["client_id"] for e in restarted.select("server", "connection_opened"))
    assert opened == {1: 2, 2: 2, 3: 2}
    found = metrics(restarted)
    assert found["storm"]["saved"] == found["storm"]["ready"] == 3
    for one in found["clients"]:
        assert [outage["outcome"] for outage in one["outages"]] == ["reconnected"]
        assert one["messages"]["down"]["delivered"] > 60


def test_probes_are_counted_for_the_client_that_sent_them(restarted):
    for one in metrics(restarted)["clients"]:
        up = one["messages"]["up"]
        assert 0 < up["delivered"] <= up["sent"] <= 200


def test_the_same_scenario_gives_the_same_bytes(restarted):
    assert run_text(RESTART).to_text() == restarted.to_text()


def test_the_luck_of_a_client_is_its_own():
    lossy = FEW.replace('jitter = "5ms"', 'loss = "10%"')
    clients = by_client(run_text(lossy))
    lost = {number: [e["seq"] for e in one.select("link.up", "dropped")] for number, one in clients.items()}
    assert all(lost.values())
    assert len({tuple(seqs) for seqs in lost.values()}) == 3


def test_a_client_that_is_alone_has_no_number():
    alone = run_text(FEW, peers__clients="1")
    assert "clients" not in alone.header
    assert not any("client_id" in event.data for event in alone.events)


def test_clients_come_when_they_are_to():
    few = run_text(FEW, peers__arriving="10s")
    first_s = [next(one.select("client")).t_s for one in by_client(few).values()]
    assert len(set(first_s)) == 3
    assert all(0 < t_s < 10 for t_s in first_s)


def test_each_has_a_nat_of_its_own():
    found = run_text(FEW + '[nat]\nmapping = "address-and-port-dependent"\n')
    assert metrics(found)["storm"]["ready"] == 3


def test_all_are_behind_one_nat():
    found = run_text(FEW + "[nat]\nshared = true\npreserve_port = false\n")
    assert metrics(found)["storm"]["ready"] == 3


def test_what_their_nat_does_not_let_in_is_of_none_of_them():
    blackout = '[[fault]]\nkind = "blackout"\nat = "3s"\nfor = "5s"\ndirection = "up"\n'
    found = run_text(FEW + '[nat]\nshared = true\ntimeout = "4s"\n' + blackout)
    lost = [event for event in found.select("link.down", "dropped") if event["cause"] == "nat"]
    assert lost
    numbers = metrics(found)
    assert numbers["beyond_links"] == {"dropped": {"nat": len(lost)}}
    assert not any("beyond_links" in one for one in numbers["clients"])


def test_each_has_an_allocation_of_its_own():
    found = run_text(FEW + '[nat]\nshared = true\n[ice]\npolicy = "relay"\n', duration="8s")
    assert metrics(found)["storm"]["ready"] == 3
    relayed = [event["relayed"] for event in found.select("ice-server", "allocated")]
    assert len(relayed) == len(set(relayed)) == 3


def test_a_handover_moves_all_of_them():
    found = run_text(FEW + '[[fault]]\nkind = "handover"\nat = "5s"\nfor = "500ms"\n', duration="40s")
    assert metrics(found)["storm"]["saved"] == 3


@pytest.mark.parametrize("server", ["pipecat", "tests.apps.aiohttp_bot:app"])
def test_any_server_has_several_clients(server):
    pytest.importorskip("pipecat")
    pytest.importorskip("uvicorn")
    found = metrics(run_text(FEW, peers__server=server, peers__media='["audio"]', duration="8s"))
    for one in found["clients"]:
        assert one["server"]["connections_opened"] == 1
        assert one["messages"]["up"]["delivered"] > 50
        assert one["media"]["up"]["received"] > 200


def test_a_tab_that_is_closed_is_closed_for_all():
    found = run_text(FEW + '[[fault]]\nkind = "tab-closed"\nat = "10s"\n')
    assert max(e.t_s for e in found.select("client", "offer")) < 10


def test_a_test_in_the_simulation_is_the_only_client():
    async def code(place):
        raise AssertionError(place)

    with pytest.raises(InvalidInputError, match="clients is 3, want 1"):
        run_code(scenario(FEW), code)


def test_the_timeline_of_each_client_reads_like_one_that_is_alone(restarted):
    clients = by_client(restarted)
    assert sorted(clients) == [1, 2, 3]
    for one in clients.values():
        assert "clients" not in one.header
        assert one.events[0].is_a("session", "begin")
        assert one.events[-1].is_a("session", "end")
        assert len(list(one.select("fault"))) == 2
    of_clients = sum(len([e for e in one.events if "client_id" in e.data]) for one in clients.values())
    assert of_clients + 4 == len(restarted.events)
    assert Timeline.from_text(restarted.to_text()) == restarted
