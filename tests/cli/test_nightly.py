"""``simlab nightly``."""

import json

import pytest
import xunitparser

from simlab import store
from simlab.batch import executors, session
from simlab.batch.nightly import PlannedNight, Wishes
from simlab.core.errors import SessionFailedError, SimlabError

SUITE = """
description = "short"
[[sweep]]
name = "line"
profiles = ["clean"]
seeds = 2
set = { duration = "3s", "peers.media" = [] }
[sweep.expect]
violations = "EXPECTED"
"""


@pytest.fixture
def suite(here):
    def suite(expected="== 0", text=SUITE):
        (here / "tiny.toml").write_text(text.replace("EXPECTED", expected))
        return "tiny.toml"

    return suite


def nightly(simlab, suite, *more):
    return simlab("nightly", suite, "--jobs", "1", *more)


def test_a_night_is_told_in_a_table_and_saved(simlab, here, suite):
    result = nightly(simlab, suite(), "--junit", "junit.xml", "--markdown", "summary.md")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    columns = "sweep profile policy sessions saved 95 % within usable violations baseline expected"
    assert " ".join(lines[0].split()) == columns
    assert lines[1].split()[:4] == ["line", "clean", "pipecat", "2"]
    assert lines[-3] == "Night 1 of tiny: nothing failed in 5 checks."
    assert lines[-1] == "results/tiny-trend.jsonl"
    assert sorted(path.name for path in (here / lines[-2]).iterdir()) == [
        "junit.xml",
        "suite.toml",
        "summary.md",
    ]
    with (here / "junit.xml").open() as file:
        _, read = xunitparser.parse(file)
    assert (read.testsRun, len(read.failures)) == (5, 0)
    assert (here / "summary.md").read_text().startswith("### 🟢 Night 1 of tiny: nothing failed in 5 checks.")


def test_where_files_cannot_be_written_is_told_before_the_night(simlab, here, suite):
    (here / "folder").mkdir()
    result = nightly(simlab, suite(), "--junit", "nowhere/junit.xml", "--markdown", "folder")
    assert (result.exit_code, result.stdout) == (2, "")
    told = "Error:\n  --junit nowhere/junit.xml: there is no folder nowhere\n"
    assert result.stderr == told + "  --markdown folder: is a folder, want a file\n"
    assert list((here / "results").iterdir()) == []
    assert nightly(simlab, suite(), "--junit", "results/junit.xml").exit_code == 0


def test_what_failed_exits_with_1(simlab, suite):
    result = nightly(simlab, suite("> 0"), "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["passed"] is False
    (check,) = [one for one in found["cells"][0]["checks"] if one["kind"] == "expectation"]
    assert (check["what"], check["verdict"]) == ("violations > 0", "failed")


def test_what_cannot_be_told_fails_where_the_suite_says_so(simlab, suite):
    strict = 'undecided = "fail"\n' + SUITE + 'success_rate = ">= 0.99"\n'
    result = nightly(simlab, suite(text=strict))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-3] == "Night 1 of tiny failed: of 6 checks 1 can't be told."


def test_sessions_that_could_not_be_run_exit_with_3(simlab, here, suite, monkeypatch):
    def no_port(*_):
        raise SessionFailedError("server", "port 7860 is in use")

    monkeypatch.setitem(session.CLOCKS, "virtual", no_port)
    result = nightly(simlab, suite(), "--junit", "junit.xml")
    assert result.exit_code == 3
    finding = "Night 1 of tiny: nothing failed in 0 checks. 2 sessions could not be run."
    assert finding in result.stdout.splitlines()
    with (here / "junit.xml").open() as file:
        _, read = xunitparser.parse(file)
    assert len(read.errors) == 1


def test_what_is_wrong_is_told_and_nothing_is_left(simlab, here, suite):
    result = nightly(simlab, suite("= 0", SUITE + 'sucess_rate = ">= 1"\n'))
    assert result.exit_code == 2
    assert "tiny.toml: sweep[0].expect.violations is" in result.stderr
    assert 'tiny.toml: sweep[0].expect.sucess_rate is unknown, did you mean "success_rate"?' in result.stderr
    assert not (here / "results").exists()


def test_a_suite_is_no_profile_and_is_checked_with_them(simlab, here):
    checked = simlab("profiles", "check", "profiles/nightly.toml", "profiles/clean.toml")
    assert checked.stdout == "1 profile and 1 suite: nothing is wrong.\n"
    run = simlab("run", "profiles/nightly.toml")
    assert (run.exit_code, run.stderr) == (
        2,
        "Error: profiles/nightly.toml: is a suite for simlab nightly, want a profile\n",
    )


def test_the_schema_that_suites_name_is_the_one_that_is_printed(simlab, here):
    printed = simlab("profiles", "schema", "--suite").stdout
    committed = (here / "profiles" / "suite.schema.json").read_text()
    assert committed == printed, "simlab profiles schema --suite > profiles/suite.schema.json"


def test_interrupted_is_130_and_not_in_the_trend(simlab, here, suite, monkeypatch):
    def ended(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(session.CLOCKS, "virtual", ended)
    result = nightly(simlab, suite())
    assert result.exit_code == 130
    assert "was interrupted: nothing is judged" in result.stdout
    assert "trend" not in result.stdout
    assert not (here / "results" / "tiny-trend.jsonl").exists()


def test_what_a_full_disk_does_not_take_is_judged_and_told_all_the_same(simlab, here, suite, monkeypatch):
    def full(parent, *_):
        raise SimlabError(f"{parent}: the folder could not be written: no space left on device")

    monkeypatch.setattr(store, "save_files", full)
    result = nightly(simlab, suite())
    assert result.exit_code == 3
    assert "Night 1 of tiny: nothing failed in 5 checks." in result.stdout.splitlines()
    assert result.stderr == "Error: results: the folder could not be written: no space left on device\n"
    assert (here / "results" / "tiny-trend.jsonl").exists()


def test_interrupted_says_how_to_go_on_and_does(simlab, here, suite, monkeypatch):
    real, left = executors.Here.finished, [1]

    def ending(self):
        for outcome in real(self):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            yield outcome

    monkeypatch.setattr(executors.Here, "finished", ending)
    result = nightly(simlab, suite(), "--set", "duration=4s")
    assert result.exit_code == 130
    command = "simlab nightly tiny.toml --out results --set duration=4s --resume"
    over = "Stopping, with 1 session over and kept. Ctrl-C again leaves out what they come to."
    assert result.stderr == f"{over}\nInterrupted. To go on: {command}\n"
    (folder,) = (here / "results").glob("*-unfinished")
    monkeypatch.setattr(executors.Here, "finished", real)
    other = nightly(simlab, suite(), "--resume", "--quiet", "--trend", "other.jsonl")
    told = other.stderr.splitlines()
    assert told[0].startswith(f"line: results/{folder.name} is another study: set is ")
    assert told[1:] == ["line: Nothing to go on with in results: begun anew."]
    done = simlab(*command.split()[1:])
    assert (done.exit_code, done.stderr) == (
        0,
        f"line: Going on with results/{folder.name}: 1 of 2 sessions are there.\n",
    )


def test_a_night_that_another_process_runs_is_not_gone_on_with(simlab, here, suite, monkeypatch):
    monkeypatch.setattr(executors.Here, "finished", lambda _: iter(()))
    planned = PlannedNight(suite(), Wishes(here / "results", None, 1))
    with planned.begun():
        result = nightly(simlab, suite(), "--resume")
    assert result.exit_code == 2
    assert "another process is running this study" in result.stderr


def test_what_has_changed_since_the_baseline_is_told_everywhere(simlab, here, suite):
    line = 'vary = { "link.loss" = ["0%", "1%"] }\n[sweep.expect]'
    assert nightly(simlab, suite(text=SUITE.replace("[sweep.expect]", line))).exit_code == 0
    changed = SUITE.replace('"3s"', '"4s"').replace("[sweep.expect]", line.replace("1%", "2%"))
    files = ("--junit", "junit.xml", "--markdown", "summary.md")
    result = nightly(simlab, suite(text=changed), "--trend", "results/tiny-trend.jsonl", *files)
    assert result.exit_code == 0
    begins = "not compared, a new baseline begins with this night"
    told = f"the profile has changed since night 1 (duration was 3s, is 4s): {begins}"
    lines = result.stdout.splitlines()
    assert lines[3:7] == [
        "",
        f"line: clean, pipecat, link.loss=0%: {told}",
        f"line: clean, pipecat, link.loss=2%: no night before had it: {begins}",
        "line: clean, pipecat, link.loss=1%: the night before had it, this one has not",
    ]
    lost = "2 cells are not as in the baseline. 1 cell of the night before is missing."
    finding = f"nothing failed in 10 checks. {lost}"
    assert lines[8] == f"Night 2 of tiny: {finding}"
    written = (here / "summary.md").read_text().splitlines()
    assert written[0] == f"### 🟢 Night 2 of tiny: {finding}"
    assert written[2] == f"- 🟡 **line: clean, pipecat, link.loss=0%**: {told}"
    assert sum(line.startswith("| 🟡 |") for line in written) == 2
    with (here / "junit.xml").open() as file:
        read, _ = xunitparser.parse(file)
    skipped = [case.message for case in read if case.result == "skipped"]
    assert skipped[0] == f"success rate: no baseline, {told}"
    third = json.loads(nightly(simlab, suite(text=changed), "--json").stdout)
    assert (third["night"], third["missing"]) == (3, [])
    assert [cell["changed"] for cell in third["cells"]] == [None, None]
    assert {one["verdict"] for one in third["cells"][0]["checks"] if one["kind"] == "comparison"} == {"same"}


def test_a_key_that_changes_nothing_in_one_of_the_policies_is_noted_everywhere(simlab, here, suite):
    line = 'policies = ["pipecat", "never"]\n[sweep.expect]'
    text = SUITE.replace("[sweep.expect]", line).replace(
        "duration =", '"policy.retry_delay" = "3s", duration ='
    )
    stays = "changes nothing in the policy never, which stays as it is: max_attempts is 0"
    told = f"line: policy.retry_delay {stays}"
    result = nightly(simlab, suite(text=text), "--junit", "junit.xml", "--markdown", "summary.md", "--json")
    assert told in result.stderr
    assert json.loads(result.stdout)["notes"] == [told]
    assert f"- {told.replace('_', chr(92) + '_')}" in (here / "summary.md").read_text().splitlines()
    assert (here / "junit.xml").read_text().count(f'<property name="notes" value="{told}" />') == 1


def test_a_trend_that_cannot_be_written_is_told_before_the_night(simlab, here, suite):
    result = nightly(simlab, suite(), "--trend", "tiny.toml/trend.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: --trend tiny.toml: it is a file, want a folder\n"
    assert list((here / "results").iterdir()) == []
    assert nightly(simlab, suite(), "--trend", "new/trend.jsonl", "--out", "other").exit_code == 0
    assert [path.name for path in (here / "new").iterdir()] == ["trend.jsonl"]


def test_a_night_whose_studies_find_no_room_is_told_and_gone_on_with(simlab, here, suite, monkeypatch):
    def full(self, _):
        raise store.StudyNotWrittenError(f"no room; {self.option} goes on")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.Unfinished, "add", full)
        result = nightly(simlab, suite())
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-2] == "Night 1 of tiny: nothing failed in 5 checks."
    assert result.stdout.splitlines()[-1].endswith("-tiny-night-1")
    assert result.stderr == "Error: no room; simlab nightly tiny.toml --out results --resume goes on\n"
    assert not (here / "results" / "tiny-trend.jsonl").exists()
    monkeypatch.setattr(executors, "run_scenario", None)
    again = nightly(simlab, suite(), "--resume")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "results/tiny-trend.jsonl")
    assert list((here / "results").glob("*-unfinished")) == []


def test_colours_in_what_an_application_raises_are_escaped_in_every_file(simlab, here, suite, monkeypatch):
    (here / "colour_bot.py").write_text("def app():\n    raise RuntimeError('\\x1b[31mred\\x00 \\udcff')\n")
    monkeypatch.syspath_prepend(here)
    text = SUITE.replace("set = {", 'set = { "peers.server" = "colour_bot:app",')
    result = nightly(simlab, suite(text=text), "--junit", "junit.xml", "--markdown", "summary.md")
    assert result.exit_code == 3, result.output
    with (here / "junit.xml").open() as file:
        _, read = xunitparser.parse(file)
    assert r"RuntimeError: \x1b[31mred\x00 \udcff" in read.errors[0][1]
    assert "\x1b" not in (here / "summary.md").read_text()
