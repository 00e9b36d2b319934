"""A policy of the user's own that fails is a session that failed, never one that went well without it."""

import pytest

import simlab
from simlab.profile import Scenario, load
from simlab.virtual.session import run

PROFILE = """
duration = "60s"
[peers]
media = []
[policy]
name = "tests.apps.broken_policies:{}"
[[fault]]
kind = "blackout"
at = "5s"
for = "30s"
"""


def session(name):
    return run(Scenario.of(load(PROFILE.format(name), "broken.toml"), seed=1))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Unmade", " raised KeyError: 'grace' (broken_policies.py:8)"),
        ("Raising", ".begin raised ZeroDivisionError: no attempt yet (broken_policies.py:13)"),
        ("Undecided", ".grace_s returned None, want seconds"),
        ("NeverNumber", ".wait_s returned nan, want seconds"),
        ("Worded", ".action returned 'recreate', want an Attempt"),
    ],
)
def test_its_session_fails_and_says_where(name, told):
    last = session(name).events[-1]
    assert (last.kind, last["stage"]) == ("failed", "policy")
    assert last["reason"] == f"tests.apps.broken_policies:{name}{told}"


def test_what_it_raised_is_logged_with_its_traceback(caplog):
    session("Raising")
    (record,) = caplog.records
    assert "tests.apps.broken_policies:Raising.begin raised ZeroDivisionError" in record.message
    assert record.exc_info[0] is ZeroDivisionError


def test_what_it_returned_has_no_traceback(caplog):
    session("Undecided")
    assert caplog.records == []


def test_a_study_counts_it_as_a_failure_and_goes_on(tmp_path):
    (tmp_path / "broken.toml").write_text(PROFILE.format("Raising"))
    study = simlab.sweep(
        [tmp_path / "broken.toml"],
        policies=["pipecat", "tests.apps.broken_policies:Raising"],
        seeds=2,
        jobs=1,
        out=tmp_path,
    )
    assert study.sessions["policy"].to_list() == ["pipecat", "pipecat"]
    assert [row["stage"] for row in study.failures] == ["policy", "policy"]
