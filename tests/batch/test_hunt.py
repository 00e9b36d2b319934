"""Fault schedules that break an invariant are found, and become as simple as they can."""

import json

import pytest

import simlab
from simlab.batch.executors import Here
from simlab.batch.hunt import Hunt, plan
from simlab.batch.hunt_folder import save_hunt
from simlab.batch.hunt_search import Search
from simlab.batch.scenarios import Wanted
from simlab.batch.session import run_scenario
from simlab.batch.shrinking import Shrinking
from simlab.core.errors import InvalidInputError
from simlab.profile import Scenario, load
from simlab.profile.sparse import sparse
from tests.needs import needs_pipecat

DEAD = "ready-but-dead"
NOISY = """
name = "noisy"
duration = "20s"
seed = 5
[peers]
media = []
[link]
delay = "30ms"
loss = "1%"
[[fault]]
kind = "signalling"
at = "1s"
for = "3s"
how = "slow 3s"
[[fault]]
kind = "handover"
at = "3.1s"
for = "300ms"
[[fault]]
kind = "inject"
at = "10.2s"
what = "stun-truncated"
"""


def shrunk(text: str, invariant: str, most: int = 200, at_once: int = 1) -> Shrinking:
    shrinking = Shrinking(sparse(load(text, "x.toml")), invariant, most, at_once)
    for _ in shrinking.run(Here()):
        pass
    return shrinking


def test_what_does_not_matter_goes_and_what_matters_stays():
    shrinking = shrunk(NOISY, DEAD)
    assert shrinking.is_over
    assert shrinking.tables == {
        "name": "noisy",
        "duration": "12s",
        "peers": {"media": []},
        "fault": [{"kind": "handover", "at": "1s", "for": "100ms"}],
    }


def test_what_is_known_of_a_profile_is_not_run_again():
    class Refusing(Here):
        def submit(self, sessions):
            assert list(sessions) == []

    known: dict[str, frozenset[str]] = {}
    first, again = (Shrinking(sparse(load(NOISY, "x.toml")), DEAD, 6, known=known) for _ in range(2))
    list(first.run(Here()))
    list(again.run(Refusing()))
    assert again.tables == first.tables
    assert again.tried == first.tried == 6


def test_it_does_not_depend_on_how_many_run_at_once():
    one, three = (shrunk(NOISY, DEAD, at_once=number) for number in (1, 3))
    assert (three.tables, three.tried) == (one.tables, one.tried)


def test_after_so_many_tries_it_stops_with_what_it_has():
    shrinking = shrunk(NOISY, DEAD, most=4)
    assert (shrinking.tried, shrinking.is_over) == (4, False)
    assert [fault["kind"] for fault in shrinking.tables["fault"]] == ["handover"]


def test_a_finding_of_each_policy_and_what_broke_it(tmp_path):
    overrides = {"duration": "20s", "peers.media": "[]"}
    wanted = Wanted(["clean"], ("pipecat", "livekit"), 1, 5, overrides=overrides)
    search = Search.of(Hunt(wanted, kinds=["handover"], most_faults=1))
    search.run(Here())
    findings = search.findings(1)
    assert [(one.policy, one.invariant, one.seeds, one.of) for one in findings] == [
        ("pipecat", DEAD, [1, 3, 4, 5], 5),
        ("livekit", DEAD, [1, 2, 3, 4, 5], 5),
    ]
    found = save_hunt(search, findings[:1], tmp_path, again=True)
    (path,) = tmp_path.glob("*-hunt-clean/ready-but-dead-pipecat.toml")
    assert found[0].path == path
    assert found[0].detail.startswith("the transport said ready from 9.3 s")
    saved = load(path.read_text(), str(path))
    assert (saved.name, saved.description) == ("clean-ready-but-dead", found[0].detail)
    assert found[0].run.folder.match("*-clean-ready-but-dead-pipecat-s1")
    again = run_scenario(Scenario.of(saved))
    assert [one["invariant"] for one in again.metrics["violations"]] == [DEAD]
    assert [one["held"] for one in again.metrics["expectations"]] == [False]


def test_a_search_for_other_invariants_leaves_out_what_was_broken():
    wanted = Wanted(["clean"], seed=5, overrides={"duration": "20s", "peers.media": "[]"})
    search = Search.of(Hunt(wanted, kinds=["handover"], invariants=["connect-undecided"], most_faults=1))
    search.run(Here())
    assert search.outcomes[0].session["violated"] == DEAD
    assert search.findings(1) == []


def test_all_policies_meet_the_same_faults():
    search = Search.of(Hunt(Wanted(["clean"], ("pipecat", "never"), 3, 5)))
    of = {
        policy: [one.scenario.profile.faults for one in search.sessions if one.labels["policy"] == policy]
        for policy in ("pipecat", "never")
    }
    assert of["pipecat"] == of["never"]
    assert len(set(of["never"])) == 5


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kinds": ["blackuot"]}, '--kind is "blackuot", did you mean "blackout"?'),
        ({"invariants": ["dead"]}, '--invariant is "dead", want one of'),
    ],
)
def test_unknown_names_are_told(given, told):
    with pytest.raises(InvalidInputError, match=told):
        Hunt(Wanted(["clean"]), **given)


def test_a_hunt_in_real_time_is_refused():
    with pytest.raises(InvalidInputError, match="a hunt wants the virtual clock"):
        plan(Hunt(Wanted(["clean"], clock="real")))


def test_a_policy_twice_is_refused():
    with pytest.raises(InvalidInputError, match="--policy never: is given twice: want it once"):
        plan(Hunt(Wanted(["clean"], ("never", "never"))))


def test_kinds_that_a_server_cannot_have_are_not_drawn():
    needs_pipecat()
    wanted = Wanted(["clean"], seeds=60, overrides={"peers.server": "tests.apps.plain_asgi:app"})
    kinds = {fault.kind for one in plan(Hunt(wanted)) for fault in one.scenario.profile.faults}
    assert "server-restart" in kinds
    assert "server-exhausted" not in kinds


def test_nothing_is_left_of_what_the_profile_says_of_itself():
    search = Search.of(Hunt(Wanted(["holes/c1-microphone"]), most_faults=1))
    search.run(Here())
    (finding,) = search.findings(1)
    assert not {"description", "source", "evidence", "expect"} & set(finding.shrinking.tables)


HUNT = {
    "seeds": 5,
    "kinds": "handover",
    "faults": 1,
    "jobs": 1,
    "set": {"duration": "20s", "peers.media": []},
}


def test_from_python(tmp_path):
    hunted = simlab.hunt("clean", **HUNT)
    (found,) = hunted.findings
    assert (found.finding.policy, found.finding.invariant, found.path, hunted.folder) == (
        "pipecat",
        DEAD,
        None,
        None,
    )
    assert repr(hunted) == f"<Hunted in 5 sessions: pipecat breaks {DEAD}>"
    assert [one["invariant"] for one in found.run.metrics["violations"]] == [DEAD]
    saved = simlab.hunt("clean", **HUNT, out=tmp_path)
    assert saved.findings[0].path.read_text() == found.toml
    assert saved.json()["findings"][0] == saved.frame().rows(named=True)[0] | {
        key: saved.json()["findings"][0][key] for key in ("seeds", "faults")
    }
    assert saved.json() == json.loads((saved.folder / "hunt.json").read_text())


def test_two_hunts_are_equal_if_they_found_the_same_wherever_it_is_saved(tmp_path):
    few = {**HUNT, "seeds": 2, "seed": 3}
    first, again = simlab.hunt("clean", **few), simlab.hunt("clean", **{**few, "jobs": 2}, out=tmp_path)
    assert len(first.findings) == 1
    assert first == again
    assert first.findings == again.findings
    assert len({first, again}) == len({*first.findings, *again.findings}) == 1
    fewer = simlab.hunt("clean", **{**few, "seeds": 1})
    assert first != fewer
    assert first != "another"


def test_from_python_where_nothing_is_broken():
    hunted = simlab.hunt("clean", **{**HUNT, "seeds": 1, "invariants": "connect-undecided"})
    assert (list(hunted.findings), hunted.failures, hunted.frame().height) == ([], [], 0)
    assert repr(hunted) == "<Hunted in 1 session: nothing was broken>"


def test_from_python_what_is_over_is_told_while_findings_become_simpler():
    told = []
    few = {"seeds": 6, "jobs": 1, "set": {"duration": "60s"}, "policies": "livekit"}
    hunted = simlab.hunt("clean", **few, watch=lambda over, of: told.append((over, of)))
    (tried,) = (one.finding.shrinking.tried for one in hunted.findings)
    searched = [(over, 6) for over in range(1, 7)]
    assert tried == 38
    assert told == [*searched, *((6 + n, 206) for n in range(1, 39)), (44, 44)]
