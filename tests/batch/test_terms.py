"""``--set policy.KEY`` and ``--vary policy.KEY`` change every policy that is named, or are refused."""

import tomllib
from dataclasses import replace

import pytest

import simlab
from simlab.batch import branches
from simlab.batch.hunt import Hunt
from simlab.batch.hunt import plan as plan_hunt
from simlab.batch.plan import Matrix, plan
from simlab.batch.planning import plan as plan_night
from simlab.batch.planning import read_suite
from simlab.batch.scenarios import Wanted, scenarios
from simlab.core.errors import InvalidInputError
from simlab.profile.policy import PolicyKeys
from simlab.webrtc.policies import rules_of_scenario

DEAD = """
duration = "30s"
[peers]
media = []
[[fault]]
kind = "blackout"
at = "3s"
for = "22s"
[[fault]]
kind = "signalling"
at = "3s"
for = "22s"
how = "refused"
"""
NOTE = "{key} changes nothing in the policy livekit, which stays as it is: delays goes before it"
NAMES = ("pipecat", "pipecat-fixed", "aws-full-jitter")


@pytest.fixture
def dead(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "dead.toml"
    file.write_text(DEAD)
    return str(file)


def limits(found):
    return [rules_of_scenario(one).terms.max_attempts for one in found]


def faults_of(call):
    with pytest.raises(InvalidInputError) as caught:
        call()
    return list(caught.value.faults)


def test_a_term_is_that_of_every_policy_that_is_named(dead, tmp_path):
    (tmp_path / "mine.toml").write_text('base = "livekit"\ngrace = "2s"\nmax_attempts = 4\n')
    wanted = Wanted([dead], [*NAMES, "mine.toml"], overrides={"policy.max_attempts": "7"})
    assert limits(scenarios(wanted)) == [7, 7, 7, 7]
    assert limits(scenarios(replace(wanted, overrides={}))) == [3, 3, 10, 4]
    assert [one.profile.policy.grace_s for one in scenarios(wanted)] == [None, None, None, 2.0]
    cells = plan(Matrix(replace(wanted, overrides={}), {"policy.max_attempts": ["1", "2"]})).cells
    assert [cell.profile.policy.max_attempts for cell in cells] == [1] * 4 + [2] * 4
    hunted = plan_hunt(Hunt(wanted))
    assert limits(session.scenario for session in hunted) == [7, 7, 7, 7]


def test_what_the_profile_says_of_its_own_policy_stays_below(dead, tmp_path):
    (tmp_path / "own.toml").write_text(DEAD + '[policy]\ngrace = "1s"\nmax_attempts = 9\n')
    found = scenarios(Wanted(["own.toml"], ["pipecat", "livekit"], overrides={"policy.max_attempts": "7"}))
    assert [(one.profile.policy.grace_s, one.profile.policy.max_attempts) for one in found] == [
        (1.0, 7),
        (None, 7),
    ]


def test_a_term_of_a_class_in_python(dead, tmp_path, monkeypatch):
    (tmp_path / "given_terms.py").write_text(
        "from simlab.reconnect.rules import Rules\nclass Mine(Rules):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    overrides = {"policy.max_attempts": "7", "policy.jitter_share": "10%"}
    (found,) = scenarios(Wanted([dead], ["given_terms:Mine"], overrides=overrides))
    assert rules_of_scenario(found).terms.max_attempts == 7


def test_a_night_lays_it_over_its_policies(dead, tmp_path):
    suite = (
        '[[sweep]]\nname = "one"\nprofiles = ["dead.toml"]\npolicies = ["pipecat", "livekit"]\nseeds = 1\n'
    )
    (tmp_path / "suite.toml").write_text(suite + 'set = { "policy.max_attempts" = 5 }\n')
    (sweep,) = plan_night(read_suite("suite.toml"), "suite.toml", 1, {"policy.answer_timeout": "4s"})
    keys = [cell.profile.policy for cell in sweep.plan.cells]
    assert [(one.max_attempts, one.answer_timeout_s) for one in keys] == [(5, 4.0), (5, 4.0)]
    (sweep,) = plan_night(read_suite("suite.toml"), "suite.toml", 1, {"policy.retry_delay": "1s"})
    assert sweep.plan.notes == [NOTE.format(key="policy.retry_delay")]
    (tmp_path / "suite.toml").write_text(suite.replace('"pipecat", ', ""))
    night = faults_of(
        lambda: plan_night(read_suite("suite.toml"), "suite.toml", 1, {"policy.retry_delay": "1s"})
    )
    told = "policy.retry_delay: changes nothing in the policy livekit, since delays goes before it"
    assert night == [f"suite.toml: sweep[0]: --set {told}"]


def test_python_names_its_own_argument(dead):
    told = "changes nothing in the policy livekit, since delays goes before it"
    named, alone = {"policies": ["pipecat", "livekit"]}, {"policies": ["livekit"]}
    assert faults_of(lambda: simlab.sweep(dead, **alone, set={"policy.factor": 2})) == [
        f"set policy.factor: {told}"
    ]
    assert faults_of(lambda: simlab.sweep(dead, **named, vary={"policy.factor": [2]})) == [
        f"vary policy.factor: {told}: each value would count its sessions again"
    ]
    assert faults_of(lambda: simlab.hunt(dead, **alone, set={"policy.factor": 2})) == [
        f"set policy.factor: {told}"
    ]
    run = simlab.run(dead, policy="livekit", set={"policy.max_attempts": 1})
    assert run.metrics["attempts"]["offers"] == 2


def test_a_policy_is_named_in_one_way(dead):
    for key, value in {"policy.name": "never", "policy.base": "never", "policy": "{grace = '1s'}"}.items():
        wanted = Wanted([dead], ["pipecat"], overrides={key: value})
        told = f"--set {key}: --policy says which policy it is, want one of the two"
        assert faults_of(lambda wanted=wanted: scenarios(wanted)) == [told]
    (found,) = scenarios(Wanted([dead], overrides={"policy.name": "never"}))
    assert found.policy_name == "never"


def test_what_is_wrong_with_a_term_is_told_once_and_with_all_else(dead):
    overrides = {"policy.grase": "1s", "policy.max_attempts": "-1", "link.loss": "200%"}
    wanted = Wanted([dead], ["pipecat", "livekit", "livekt"], overrides=overrides)
    found = faults_of(lambda: plan(Matrix(wanted, {"policy.jitter": ["full", "soft"]})))
    assert found == [
        '--policy is "livekt", did you mean "livekit"?',
        "--set policy.max_attempts is -1, want 0 or more",
        '--set policy.grase is unknown, did you mean "grace"?',
        '--set link.loss is "200%", want 1 (100%) or less',
        '--vary policy.jitter is "soft", want one of "none", "share", "full", "equal", "decorrelated", '
        '"once", "livekit", "jitsi"',
    ]


def test_a_term_is_idle_only_if_it_is_whatever_else_varies(dead):
    wanted = Wanted([dead], ["pipecat", "aws-full-jitter"])
    shares = {"policy.jitter_share": ["10%", "50%"]}
    assert len(plan(Matrix(wanted, {**shares, "policy.jitter": ["none", "share"]}))) == 8
    assert faults_of(lambda: plan(Matrix(wanted, shares))) == [
        f"--vary policy.jitter_share: changes nothing in the policy {name}, since jitter is {jitter}: "
        "each value would count its sessions again"
        for name, jitter in (("pipecat", "none"), ("aws-full-jitter", "full"))
    ]
    assert limits(scenarios(Wanted([dead], ["livekit"], overrides={"policy.max_attempts": "10"}))) == [10]


def test_where_a_term_that_varies_changes_nothing_is_noted(dead):
    told = "policy.jitter_share changes nothing in the policy {} where jitter is {}: its {} sessions there"
    wanted = Wanted([dead], ["pipecat", "aws-full-jitter"], seeds=2)
    varied = {
        "policy.jitter_share": ["10%", "20%", "50%"],
        "policy.jitter": ["none", "share"],
        "link.loss": ["0%", "1%"],
    }
    found = plan(Matrix(wanted, varied))
    names = ("pipecat", "aws-full-jitter")
    assert found.notes == [told.format(name, "none", "3 values have the same") for name in names]
    assert plan(Matrix(wanted, {**varied, "policy.jitter_share": ["10%"]})).notes == []
    study = simlab.sweep(
        dead,
        policies="pipecat",
        seeds=2,
        vary={"policy.jitter": ["none", "share"], "policy.jitter_share": ["10%", "50%"]},
        jobs=1,
    )
    numbers = study.sessions.drop("session", "policy.jitter_share").rows()
    assert numbers[:2] == numbers[2:4]  # what the note says
    assert list(study.notes) == [told.format("pipecat", "none", "2 values have the same")]


def test_no_policy_may_try_for_ever_without_a_pause(dead):
    names = ["pipecat-fixed", "daily"]
    told = 'since max_attempts of daily is "unlimited": it would try for ever without a pause'
    found = faults_of(lambda: scenarios(Wanted([dead], names, overrides={"policy.retry_delay": "0s"})))
    assert found == [f'--set policy.retry_delay is "0s", want more than 0, {told}']
    found = faults_of(lambda: plan(Matrix(Wanted([dead], names), {"policy.retry_delay": ["0s", "1s"]})))
    assert found == [f'--vary policy.retry_delay is "0s", want more than 0, {told}']


def test_a_policy_in_which_a_term_changes_nothing_stays_as_it_is_beside_one_in_which_it_does(dead):
    overrides = {"policy.retry_delay": "3s", "policy.max_attempts": "0"}
    wanted = Wanted([dead], ["pipecat", "never"], overrides={"policy.retry_delay": "3s"})
    changed, never = scenarios(wanted)
    assert (changed.profile.policy.retry_delay_s, never.profile.policy) == (3.0, PolicyKeys(name="never"))
    found = plan(Matrix(wanted, {"link.loss": ["0%", "5%"]}))
    assert found.notes == [
        "policy.retry_delay changes nothing in the policy never, which stays as it is: max_attempts is 0"
    ]
    assert tomllib.loads(found.files()["study.toml"].decode())["notes"] == found.notes
    assert len(plan_hunt(Hunt(wanted))) == 2
    assert faults_of(lambda: plan(Matrix(wanted, {"policy.factor": ["1", "2"]}))) == [
        "--vary policy.factor: changes nothing in the policy never, since max_attempts is 0: "
        "each value would count its sessions again"
    ]
    # With no attempts it decides something in pipecat alone, which gives up late.
    assert plan(Matrix(replace(wanted, overrides=overrides))).notes == found.notes
    fixed = replace(wanted, policies=["openai-realtime", "never"])
    assert len(faults_of(lambda: scenarios(fixed))) == 2


def test_a_study_says_what_was_set_and_where_it_changed_nothing(dead, tmp_path):
    settings = {"policies": ["immediate", "livekit"], "seeds": 1, "set": {"policy.factor": 2}, "jobs": 1}
    study = simlab.sweep(dead, **settings, out=tmp_path / "out")
    for one in (study, simlab.open(study.folder), simlab.sweep(dead, **settings)):
        assert dict(one.overrides) == {"policy.factor": "2"}
        assert list(one.notes) == [NOTE.format(key="policy.factor")]


def rows(study):
    return study.sessions.to_dicts()


@pytest.mark.parametrize("vary", [{}, {"policy.max_attempts": [1, "unlimited"]}])
def test_sessions_that_go_together_come_to_what_each_comes_to(dead, monkeypatch, vary):
    settings = {
        "policies": NAMES[1:],
        "seeds": 1,
        "vary": vary,
        "set": {"policy.retry_delay": "3s"},
        "jobs": 1,
    }
    together = rows(simlab.sweep(dead, **settings))
    monkeypatch.setattr(branches.sys, "platform", "darwin")
    assert rows(simlab.sweep(dead, **settings)) == together
    offers = {(row["policy"], row.get("policy.max_attempts")): row["attempts_offers"] for row in together}
    assert len(offers) == len(together)
    assert len(set(offers.values())) > 1


def test_each_command_of_a_report_runs_that_session(dead, tmp_path):
    from simlab.batch.replay import commands

    vary = {"policy.max_attempts": [1, 6]}
    study = simlab.sweep(dead, policies=NAMES[1:], seed=3, seeds=1, vary=vary, out=tmp_path / "out", jobs=1)
    rows = study.session_rows
    assert len(rows) == 4
    for row, command in zip(rows, commands(study.folder, rows), strict=True):
        _, _, file, _, seed = command.split()
        run = simlab.run(file, seed=int(seed))
        assert run.metrics["policy"] == row["policy"]
        assert run.metrics["attempts"]["offers"] == row["attempts_offers"]
        assert run.scenario.profile.policy.max_attempts == int(row["policy.max_attempts"])
    assert len({row["attempts_offers"] for row in rows}) > 1
