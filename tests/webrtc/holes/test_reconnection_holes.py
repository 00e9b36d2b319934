"""Each hole of the reconnection: its profile shows it, and does not where it is mended, or everything is."""

from functools import cache
from pathlib import Path

import pytest

from simlab.study.metrics import metrics
from tests.virtual.sessions import run_text

HOLES = Path(__file__).parents[3] / "profiles" / "holes"
BEGAN_S = 5.0


@cache
def session(name, switch=None):
    """Return the timeline of a hole's profile: as it stands, or with a switch mended, or with ``fixed``."""
    text = (HOLES / f"{name}.toml").read_text()
    if switch is None:
        return run_text(text)
    key = "client__preset" if switch == "fixed" else f"client__behaviour__{switch}"
    return run_text(text, **{key: "fixed" if switch == "fixed" else "false"})


def mends(*switches):
    return pytest.mark.parametrize("switch", [*switches, "fixed"])


def attempts_s(timeline):
    return [round(e.t_s - BEGAN_S, 1) for e in timeline.select("policy", "attempt")]


def ends(timeline):
    """Return the outcome of each outage."""
    return [outage["outcome"] for outage in metrics(timeline)["outages"]]


@mends("wait_for_answer_for_ever")
def test_c2_an_offer_that_hangs_is_the_last_one(switch):
    hole, mended = session("c2"), session("c2", switch)
    assert (len(attempts_s(hole)), ends(hole)) == (1, ["open"])
    assert metrics(hole)["final_state"] == "ready"
    first_s, second_s = attempts_s(mended)[:2]
    assert first_s == attempts_s(hole)[0]
    assert second_s - first_s == pytest.approx(12.0, abs=0.11)  # 10 s, and 2 s until the retry
    assert ends(mended) == ["reconnected"]


@mends("reset_attempts_by_answer")
def test_c5_offers_that_are_answered_go_on_for_ever(switch):
    hole, mended = session("c5"), session("c5", switch)
    assert len(attempts_s(hole)) == 6
    assert metrics(hole)["final_state"] == "ready"
    assert len(attempts_s(mended)) == 3
    assert metrics(mended)["final_state"] == "error"
    assert [e["number"] for e in hole.select("policy", "attempt")] == [1] * 6
    assert [e["number"] for e in mended.select("policy", "attempt")] == [1, 2, 3]


@mends("keep_grace_after_recovery")
def test_c6_the_second_loss_ends_in_the_grace_of_the_first(switch):
    hole, mended = session("c6"), session("c6", switch)
    states = [e["state"] for e in mended.select("client", "liveness")]
    assert states.count("disconnected") == 2
    [first, *_] = [e.t_s for e in hole.select("policy", "trigger")]
    assert [e.t_s for e in hole.select("policy", "attempt")] == [pytest.approx(first + 5.0)]
    assert attempts_s(mended) == []
    assert set(ends(mended)) == {"self_healed"}


@mends("keep_retry_after_giving_up")
def test_c8_a_retry_outlasts_giving_up(switch):
    hole, mended = session("c8"), session("c8", switch)
    [gave_up] = hole.select("policy", "give_up")
    after_s = [e.t_s - gave_up.t_s for e in hole.select("policy", "attempt") if e.t_s > gave_up.t_s]
    assert after_s == [pytest.approx(1.0336, abs=0.001)]
    assert metrics(hole)["server"]["bots_started"] == 2
    assert metrics(hole)["final_state"] == "error"
    assert list(mended.select("policy", "give_up")) == []
    assert metrics(mended)["server"]["bots_started"] == 1
    assert (metrics(mended)["final_state"], ends(mended)) == ("ready", ["reconnected"])


@mends("close_old_after_failed_offer")
def test_c9_the_old_connection_cannot_heal_any_more(switch):
    hole, mended = session("c9"), session("c9", switch)
    assert (metrics(hole)["final_state"], ends(hole)) == ("error", ["gave_up"])
    assert (metrics(mended)["final_state"], ends(mended)) == ("ready", ["reconnected"])
    assert len(list(mended.select("policy", "abandon"))) == 1
    assert metrics(mended)["server"]["connections_opened"] == 1
    assert metrics(mended)["outages"][0]["recovered_s"] < 16.0


@mends("transient_refusal_is_final")
def test_c12_a_busy_moment_is_the_end(switch):
    hole, mended = session("c12"), session("c12", switch)
    assert [e["status"] for e in hole.select("policy", "give_up")] == [429]
    assert (metrics(hole)["final_state"], ends(hole)) == ("error", ["gave_up"])
    assert (metrics(mended)["final_state"], ends(mended)) == ("ready", ["reconnected"])
    assert len(attempts_s(mended)) == 2


REFUSED = """
duration = "30s"
[peers]
media = []
[client]
preset = "{preset}"
[[fault]]
kind = "blackout"
at = "5s"
for = "20s"
[[fault]]
kind = "signalling"
at = "5s"
for = "20s"
how = "status {status}"
"""


def test_1_10_6_retries_a_refusal_and_stays_ready_when_it_gives_up():
    old = run_text(REFUSED.format(preset="pipecat-1.10.6", status=404))
    assert len(attempts_s(old)) == 3
    assert [e["cause"] for e in old.select("policy", "give_up")] == ["attempts exhausted"]
    assert metrics(old)["final_state"] == "ready"
    new = run_text(REFUSED.format(preset="pipecat-1.10.8", status=404))
    assert len(attempts_s(new)) == 1
    assert metrics(new)["final_state"] == "error"
