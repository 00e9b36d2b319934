"""What is wrong with an argument of what ``import simlab`` offers is told by its name, before all else."""

import datetime
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import simlab
from simlab.batch.door import toml_text

SHORT = {"duration": "5s", "peers.media": []}
ALONE = {"seeds": 1, "jobs": 1, "set": SHORT}


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: simlab.run(None), "profile is None, want a text or a path"),
        (
            lambda: simlab.run('duration = "3s"\n'),
            '"duration = \\"3s\\"\\n": want the name of a profile or of a file, not what is in it',
        ),
        (lambda: simlab.run("x" * 300), f'"{"x" * 57}...": file name too long'),
        (lambda: simlab.run(["clean"]), "profile is ['clean'], want a text or a path"),
        (lambda: simlab.run("clean", policy=3), "policy is 3, want a text or a path, or None"),
        (lambda: simlab.run("clean", seed="7"), 'seed is "7", want a whole number of 0 or more, or None'),
        (lambda: simlab.run("clean", seed=1.5), "seed is 1.5, want a whole number of 0 or more, or None"),
        (lambda: simlab.run("clean", seed=True), "seed is True, want a whole number of 0 or more, or None"),
        (lambda: simlab.run("clean", clock="reall"), 'clock is "reall", want "virtual", "real" or None'),
        (lambda: simlab.run("clean", set=[1]), 'set is [1], want a dict, as in {"link.delay": "40ms"}'),
        (lambda: simlab.run("clean", set={3: 1}), 'set is {3: 1}, want a dict, as in {"link.delay": "40ms"}'),
        (lambda: simlab.run("clean", set={"seed": None}), "set seed: a profile cannot hold None"),
        (lambda: simlab.run("clean", out=3), "out is 3, want a text or a path, or None"),
        (lambda: simlab.run("clean", capture=1), "capture is 1, want True or False"),
        (lambda: simlab.sweep(), "profiles is empty, want a file or a name, or more"),
        (lambda: simlab.sweep(3), "profiles is 3, want a name, or several in a list"),
        (lambda: simlab.sweep([3]), "profiles is (3,), want a name, or several in a list"),
        (lambda: simlab.sweep("clean", policies=3), "policies is 3, want a name, or several in a list"),
        (lambda: simlab.sweep("clean", seeds=0), "seeds is 0, want a whole number from 1 to 1,000,000"),
        (lambda: simlab.sweep("clean", jobs=0), "jobs is 0, want a whole number of 1 or more, or None"),
        (lambda: simlab.sweep("clean", executor=3), "executor is 3, want a text"),
        (lambda: simlab.sweep("clean", resume=3), "resume is 3, want True, False or a folder"),
        (lambda: simlab.sweep("clean", until_width="a"), 'until_width is "a", want a number, or None'),
        (
            lambda: simlab.sweep("clean", vary={"link.loss": "5%"}),
            'vary link.loss is "5%", want a dict of lists, as in {"link.loss": ["1%", "5%"]}',
        ),
        (lambda: simlab.sweep("clean", vary={"seed": []}), "vary seed is [], want a value or more"),
        (lambda: simlab.sweep("clean", vary={"seed": [None]}), "vary seed: a profile cannot hold None"),
        (lambda: simlab.hunt("clean", faults=0), "faults is 0, want a whole number of 1 or more"),
        (lambda: simlab.hunt("clean", tries=-1), "tries is -1, want a whole number of 0 or more"),
        (lambda: simlab.hunt("clean", kinds=[3]), "kinds is (3,), want a name, or several in a list"),
        (lambda: simlab.hunt([]), "profiles is empty, want a file or a name, or more"),
        (lambda: simlab.open(3), "folder is 3, want a text or a path"),
        (lambda: simlab.nightly(3), "suite is 3, want a text or a path"),
        (lambda: simlab.nightly("x", resume="y"), "resume is 'y', want True or False"),
        (lambda: simlab.trend(3), "file is 3, want a text or a path"),
        (lambda: simlab.trend("none.jsonl"), "none.jsonl: no such file"),
    ],
)
def test_a_wrong_argument_is_told(call, told):
    with pytest.raises(simlab.InvalidInputError, match=f"^{re.escape(told)}$"):
        call()


def test_all_wrong_arguments_are_told_at_once():
    with pytest.raises(simlab.InvalidInputError) as told:
        simlab.run("clean", seed=-1, clock="x", set={"duration": datetime.timedelta()})
    assert [fault.split()[0] for fault in told.value.faults] == ["seed", "clock"]
    with pytest.raises(simlab.InvalidInputError) as told:
        simlab.sweep("clean", seeds=0, jobs=-1, vary={"link.loss": []})
    assert [fault.split()[0] for fault in told.value.faults] == ["seeds", "jobs", "vary"]
    with pytest.raises(simlab.InvalidInputError) as told:
        simlab.hunt("clean", seeds=0, faults=0)
    assert [fault.split()[0] for fault in told.value.faults] == ["seeds", "faults"]
    with pytest.raises(simlab.InvalidInputError) as told:
        simlab.nightly("suite.toml", jobs=0, accept=1, resume="results")
    assert [fault.split()[0] for fault in told.value.faults] == ["jobs", "accept", "resume"]
    with pytest.raises(simlab.InvalidInputError) as told:
        simlab.compare(3, "gone", tolerance=3)
    assert told.value.faults == (
        'tolerance is 3, want a dict, as in {"success_rate": "2%"}',
        "before is 3, want a text or a path",
        "gone: no such folder",
    )
    with pytest.raises(simlab.InvalidInputError) as told:
        simlab.compare("gone", "lost", tolerance={"success": "2%"})
    assert [fault.split()[0] for fault in told.value.faults] == ["tolerance", "gone:", "lost:"]


def test_all_that_is_wrong_with_a_night_is_told_at_once(tmp_path):
    with pytest.raises(simlab.InvalidInputError) as told:
        simlab.nightly("gone.toml", jobs=0, resume=True)
    assert [fault.split()[0] for fault in told.value.faults] == ["jobs", "resume:"]
    suite, trend = tmp_path / "suite.toml", tmp_path / "trend.jsonl"
    sweep = '[[sweep]]\nname = "one"\nprofiles = ["gone"]\n'
    suite.write_text(f'[baseline]\nstudy = "nowhere"\n{sweep}')
    trend.write_text("?\n")
    with pytest.raises(simlab.InvalidInputError) as told:
        simlab.nightly(suite, trend=trend)
    assert [fault.split()[0] for fault in told.value.faults] == [f"{trend}:", f"{suite}:", "baseline.study:"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: simlab.run("clean", policy="pipecatt"), 'policy is "pipecatt", did you mean "pipecat"?'),
        (
            lambda: simlab.run("clean", set={"link.los": "5%"}),
            'set link.los is unknown, did you mean "loss"?',
        ),
        (
            lambda: simlab.sweep("clean", vary={"link.los": [0]}),
            'vary link.los is unknown, did you mean "loss"?',
        ),
        (lambda: simlab.sweep("clean", until_width=2), "until_width is 2, want more than 0 and less than 1"),
        (lambda: simlab.sweep("clean", executor="x"), 'executor is "x", want "local" or "dask://HOST:PORT"'),
        (lambda: simlab.hunt("clean", kinds="blackuot"), 'kind is "blackuot", did you mean "blackout"?'),
    ],
)
def test_what_an_option_is_called_in_python(call, told):
    with pytest.raises(simlab.InvalidInputError, match=f"^{re.escape(told)}$"):
        call()


def test_a_name_or_a_path_may_stand_alone(tmp_path):
    policy = tmp_path / "mine.toml"
    policy.write_text('name = "mine"\nbase = "never"\n')
    assert simlab.run("clean", policy=policy, set=SHORT).scenario.profile.policy.name == "mine"
    assert simlab.sweep("clean", policies="never", **ALONE).sessions["policy"].to_list() == ["never"]
    assert simlab.sweep(iter(["clean"]), policies=iter([policy]), **ALONE).sessions["policy"].to_list() == [
        "mine"
    ]


def test_numbers_and_lists_of_numpy():
    assert toml_text([np.float64(0.05), np.int64(3), np.float32(0.5)]) == "[0.05, 3, 0.5]"
    study = simlab.sweep("clean", seed=np.int64(2), vary={"link.loss": np.linspace(0, 0.1, 2)}, **ALONE)
    assert study.sessions.select("seed", "link.loss").rows() == [(2, "0.0"), (2, "0.1")]


def test_a_path_is_a_value_too():
    assert simlab.run("clean", set={**SHORT, "name": Path("x")}).scenario.profile.name == "x"


@pytest.mark.parametrize("name", simlab.__all__)
def test_everything_says_what_it_is(name):
    thing = getattr(simlab, name)
    assert thing.__doc__
    assert name in dir(simlab)
    if inspect.isfunction(thing):
        annotated = inspect.signature(thing)
        assert annotated.return_annotation is not inspect.Signature.empty
        assert all(one.annotation is not one.empty for one in annotated.parameters.values())


@pytest.fixture(scope="module")
def study():
    return simlab.sweep("clean", policies=["pipecat", "never"], vary={"link.loss": ["0%", "1%"]}, **ALONE)


KNOWN = '"session", "profile", "policy", "seed", "link.loss"'


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda one: one.recovery("los"), f'by is "los", want one of {KNOWN}'),
        (lambda one: one.recovery(by="polcy"), 'by is "polcy", did you mean "policy"?'),
        (lambda one: one.recovery(["policy", "clock"]), f'by is "clock", want one of {KNOWN}'),
        (lambda one: one.recovery([3]), f"by is 3, want one of {KNOWN}"),
        (lambda one: one.recovery(3), "by is 3, want a column, or several in a list"),
        (lambda one: one.plot_recovery(by="polcy"), 'by is "polcy", did you mean "policy"?'),
        (lambda one: one.plot_cost(by=["polcy"]), 'by is "polcy", did you mean "policy"?'),
        (
            lambda one: one.comparisons("seed"),
            'between is "seed", want one of "profile", "policy", "link.loss"',
        ),
        (lambda one: one.comparisons(3), 'between is 3, want one of "profile", "policy", "link.loss"'),
        (lambda one: one.plot_heat(key="link.los"), 'key is "link.los", did you mean "link.loss"?'),
        (lambda one: one.plot_heat("link.loss"), 'ax is "link.loss", want Axes of matplotlib, or None'),
        (lambda one: one.plot_recovery([1]), "ax is [1], want Axes of matplotlib, or None"),
        (lambda one: one.report(worst=-1), "worst is -1, want a whole number of 0 or more"),
        (lambda one: one.sql(3), "query is 3, want a text"),
        (lambda one: one.plot_gaps(1), "ax is 1, want Axes of matplotlib, or None"),
        (lambda one: simlab.compare(one, one).plot(1), "ax is 1, want Axes of matplotlib, or None"),
        (lambda _: simlab.Trend([]).plot(ax=1), "ax is 1, want Axes of matplotlib, or None"),
        (lambda _: simlab.Trend([]).plot("attemps"), 'measure is "attemps", did you mean "attempts"?'),
    ],
)
def test_what_is_asked_of_a_study_is_told(study, call, told):
    with pytest.raises(simlab.InvalidInputError, match=f"^{re.escape(told)}$"):
        call(study)


def test_the_axes_of_a_session_are_told():
    with pytest.raises(simlab.InvalidInputError, match=r"^ax is \[\], want Axes of matplotlib, or None$"):
        simlab.run("clean", set=SHORT).plot([])
