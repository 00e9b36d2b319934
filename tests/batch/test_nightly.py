"""Nights with real sessions: nothing is found where nothing changed, and a planted regression is."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import polars as pl
import pytest
import xunitparser

import simlab
from simlab.batch.baseline import baseline_of
from simlab.batch.planning import plan, read_suite
from simlab.batch.study_baseline import StudyBaseline
from simlab.cli.nights import night_json
from simlab.core.errors import InvalidInputError
from simlab.reconnect.policy import POLICIES
from simlab.report.markdown import markdown
from simlab.store import append, records

SUITE = """
luck = "same"
[baseline]
measures = ["success_rate", "down_time"]
[[sweep]]
name = "blocked"
profiles = ["{profile}"]
policies = ["pipecat", "pipecat-fixed"]
seeds = 10
[sweep.expect]
recovery_p95 = "<= 40s"
violations = "== 0"
"""
# ICE fails while everything else passes, so the call is back as soon as the policy has made a new connection.
PROFILE = """
duration = "34s"
[peers]
media = []
[client]
preset = "fixed"
[server]
preset = "fixed"
[link]
delay = "20ms"
loss = "2%"
[[fault]]
kind = "block"
at = "5s"
for = "24s"
match = ["stun"]
"""


SLOWER = replace(POLICIES["pipecat-fixed"], grace_s=POLICIES["pipecat-fixed"].grace_s + 2)


def written(folder, suite=SUITE):
    (folder / "tunnel.toml").write_text(PROFILE)
    file = folder / "small.toml"
    file.write_text(suite.replace("{profile}", str(folder / "tunnel.toml")))
    return str(file)


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Three nights: the first, one without a change, and one in which pipecat-fixed waits 2 s longer."""
    folder = tmp_path_factory.mktemp("nights")
    suite, out = written(folder), folder / "results"
    first, second = (simlab.nightly(suite, out=out, jobs=1) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(POLICIES, "pipecat-fixed", SLOWER)
        third = simlab.nightly(suite, out=out, jobs=1)
    return folder, [first, second, third]


def verdicts(night, kind="comparison"):
    return {(c.labels["policy"], c.measure): c.verdict for c in night.checks if c.kind == kind}


def test_the_first_night_has_no_baseline(nights):
    first = nights[1][0]
    assert set(verdicts(first).values()) == {"no baseline"}
    assert first.passed
    assert first.number == 1


def test_a_night_without_a_change_is_the_same(nights):
    first, second, _ = nights[1]
    assert set(verdicts(second).values()) == {"same"}
    assert [check.p for check in second.checks if check.kind == "comparison"] == [1.0] * 4
    assert second.passed
    assert second.cells[0].summary.p95_s == first.cells[0].summary.p95_s


def test_a_planted_regression_fails_and_is_named(nights):
    third = nights[1][2]
    assert not third.passed
    ((cell, check),) = third.alarms
    assert (cell.labels["policy"], check.measure, check.verdict) == ("pipecat-fixed", "down_time", "worse")
    assert check.p == 2**-10  # all ten seeds are worse, and each could as well have been better
    assert "pipecat-fixed: outage per session: worse" in third.finding
    assert verdicts(third)["pipecat", "down_time"] == "same"


def test_each_study_of_a_night_has_its_page(nights):
    folder, found = nights
    studies = sorted(path.parent for path in (folder / "results").glob("*/study.toml"))
    assert len(studies) == len(found)
    for study in studies:
        assert f"<title>{study.name}" in (study / "report.html").read_text()
        assert f"simlab sweep {study}" in (study / "report.html").read_text()


def test_the_trend_says_since_when(nights):
    folder, (first, second, third) = nights
    assert (list(first.trend_changes), list(second.trend_changes)) == ([], [])
    (told,) = third.trend_changes
    assert told.startswith("blocked: tunnel, pipecat-fixed: outage per session 22.")
    assert told.endswith("; grace was 5s, is 7s")
    assert " s since night 3, 20." in told
    rows = simlab.trend(folder / "results" / "small-trend.jsonl").changes("down_time").to_dicts()
    (row,) = [row for row in rows if row["measure"] == "down_time"]
    assert (row["policy"], row["night"], row["until"], row["worse"]) == ("pipecat-fixed", 3, None, True)
    assert row["after"] - row["before"] == pytest.approx(2.0, abs=0.01)
    assert row["changed"] == "grace was 5s, is 7s"
    assert f"- 📈 Trend: {told.removesuffix('; grace was 5s, is 7s')}\n" in markdown(third)
    assert markdown(third).count("grace was 5s, is 7s") == 1  # it is told with the baseline
    assert night_json(third)["trend_changes"] == [told]


def test_nothing_but_the_sample_says_what_can_be_told(nights):
    told = verdicts(nights[1][0], "expectation")
    assert told["pipecat", "violations"] == "met"
    assert told["pipecat", "recovery_p95"] == "can't be told"  # it takes 59 sessions


def test_the_worst_session_can_be_run_again(nights, monkeypatch):
    third = nights[1][2]
    told, command = third.cells[1].replays[0]
    assert command.startswith(f"simlab run {nights[0]}/tunnel.toml --policy pipecat-fixed --seed ")
    seed = int(command.split()[-1])
    monkeypatch.setitem(POLICIES, "pipecat-fixed", SLOWER)
    metrics = simlab.run(nights[0] / "tunnel.toml", policy="pipecat-fixed", seed=seed).metrics
    (outage,) = metrics["outages"]  # perhaps to the end of the session
    down_s = outage["recovered_s"] or metrics["duration_s"] - outage["began_s"]
    assert told.startswith(f"seed {seed}, {down_s:.1f} s of outage")


def test_the_trend_has_a_record_of_every_night_and_cell(nights):
    folder, (_, _, third) = nights
    found = records(folder / "results" / "small-trend.jsonl")
    assert third.trend == str(folder / "results" / "small-trend.jsonl")
    assert [(one["night"], one["policy"], one["worse"]) for one in found] == [
        (1, "pipecat", False),
        (1, "pipecat-fixed", False),
        (2, "pipecat", False),
        (2, "pipecat-fixed", False),
        (3, "pipecat", False),
        (3, "pipecat-fixed", True),
    ]
    assert found[0]["values"] == found[2]["values"]
    assert found[0]["versions"]["aiortc"]
    frame = simlab.trend(third.trend).frame()
    assert frame.height == 6
    assert frame["recovery_p95_s"].is_not_null().all()


def test_junit_is_read_by_another_parser(nights):
    with open(f"{nights[1][2].folder}/junit.xml", encoding="utf-8") as file:
        suite, result = xunitparser.parse(file)
    cases = list(suite)
    root = ElementTree.parse(f"{nights[1][2].folder}/junit.xml").getroot()
    # As Jenkins' schema (junit-10.xsd) has it: no count of what is skipped but in suites.
    assert root.attrib == {
        "name": "simlab nightly: small, night 3",
        "tests": "8",
        "failures": "1",
        "errors": "0",
        "time": "0.0",
    }
    assert (result.testsRun, len(result.failures), len(result.skipped)) == (8, 1, 2)
    (failed,) = [case for case in cases if case.result == "failure"]
    assert failed.classname.endswith("blocked.tunnel.pipecat-fixed")
    assert "outage per session: worse" in failed.message
    assert "simlab run" in failed.trace


def test_markdown_names_what_failed_first(nights):
    with open(f"{nights[1][2].folder}/summary.md", encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert lines[0].startswith(
        "### 🔴 Night 3 of small failed: blocked: tunnel, pipecat-fixed: outage per session"
    )
    assert lines[2].startswith("- **blocked: tunnel, pipecat-fixed**: outage per session: worse")
    first_row = next(line for line in lines if line.startswith("| 🔴"))
    assert "worse: outage per session" in first_row
    assert sum(line.startswith("simlab run ") for line in lines) == 3
    assert len(lines) < 30


def test_each_sweep_has_a_study_folder_of_its_own(nights):
    folder = nights[0] / "results"
    names = sorted(path.name.partition("-")[2] for path in folder.iterdir() if path.is_dir())
    nights_and_studies = [name.rpartition("-")[0] if name[-1].isdigit() else name for name in names]
    assert sorted(nights_and_studies) == ["small-blocked"] * 3 + ["small-night"] * 3
    assert (folder / "small-trend.jsonl").is_file()


def test_what_is_worse_is_no_baseline_and_what_is_accepted_is_a_new_one(nights):
    folder, _ = nights
    file = written(folder)
    (sweep,) = plan(read_suite(file), file, 4, {})
    part = sweep.parts[1]
    found = records(folder / "results" / "small-trend.jsonl")
    old = baseline_of(found, part, 30).sample
    assert old.values["down_time"] == tuple(found[1]["values"]["down_time"])
    accepted = {**found[5], "night": 4, "worse": False, "accepted": True}
    new = baseline_of([*found, accepted], part, 30).sample
    assert new.values["down_time"] == tuple(found[5]["values"]["down_time"])
    other = replace(part, network="another")
    assert baseline_of(found, other, 30).sample is None


def test_fresh_luck_has_other_seeds_every_night(tmp_path):
    file = written(tmp_path, SUITE.replace('luck = "same"', 'luck = "fresh"'))
    seeds = []
    for night in (1, 2):
        found = plan(read_suite(file), file, night, {})[0]
        seeds.append([found.plan.session(number).scenario.seed for number in found.parts[0].numbers])
    assert seeds == [list(range(1, 11)), list(range(11, 21))]


def test_the_policy_is_no_part_of_the_network_and_the_rest_is(tmp_path):
    file = written(tmp_path)

    def network(**overrides):
        return plan(read_suite(file), file, 1, overrides)[0].parts[0].network

    assert network(**{"policy.grace": "7s"}) == network()
    assert network(**{"link.loss": "3%"}) != network()


def test_looks_stop_what_is_known_and_run_the_rest(nights, tmp_path):
    suite = SUITE.replace("seeds = 10", "seeds = 8\nlooks = 2").replace('"== 0"', '"== 7"')
    night = simlab.nightly(written(tmp_path, suite), jobs=1)
    # A count is certain, so half of the sessions were enough.
    assert [(cell.summary.sessions, cell.stopped) for cell in night.cells] == [(4, True), (4, True)]
    assert {check.verdict for check in night.checks if check.measure == "violations"} == {"failed"}


def test_every_fault_of_every_sweep(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text(
        '[[sweep]]\nname = "a"\nprofiles = ["nowhere"]\npolicies = ["pipecatt"]\n'
        '[[sweep]]\nname = "b"\nprofiles = ["profiles/clean.toml"]\nset = { "link.los" = "1%" }\n'
        '[[sweep]]\nname = "c"\nprofiles = ["profiles/clean.toml"]\nvary = { "link.loss" = [] }\n'
    )
    with pytest.raises(InvalidInputError) as caught:
        simlab.nightly(file)
    told = "\n".join(caught.value.faults)
    for piece in (
        "wrong.toml: sweep[0]: nowhere: there is no such file",
        'wrong.toml: sweep[0].policies is "pipecatt"',
        'wrong.toml: sweep[1].set."link.los" is unknown',
        'wrong.toml: sweep[2].vary."link.loss": want at least one value',
    ):
        assert piece in told


MISTYPED = """
[[sweep]]
name = "a"
profiles = ["profiles/clean.toml"]
vary = { "link.rat" = "1Mbit/s,2Mbit/s", "link.loss" = ["3%", "4x"] }
[sweep.set]
"link.delay" = "5x"
"peers.media" = [1]
server = { mode = "one" }
"""


def test_a_wrong_value_is_told_with_its_key_in_the_suite(tmp_path):
    with pytest.raises(InvalidInputError) as caught:
        simlab.nightly(written(tmp_path, MISTYPED))
    started = [fault.partition(", want")[0].partition("small.toml: ")[2] for fault in caught.value.faults]
    assert sorted(started) == [
        'sweep[0].set."link.delay" is "5x"',
        'sweep[0].set."peers.media": peers.media[0] is 1',
        'sweep[0].set.server: server.mode is "one"',
        'sweep[0].vary."link.loss" is "4x"',
        'sweep[0].vary."link.rat" is unknown, did you mean "rate"?',
    ]


def test_what_is_wrong_on_the_command_line_is_told_as_it_was_typed(tmp_path):
    file = written(tmp_path, MISTYPED.replace('"5x"', '"5ms"'))
    with pytest.raises(InvalidInputError) as caught:
        simlab.nightly(file, set={"link.delay": "6x"})
    assert any(f'{file}: sweep[0]: --set link.delay is "6x"' in fault for fault in caught.value.faults)


def test_a_damaged_trend_is_told_with_the_line(tmp_path):
    trend = tmp_path / "trend.jsonl"
    append(trend, [{"suite": "other", "night": 1}])
    with trend.open("a") as file:
        file.write('{"suite": \n[1]\n')
    with pytest.raises(InvalidInputError) as caught:
        simlab.nightly(written(tmp_path), trend=trend)
    assert [fault.partition(": ")[2].partition(":")[0] for fault in caught.value.faults] == [
        "line 2",
        "line 3",
    ]


def test_what_is_no_record_of_a_night_is_told_with_the_line(tmp_path):
    trend = tmp_path / "trend.jsonl"
    append(trend, [{"suite": "other"}, {"suite": "small"}, {"suite": "small", "night": "two"}])
    with pytest.raises(InvalidInputError) as caught:
        simlab.nightly(written(tmp_path), trend=trend)
    told = [f"{trend}: line {number}: is no record of a night: want night" for number in (1, 2, 3)]
    assert caught.value.faults == tuple(told[1:])
    with pytest.raises(InvalidInputError) as caught:
        simlab.trend(trend)
    assert caught.value.faults == tuple(told)


@pytest.mark.parametrize(
    ("damage", "want"),
    [
        (lambda one: one["values"].update(down_time=["x"] * 10), "values.down_time"),
        (lambda one: one["values"].update(down_time=[1.0, 2.0]), "values.down_time"),
        (lambda one: one["values"].update(attempts=None), "values.attempts"),
        (lambda one: one["values"].update(attempts=[float("nan")] * 10), "values.attempts"),
        (lambda one: one["values"].update(attempts=[1e308] * 10), "values.attempts"),
        (lambda one: one.update(seeds=[[1]] * 10), "seeds"),
    ],
)
def test_numbers_of_a_trend_that_are_none_are_told_with_the_line(nights, tmp_path, damage, want):
    whole = records(nights[0] / "results" / "small-trend.jsonl")
    damage(whole[1])
    (tmp_path / "trend.jsonl").write_text("".join(json.dumps(one) + "\n" for one in whole))
    told = f"{tmp_path / 'trend.jsonl'}: line 2: is no record of a night: want {want}"
    with pytest.raises(InvalidInputError, match=re.escape(told)):
        simlab.trend(tmp_path / "trend.jsonl")


def test_a_damaged_study_is_no_baseline(nights, tmp_path):
    folder, _ = nights
    study = next(
        path for path in sorted((folder / "results").iterdir()) if path.name.endswith("small-blocked")
    )
    for name in ("study.toml", "sessions.parquet", "outages.parquet"):
        (tmp_path / name).write_bytes((study / name).read_bytes()[:3000])
    suite = SUITE.replace("[baseline]", f'[baseline]\nstudy = "{tmp_path}"')
    with pytest.raises(InvalidInputError, match=r"sessions\.parquet: "):
        simlab.nightly(written(tmp_path, suite))


def test_a_stored_study_as_the_baseline(nights, tmp_path):
    folder, (first, _, _) = nights
    study = next(
        path for path in sorted((folder / "results").iterdir()) if path.name.endswith("small-blocked")
    )
    suite = SUITE.replace("[baseline]", f'[baseline]\nstudy = "{study}"')
    file = written(folder, suite)
    part = plan(read_suite(file), file, 1, {})[0].parts[0]
    before = StudyBaseline(str(study)).of(part)
    assert before.changed == ""
    old = before.sample
    stored = json.loads((folder / "results" / "small-trend.jsonl").read_text().splitlines()[0])
    assert old.seeds == tuple(stored["seeds"])
    assert old.values["down_time"] == tuple(stored["values"]["down_time"])
    assert first.number == 1


def test_a_study_with_several_cells_for_one_of_the_suite_is_no_baseline(nights, tmp_path):
    folder, _ = nights
    study = next(
        path for path in sorted((folder / "results").iterdir()) if path.name.endswith("small-blocked")
    )
    for name in ("sessions.parquet", "outages.parquet"):
        once = pl.read_parquet(study / name)
        twice = [
            once.with_columns(pl.lit(value).alias("link.loss"), pl.col("session") + more)
            for value, more in (("1%", 0), ("5%", 1000))
        ]
        pl.concat(twice).write_parquet(tmp_path / name)
    suite = SUITE.replace("[baseline]", f'[baseline]\nstudy = "{tmp_path}"')
    with pytest.raises(InvalidInputError, match=r"several sessions of seed 1 of tunnel, pipecat"):
        simlab.nightly(written(tmp_path, suite))
