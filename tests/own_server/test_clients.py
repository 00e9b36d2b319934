"""A client as its author wrote it, in a session in virtual time."""

import pytest

from simlab.batch.peers import check_peers
from simlab.batch.session import run_scenario
from simlab.core.errors import InvalidInputError
from tests.needs import needs_pipecat
from tests.virtual.sessions import scenario

APP = "tests.apps.own_client"
CLEAN = 'name = "own"\nduration = "8s"\n[link]\ndelay = "20ms"\n[peers]\nclient = "{}"\n'


def judged(name="client", more="", **overrides):
    run = run_scenario(scenario(CLEAN.format(f"{APP}:{name}") + more, **overrides))
    assert run.failed is None, run.failed
    return run


@pytest.mark.parametrize("server", ["builtin", "pipecat", "tests.apps.aiohttp_bot:app"])
def test_it_meets_any_server_and_is_measured(server):
    if server != "builtin":
        needs_pipecat()
    found = judged(peers__server=server).metrics
    assert found["connect"]["bot_ready_s"] < 2
    assert found["violations"] == found["outages"] == []
    for way in ("up", "down"):
        assert found["messages"][way]["lost"] == 0
        assert found["messages"][way]["delivered"] > 50
        assert found["media"][way]["alive_at_end"]
        assert found["media"][way]["received"] > 250
    assert found["attempts"]["offers"] == found["server"]["connections_opened"] == 1


def test_it_comes_back_by_itself():
    blackout = '[[fault]]\nkind = "blackout"\nat = "3s"\nfor = "8s"\n'
    found = judged(more=blackout, duration="35s").metrics
    assert [outage["outcome"] for outage in found["outages"]] == ["reconnected"]
    assert found["attempts"]["recreations"] >= 1
    assert found["server"]["connections_opened"] >= 2


def test_the_same_session_again_is_the_same():
    first, second = (judged(duration="4s").timeline.to_text() for _ in range(2))
    assert first == second


def test_the_messages_of_simlab_are_not_given_to_it():
    run = judged("telling")
    (ended,) = run.timeline.select("client", "ended")
    assert ended["error"].startswith("LookupError: ['bot-ready'] (")
    assert run.metrics["messages"]["down"]["delivered"] > 20


def test_a_client_that_fails_is_an_event_and_not_the_end():
    run = judged("broken")
    (ended,) = run.timeline.select("client", "ended")
    assert ended["outcome"] == "raised"
    assert ended["error"].startswith("ZeroDivisionError: http://10.0.1.1:7860/api/offer (")
    assert "own_client.py" in ended["error"]
    assert run.timeline.events[-1].is_a("session", "end")
    assert f"At {ended.t_s:.1f} s the client's own function raised {ended['error']}." in run.account()


def test_a_client_that_lets_out_a_cancellation_has_ended_too():
    (ended,) = judged("cancelled").timeline.select("client", "ended")
    assert (ended.t_s, ended["outcome"]) == (1.0, "raised")
    assert ended["error"].startswith("CancelledError (")


def test_a_client_that_does_not_end_keeps_no_session_from_its_end():
    run = judged("stubborn")
    assert run.timeline.events[-1].is_a("session", "end")
    assert list(run.timeline.select("client", "ended")) == []


def test_a_client_may_insist_on_ice_servers():
    name = f"{APP}:wanting_servers"
    check_peers([scenario(CLEAN.format(name))])
    (ended,) = judged("wanting_servers").timeline.select("client", "ended")
    assert ended["error"].startswith("LookupError: [] (")


def test_a_client_may_be_over_before_the_session():
    run = judged("brief")
    (ended,) = run.timeline.select("client", "ended")
    assert (ended.t_s, ended["outcome"]) == (1.0, "returned")
    assert "At 1.0 s the client's own function returned." in run.account()


def test_several_of_them():
    found = judged(peers__clients="3", peers__media="[]").metrics
    assert found["storm"]["ready"] == 3


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (f"{APP}:without_url", "want an async function that takes the URL for offers"),
        (f"{APP}:not_async", "want an async function that takes the URL for offers"),
        (f"{APP}:nothing", "there is no nothing in tests.apps.own_client"),
        ("tests.apps.nowhere:client", "there is no module tests.apps.nowhere"),
    ],
)
def test_what_is_no_client_is_refused(name, why):
    with pytest.raises(InvalidInputError) as refused:
        check_peers([scenario(CLEAN.format(name))])
    assert list(refused.value.faults) == [f'own: peers.client is "{name}", {why}']


def test_a_policy_is_not_for_it():
    with pytest.raises(InvalidInputError, match="reconnects as it does itself"):
        check_peers([scenario(CLEAN.format(f"{APP}:client") + '[policy]\nname = "never"\n')])
