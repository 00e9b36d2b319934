"""Nights that go on after they were cut short: they come to what they would have come to."""

from contextlib import suppress
from pathlib import Path

import pytest

import simlab
from simlab.batch import executors
from simlab.batch.sweep import Sweep
from simlab.core.errors import InvalidInputError
from simlab.store import records
from tests.batch.studies import contents, profile_in

SUITE = """
luck = "same"
[[sweep]]
name = "outages"
profiles = ["{profile}"]
policies = ["pipecat", "never"]
seeds = 4
looks = 2
[sweep.expect]
violations = "== 7"
[[sweep]]
name = "lossy"
profiles = ["{profile}"]
policies = ["pipecat"]
seeds = 3
set = { "link.loss" = "4%" }
"""
"""A count is certain, so the first sweep stops after its first look: 4 + 3 sessions."""


def written(folder: Path, text: str = SUITE) -> str:
    file = folder / "small.toml"
    file.write_text(text.replace("{profile}", profile_in(folder)))
    return str(file)


def studies_in(out: Path) -> dict[str, dict[str, bytes]]:
    """Return the contents of the studies of a folder, by the sweep."""
    names = ("outages", "lossy")
    return {name: contents(folder) for name in names for folder in out.glob(f"*-small-{name}")}


def trend_in(out: Path):
    """Return the records of the nights, but for when they were."""
    return [{**one, "at": None} for one in records(out / "small-trend.jsonl")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("suite")


@pytest.fixture(scope="module")
def whole(folder):
    """The results of the night as it is undisturbed."""
    simlab.nightly(written(folder), out=folder / "whole", jobs=1)
    return folder / "whole"


@pytest.fixture
def ran(monkeypatch):
    """Which sessions ran."""
    found, real = [], executors.run_scenario
    monkeypatch.setattr(executors, "run_scenario", lambda one: found.append(one) or real(one))
    return found


def cut_short(suite, out, after, error=KeyboardInterrupt):
    """Run a night that ends with an error after so many sessions."""
    left, real = [after], executors.Here.finished

    def ending(self):
        for outcome in real(self):
            if not left[0]:
                raise error
            left[0] -= 1
            yield outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors.Here, "finished", ending)
        with suppress(error):
            simlab.nightly(suite, out=out, jobs=1)


def unfinished(out):
    return sorted(path.name.partition("-")[2] for path in out.glob("*-unfinished"))


@pytest.mark.parametrize("after", [1, 5])
def test_it_goes_on_to_the_same_night(folder, whole, tmp_path, ran, after):
    suite = written(folder)
    cut_short(suite, tmp_path, after, RuntimeError)
    assert unfinished(tmp_path) == ["small-lossy-unfinished", "small-outages-unfinished"]
    assert not (tmp_path / "small-trend.jsonl").exists()
    ran.clear()
    night = simlab.nightly(suite, out=tmp_path, jobs=1, resume=True)
    assert len(ran) == 7 - after
    assert night.number == 1
    assert unfinished(tmp_path) == []
    assert studies_in(tmp_path) == studies_in(whole)
    assert trend_in(tmp_path) == trend_in(whole)
    assert [cell.stopped for cell in night.cells] == [True, True, False]


def test_an_interrupted_night_goes_on_too_and_leaves_no_empty_study(folder, whole, tmp_path, ran):
    suite = written(folder)
    cut_short(suite, tmp_path, 2)
    assert unfinished(tmp_path) == ["small-outages-unfinished"]
    (study,) = tmp_path.glob("*-unfinished")
    assert simlab.open(study).sessions.height == 2
    ran.clear()
    simlab.nightly(suite, out=tmp_path, jobs=1, resume=True)
    assert len(ran) == 5
    assert studies_in(tmp_path) == studies_in(whole)


def test_a_session_that_other_rules_do_not_want_counts_nowhere(folder, tmp_path):
    patient = written(folder, SUITE.replace('"== 7"', '"== 0"'))
    cut_short(patient, tmp_path, 8, RuntimeError)
    night = simlab.nightly(written(folder), out=tmp_path, jobs=1, resume=True)
    assert [cell.summary.sessions for cell in night.cells] == [2, 2, 3]
    assert [len(one["seeds"]) for one in trend_in(tmp_path)] == [2, 2, 3]
    heights = {path.name.rpartition("-")[2]: simlab.open(path) for path in tmp_path.glob("*-small-[ol]*")}
    assert {name: study.sessions.height for name, study in heights.items()} == {"outages": 4, "lossy": 3}


def killed_while_named(suite, out, after):
    """Run a night that is killed when it is in the trend, and so many of its studies have their names."""
    left, real = [after], Sweep.settle

    def killed(self):
        if not left[0]:
            raise RuntimeError
        left[0] -= 1
        real(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sweep, "settle", killed)
        with pytest.raises(RuntimeError):
            simlab.nightly(suite, out=out, jobs=1)


@pytest.mark.parametrize("after", [0, 1])
def test_a_night_that_was_killed_when_it_was_counted_is_finished_and_not_counted_again(
    folder, whole, tmp_path, ran, after
):
    suite = written(folder)
    killed_while_named(suite, tmp_path, after)
    assert len(unfinished(tmp_path)) == 2 - after
    ran.clear()
    night = simlab.nightly(suite, out=tmp_path, jobs=1, resume=True)
    assert night.number == 1
    assert len(ran) == 4 * after  # of a study that is finished there is no journal any more
    assert unfinished(tmp_path) == []
    assert studies_in(tmp_path) == studies_in(whole)
    assert trend_in(tmp_path) == trend_in(whole)
    assert len(list(tmp_path.glob("*-small-night-1"))) == 1
    again = simlab.nightly(suite, out=tmp_path, jobs=1, resume=True)
    assert again.number == 2


def test_a_night_that_came_meanwhile_is_another(folder, tmp_path, ran):
    suite = written(folder)
    cut_short(suite, tmp_path, 5, RuntimeError)
    simlab.nightly(suite, out=tmp_path, jobs=1)
    ran.clear()
    night = simlab.nightly(suite, out=tmp_path, jobs=1, resume=True)
    assert night.number == 2
    assert len(ran) == 7
    assert len(unfinished(tmp_path)) == 2


def test_a_sweep_does_not_go_on_with_a_night(folder, tmp_path):
    cut_short(written(folder), tmp_path, 5, RuntimeError)
    (study,) = tmp_path.glob("*-outages-unfinished")
    with pytest.raises(InvalidInputError, match="night is night 1 of small there, and not given here"):
        simlab.sweep(study, jobs=1, resume=study)
    again = simlab.sweep(study, jobs=1, out=tmp_path / "again")
    assert b"night" not in (again.folder / "study.toml").read_bytes()


def test_without_a_folder_there_is_nothing_to_go_on_with(folder):
    with pytest.raises(InvalidInputError, match="resume: want out"):
        simlab.nightly(written(folder), resume=True)
