"""What a night says of a baseline of other things: another profile, another policy, other cells."""

from dataclasses import replace

import polars as pl
import pytest

import simlab
from simlab.batch.baseline import baseline_of, missing
from simlab.batch.planning import plan, read_suite
from simlab.batch.study_baseline import StudyBaseline
from simlab.batch.trend_records import records_in
from simlab.core.errors import InvalidInputError
from simlab.reconnect.policy import POLICIES
from simlab.store import append
from tests.batch.studies import profile_in

SUITE = """
[[sweep]]
name = "s"
profiles = ["{folder}/tunnel.toml"]
policies = ["{folder}/mine.toml"]
seeds = 3
set = { "link.loss" = "3%" }
vary = { "fault[0].for" = ["4s"] }
"""
POLICY = 'base = "pipecat-fixed"\nname = "mine"\ngrace = "2s"\n'
NEW = "not compared, a new baseline begins with this night"
SAME = "compared all the same"


@pytest.fixture
def part(tmp_path):
    """Return the one cell of the suite, with some of its text changed."""

    def part(**changed):
        suite = tmp_path / "suite.toml"
        suite.write_text(SUITE.replace("{folder}", str(tmp_path)))
        profile_in(tmp_path)
        (tmp_path / "mine.toml").write_text(POLICY)
        for name, (old, new) in changed.items():
            file = tmp_path / f"{name}.toml"
            assert old in file.read_text()
            file.write_text(file.read_text().replace(old, new))
        (found,) = plan(read_suite(str(suite)), str(suite), 1, {})[0].parts
        return found

    return part


def record_of(part, night=1, **more):
    labels = {name: part.labels[name] for name in ("sweep", "profile", "policy")}
    kept = {"settings": dict(part.settings), "terms": dict(part.terms), "network": part.network}
    numbers = {"seeds": [night], "values": {"down_time": [1.0]}, "worse": False, "accepted": False}
    return {"suite": "s", "night": night, **labels, "varied": dict(part.varied), **kept, **numbers, **more}


def test_nothing_is_said_where_nothing_has_changed(part):
    same = baseline_of([record_of(part())], part(), 30)
    assert (same.sample.seeds, same.changed) == ((1,), "")
    assert baseline_of([], part(), 30).changed == ""


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"tunnel": ('"20ms"', '"30ms"')}, "link.delay was 20ms, is 30ms"),
        ({"tunnel": ('duration = "20s"', 'duration = "25s"')}, "duration was 20s, is 25s"),
        ({"suite": ('"3%"', '"5%"')}, "link.loss was 3%, is 5%"),
        ({"suite": ("seeds = 3", 'seeds = 3\nclock = "real"')}, "clock was virtual, is real"),
        ({"tunnel": ('at = "3s"', 'at = "4s"')}, "fault[0].at was 3s, is 4s"),
    ],
)
def test_another_profile_is_told_and_not_compared(part, changed, what):
    before = baseline_of([record_of(part(), 7)], part(**changed), 30)
    assert before.sample is None
    assert before.changed.startswith(f"the profile has changed since night 7 ({what}")
    assert before.changed.endswith(f"): {NEW}")


def test_the_night_after_it_is_compared_with_the_new_one(part):
    old, new = part(), part(tunnel=('"20ms"', '"30ms"'))
    records = [record_of(old, 1), record_of(new, 2)]
    assert baseline_of(records, new, 30).sample.seeds == (2,)
    assert baseline_of(records, new, 30).changed == ""
    assert baseline_of(records, old, 30).sample.seeds == (1,)


def test_a_record_of_an_older_version_counts_and_cannot_say_what_was_other(part):
    old = {key: one for key, one in record_of(part()).items() if key not in ("settings", "terms")}
    same = baseline_of([old], part(), 30)
    assert (same.sample.seeds, same.changed) == ((1,), "")
    other = baseline_of([old], part(tunnel=('"20ms"', '"30ms"')), 30)
    assert (other.sample, other.changed) == (None, f"the profile has changed since night 1: {NEW}")


def test_the_content_of_a_file_that_a_profile_names_is_part_of_it(part, tmp_path):
    (tmp_path / "lte.txt").write_text("1\n2\n3\n")
    traced = {"tunnel": ('loss = "2%"', 'rate = { model = "trace", file = "lte.txt" }')}
    records = [record_of(part(**traced))]
    assert baseline_of(records, part(**traced), 30).sample is not None
    (tmp_path / "lte.txt").write_text("1\n2\n4\n")
    before = baseline_of(records, part(**traced), 30)
    assert before.sample is None
    assert "night 1 (content of link.rate.file was " in before.changed


def test_another_policy_is_told_and_compared_all_the_same(part, monkeypatch):
    records = [record_of(part(), 1), record_of(part(), 2)]
    before = baseline_of(records, part(mine=('"2s"', '"9s"')), 30)
    assert before.sample.seeds == (1, 2)
    assert before.changed == f"the policy has changed since night 2 (grace was 2s, is 9s): {SAME}"
    built_in = replace(POLICIES["pipecat-fixed"], failed_grace_s=4.0)
    monkeypatch.setitem(POLICIES, "pipecat-fixed", built_in)
    assert "(failed_grace was " in baseline_of(records, part(), 30).changed


def test_a_value_that_varied_is_another_cell(part):
    records = [record_of(part(), 1)]
    now = part(suite=('"4s"', '"8s"'))
    before = baseline_of(records, now, 30)
    assert (before.sample, before.changed) == (None, f"no night before had it: {NEW}")
    assert missing(records, [now]) == [dict(part().labels)]
    assert missing(records, [part()]) == []


def test_a_damaged_record_is_told(part, tmp_path):
    append(tmp_path / "trend.jsonl", [record_of(part(), settings="x")])
    with pytest.raises(InvalidInputError, match="line 1: is no record of a night: want settings"):
        records_in(tmp_path / "trend.jsonl")


def test_a_study_is_compared_all_the_same_and_what_was_other_is_told(part, tmp_path):
    part()
    study = simlab.sweep(
        [str(tmp_path / "tunnel.toml")],
        jobs=1,
        seeds=2,
        policies=[str(tmp_path / "mine.toml")],
        set={"link.loss": "3%"},
        vary={"fault[0].for": ["4s"]},
        out=tmp_path / "out",
    )
    baseline = StudyBaseline(str(study.folder))
    assert baseline.of(part()).changed == ""
    other = baseline.of(part(tunnel=('"20s"', '"25s"'), mine=('"2s"', '"9s"')))
    assert other.sample.seeds == (1, 2)
    told = (
        "the profile has changed (duration was 20s, is 25s) and the policy has changed (grace was 2s, is 9s)"
    )
    assert other.changed == f"since {study.folder} {told}: {SAME}"
    gone = baseline.of(part(suite=('"4s"', '"8s"')))
    assert (gone.sample, gone.changed) == (None, f"{study.folder} has no such cell: not compared")
    (study.folder / "study.toml").unlink()  # of the tables alone, the names are all there is
    assert StudyBaseline(str(study.folder)).of(part(mine=('"2s"', '"9s"'))).changed == ""


def test_a_study_that_is_not_there_is_told_with_its_key(tmp_path):
    with pytest.raises(InvalidInputError, match=r"^baseline\.study: .*/sessions\.parquet: no such file"):
        StudyBaseline(str(tmp_path))


def test_a_study_whose_tables_do_not_fit_is_told_and_not_compared(tmp_path):
    folder = simlab.sweep([profile_in(tmp_path)], jobs=1, seeds=1, out=tmp_path).folder
    outages = pl.read_parquet(folder / "outages.parquet")
    outages.with_columns(policy=pl.lit("nobody")).write_parquet(folder / "outages.parquet")
    with pytest.raises(
        InvalidInputError, match=r"^baseline\.study: .*/outages\.parquet: session 0 is not in"
    ):
        StudyBaseline(str(folder))
