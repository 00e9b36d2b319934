"""Studies: the same rows however they are run, and what they come to."""

import math
import signal

import polars as pl
import pytest

import simlab
from simlab.batch.plan import Matrix, plan
from simlab.batch.scenarios import Wanted
from simlab.batch.schedule import Schedule
from simlab.batch.sweep import Sweep
from simlab.core.errors import InvalidInputError

PROFILE = """
duration = "25s"
[peers]
media = []
[link]
delay = "20ms"
loss = "2%"
[[fault]]
kind = "blackout"
at = "3s"
for = "16s"
"""


STRAY = "is not in sessions.parquet with profile tunnel"


@pytest.fixture
def profile(tmp_path):
    file = tmp_path / "tunnel.toml"
    file.write_text(PROFILE)
    return str(file)


@pytest.fixture
def sweep(profile):
    def sweep(**settings):
        return simlab.sweep([profile], policies=["pipecat", "never"], seeds=2, **settings)

    return sweep


def test_the_same_rows_whatever_the_number_of_jobs(sweep, tmp_path):
    one, two = (sweep(jobs=jobs, out=tmp_path / str(jobs)) for jobs in (1, 2))
    assert one == two
    for name in ("sessions.parquet", "outages.parquet", "study.toml", "summary.json"):
        assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes(), name
    assert one.sessions.select("session", "policy", "seed").rows() == [
        (0, "pipecat", 1),
        (1, "pipecat", 2),
        (2, "never", 1),
        (3, "never", 2),
    ]


def test_what_a_study_comes_to(sweep):
    pipecat, never = sweep(jobs=1).recovery(by="policy")
    assert (pipecat.labels, pipecat.sessions) == ({"policy": "pipecat"}, 2)
    assert pipecat.attempts == 1.0
    assert never.attempts == 0.0
    # A blackout of 16 s heals by itself: aiortc's consent lasts for 23 s and more.
    assert never.curve.recovered == never.curve.outages == 2
    assert never.median_s == pytest.approx(16.5, abs=1.0)


def test_a_folder_holds_tables_summary_picture_and_matrix(sweep, tmp_path):
    study = sweep(jobs=1, out=tmp_path / "results", vary={"link.loss": ["0%", "5%"]})
    assert sorted(path.name for path in study.folder.iterdir()) == [
        "cells",
        "failures.jsonl",
        "outages.parquet",
        "recovery.png",
        "report.html",
        "sessions.parquet",
        "study.toml",
        "summary.json",
    ]
    rows = pl.read_parquet(study.folder / "sessions.parquet")
    assert rows.equals(study.sessions)
    assert rows["link.loss"].unique().sort().to_list() == ["0%", "5%"]
    assert len(study.recovery()) == 4
    again = simlab.open(study.folder)
    assert again == study
    assert again.folder == study.folder
    assert '"link.loss" = [' in (study.folder / "study.toml").read_text()


def test_all_faults_of_all_combinations(profile):
    wanted = Wanted([profile], policies=["pipecatt"])
    with pytest.raises(InvalidInputError) as caught:
        plan(Matrix(wanted, {"link.loss": ["5%", "500%"]}))
    first, second = sorted(caught.value.faults)
    assert first.startswith('--policy is "pipecatt"')
    assert second.startswith('--vary link.loss is "500%"')


def test_files_of_something_else_are_told(sweep, tmp_path):
    folder = sweep(jobs=1, out=tmp_path).folder
    failures = folder / "failures.jsonl"
    failures.write_text('{"session": 1}\n')
    with pytest.raises(InvalidInputError, match=r"failures\.jsonl: line 1: want profile"):
        simlab.open(folder)
    failures.write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(InvalidInputError, match=r"failures\.jsonl: lists or objects are nested too deep"):
        simlab.open(folder)
    failures.write_text("")
    simlab.open(folder)
    (folder / "sessions.parquet").write_bytes((folder / "outages.parquet").read_bytes())
    with pytest.raises(InvalidInputError, match=r"sessions\.parquet: has no column clock"):
        simlab.open(folder)


@pytest.mark.parametrize(
    ("table", "column", "value", "told"),
    [
        ("sessions", "succeeded", "yes", "column succeeded is String, want Boolean"),
        ("sessions", "usable_fraction", None, "column usable_fraction has no value in some rows"),
        ("outages", "seed", "1", "column seed is String, want Int64"),
        ("outages", "policy", None, "column policy has no value in some rows"),
        ("sessions", "violated", 3, "column violated is Int32, want String"),
        ("sessions", "media_up_longest_gap_s", "x", "column media_up_longest_gap_s is String, want Float64"),
        (
            "sessions",
            "media_down_longest_gap_s",
            None,
            "column media_down_longest_gap_s has no value in some rows",
        ),
        (
            "sessions",
            "usable_fraction",
            float("nan"),
            "column usable_fraction is NaN in session 0, want 0 to 1",
        ),
        ("sessions", "session", 0, "session 0 is there more than once"),
        ("outages", "gave_up_s", "x", "column gave_up_s is String, want Float64"),
        ("outages", "waited_s", -1.0, "column waited_s is -1.0 in session 0, want 0 or more"),
        (
            "outages",
            "policy",
            "other",
            "session 0 is not in sessions.parquet with profile tunnel, policy other, seed 1",
        ),
        (
            "outages",
            "session",
            99,
            "session 99 is not in sessions.parquet with profile tunnel, policy pipecat, seed 1",
        ),
    ],
)
def test_a_column_that_is_another_is_told(sweep, tmp_path, table, column, value, told):
    file = sweep(jobs=1, out=tmp_path).folder / f"{table}.parquet"
    rows = pl.read_parquet(file)
    of = rows.schema[column] if value is None or column == "session" else None
    rows.with_columns(pl.lit(value, dtype=of).alias(column)).write_parquet(file)
    with pytest.raises(InvalidInputError) as caught:
        simlab.open(file.parent)
    assert str(caught.value) == f"{file}: {told}"


@pytest.mark.parametrize("column", ["connect_bot_ready_s", "media_down_sent", "violated", "duration_s"])
def test_a_column_that_is_missing_is_told(sweep, tmp_path, column):
    file = sweep(jobs=1, out=tmp_path).folder / "sessions.parquet"
    pl.read_parquet(file).drop(column).write_parquet(file)
    with pytest.raises(InvalidInputError) as caught:
        simlab.open(file.parent)
    assert str(caught.value) == f"{file}: has no column {column}"


@pytest.mark.parametrize(
    ("policies", "varied", "told"),
    [
        (["never", "never", "never"], {}, "--policy never: is given 3 times: want it once"),
        ([], {"link.loss": ["1%", "2%", "1%"]}, "2 cells are profile tunnel, policy pipecat, link.loss=1%: "),
    ],
)
def test_cells_that_nothing_tells_apart_are_refused(profile, policies, varied, told):
    """Their sessions would count as those of one cell, twice as many as there are."""
    with pytest.raises(InvalidInputError) as caught:
        plan(Matrix(Wanted([profile], policies), varied))
    (fault,) = caught.value.faults
    assert fault.startswith(told)


def test_profiles_of_one_name_are_refused(profile, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(PROFILE + 'direction = "up"\n')
    with pytest.raises(InvalidInputError, match="2 cells are profile tunnel"):
        plan(Matrix(Wanted([profile, str(other)], overrides={"name": "tunnel"})))


@pytest.mark.parametrize("until_width", [0.0, 1.0, -1.0, float("nan")])
def test_a_width_that_no_interval_can_have_is_refused(profile, until_width, tmp_path):
    with pytest.raises(InvalidInputError, match=r"until_width is .*, want more than 0 and less than 1"):
        simlab.sweep([profile], until_width=until_width, jobs=1, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_outage_is_no_recovery(profile):
    study = simlab.sweep([profile], seeds=1, jobs=1, set={"fault": [], "link.loss": "0%", "duration": "3s"})
    (cell,) = study.recovery()
    assert math.isnan(cell.median_s)
    assert study.plot_recovery().get_title(loc="left") == "No outage in any session"


def test_an_interruption_before_the_first_session_leaves_nothing(profile, tmp_path):
    planned = plan(Matrix(Wanted([profile])))
    out = tmp_path / "results"
    with pytest.raises(KeyboardInterrupt), Sweep.begin(planned, out):
        raise KeyboardInterrupt
    assert list(out.iterdir()) == []


def test_an_interruption_while_a_study_begins_leaves_nothing(profile, tmp_path, monkeypatch):
    begin = Schedule.__init__

    def interrupted(self, *args):
        signal.raise_signal(signal.SIGINT)
        begin(self, *args)

    monkeypatch.setattr(Schedule, "__init__", interrupted)
    planned = plan(Matrix(Wanted([profile])))
    out = tmp_path / "results"
    with pytest.raises(KeyboardInterrupt):
        Sweep.begin(planned, out)
    assert list(out.iterdir()) == []


def test_a_table_that_polars_panics_at_is_told(sweep, tmp_path):
    file = sweep(jobs=1, out=tmp_path).folder / "outages.parquet"
    content = bytearray(file.read_bytes())
    content[101] = 0xFF
    file.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"outages\.parquet: "):
        simlab.open(file.parent)


def test_what_could_not_be_run_is_saved_with_half_a_character_in_its_reason(sweep, tmp_path, monkeypatch):
    (tmp_path / "half_bot.py").write_text("def app():\n    raise RuntimeError('a name: \\udcff')\n")
    monkeypatch.syspath_prepend(tmp_path)
    study = sweep(jobs=1, out=tmp_path / "out", set={"peers.server": "half_bot:app"})
    assert "a name: \udcff" in study.failures[0]["reason"]
    assert simlab.open(study.folder).failures == study.failures
