"""Studies that go on after they were cut short, and studies that run again."""

import resource
import subprocess
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

import simlab
from simlab.batch import executors
from simlab.core.errors import InvalidInputError, SimlabError
from tests.batch.studies import contents, profile_in, sweep

SEEDS = 4


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    return profile_in(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def whole(profile, tmp_path_factory):
    """The study as it is undisturbed: 8 sessions."""
    return sweep(profile, seeds=SEEDS, out=tmp_path_factory.mktemp("whole"))


@pytest.fixture
def cut_short(profile, tmp_path, monkeypatch):
    """The same, interrupted after three sessions; its folder."""

    def after_three(self):
        finished = real(self)
        for _ in range(3):
            yield next(finished)
        raise KeyboardInterrupt

    real = executors.Here.finished
    monkeypatch.setattr(executors.Here, "finished", after_three)
    with pytest.raises(KeyboardInterrupt):
        sweep(profile, seeds=SEEDS, out=tmp_path)
    monkeypatch.setattr(executors.Here, "finished", real)
    (folder,) = tmp_path.iterdir()
    return folder


def test_what_was_over_is_kept_and_can_be_opened(cut_short, whole):
    assert cut_short.name.endswith("-tunnel-unfinished")
    study = simlab.open(cut_short)
    assert study.folder == cut_short
    assert study.sessions.equals(whole.sessions[:3].select(study.sessions.columns))
    assert pl.read_parquet(cut_short / "sessions.parquet").equals(study.sessions)


@pytest.mark.parametrize("how", ["found", "named"])
def test_it_goes_on_to_the_same_study(cut_short, whole, profile, monkeypatch, how):
    ran = []
    real = executors.run_scenario
    monkeypatch.setattr(executors, "run_scenario", lambda one: ran.append(one) or real(one))
    study = sweep(
        profile, seeds=SEEDS, out=cut_short.parent, resume=True if how == "found" else str(cut_short)
    )
    assert len(ran) == 5
    assert study == whole
    assert contents(study.folder) == contents(whole.folder)
    assert list(cut_short.parent.iterdir()) == [study.folder]
    assert study.folder.name == cut_short.name.removesuffix("-unfinished")
    assert not (study.folder / "journal.jsonl").exists()


def test_a_line_cut_short_is_a_session_that_was_in_flight(cut_short, whole, profile):
    journal = cut_short / "journal.jsonl"
    content = journal.read_bytes()
    journal.write_bytes(content[:-100])
    assert simlab.open(cut_short).sessions.height == 2
    study = sweep(profile, seeds=SEEDS, resume=cut_short)
    assert contents(study.folder) == contents(whole.folder)


def test_a_damaged_journal_is_told(cut_short, profile):
    journal = cut_short / "journal.jsonl"
    journal.write_bytes(b"{nonsense\n" + journal.read_bytes())
    with pytest.raises(InvalidInputError, match=r"journal\.jsonl: line 1 is damaged"):
        sweep(profile, seeds=SEEDS, resume=cut_short)


def test_another_matrix_is_told_and_not_mixed(cut_short, profile):
    with pytest.raises(InvalidInputError, match="seeds is 4 there, and 5 here"):
        sweep(profile, seeds=5, resume=cut_short)
    Path(profile).write_text(Path(profile).read_text().replace("20ms", "30ms"))
    try:
        with pytest.raises(InvalidInputError, match="a profile or a policy was changed since"):
            sweep(profile, seeds=SEEDS, resume=cut_short)
    finally:
        profile_in(Path(profile).parent)


def test_other_versions_are_told_and_not_mixed(cut_short, profile):
    matrix = cut_short / "study.toml"
    matrix.write_text(matrix.read_text().replace('simlab = "', 'simlab = "0.0.'))
    with pytest.raises(InvalidInputError, match=r"simlab was 0\.0\.\S+, and is "):
        sweep(profile, seeds=SEEDS, resume=cut_short)


def test_what_cannot_be_gone_on_with(whole, profile, tmp_path):
    with pytest.raises(InvalidInputError, match="is not an unfinished study"):
        sweep(profile, seeds=SEEDS, resume=whole.folder)
    with pytest.raises(InvalidInputError, match="want the folder of a study, or out"):
        sweep(profile, seeds=SEEDS, resume=True)


def test_only_one_process_goes_on_with_a_study(cut_short, profile):
    from simlab import store

    held = store.Unfinished(cut_short)
    with pytest.raises(InvalidInputError, match="another process is running this study"):
        sweep(profile, seeds=SEEDS, resume=cut_short)
    held.close()


def test_a_study_runs_again_without_its_profile(whole, profile, tmp_path):
    hidden = Path(profile).rename(tmp_path / "hidden")
    try:
        again = [simlab.sweep(named, jobs=1, out=tmp_path) for named in (whole.folder / "study.toml",)]
    finally:
        hidden.rename(profile)
    for study in again:
        assert contents(study.folder) == contents(whole.folder)


def test_a_study_that_was_changed_by_hand_does_not_run_again(whole, tmp_path):
    import shutil

    copy = shutil.copytree(whole.folder, tmp_path / "copy")
    (cell,) = (copy / "cells").glob("000-*")
    cell.write_text(cell.read_text().replace("20s", "21s"))
    with pytest.raises(InvalidInputError, match="was changed since the study ran"):
        simlab.sweep(copy, out=tmp_path)
    (copy / "study.toml").write_text("schema = 2")
    with pytest.raises(InvalidInputError, match="schema is 2, want 1"):
        simlab.sweep(copy / "study.toml", out=tmp_path)


@contextmanager
def full_after(folder, size):
    """Let only so many bytes into a folder: a small file system, or, where none can be had, small files."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        yield
        subprocess.run(["mount", "-o", "remount,size=16m", str(folder)], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 3, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    yield folder
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def test_a_full_disk_leaves_what_was_over(disk, whole, profile):
    with full_after(disk, 24 * 1024), pytest.raises(SimlabError) as caught:
        sweep(profile, seeds=SEEDS, out=disk)
    (folder,) = disk.iterdir()
    assert f"{folder}: the study could not be written: " in str(caught.value)
    assert f"--resume {folder}" in str(caught.value)
    kept = simlab.open(folder).sessions.height
    assert 1 <= kept < 2 * SEEDS
    study = sweep(profile, seeds=SEEDS, out=disk, resume=True)
    assert contents(study.folder) == contents(whole.folder)
