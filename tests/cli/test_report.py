"""``simlab report``."""

import html
import json
import re
import shlex
import shutil
import sys
import tomllib

import polars as pl
import pytest
import tomli_w

import simlab as python
from simlab.batch import reporting

SHORT = ["--set", "peers.media=[]", "--set", "duration=25s", "--jobs", "1"]
FAULT = ["--set", "fault=[{ kind = 'blackout', at = '3s', for = '16s' }]"]
EVIL = "<script>.toml"
PROFILE = """
description = "<script>alert(1)</script>"
[link]
delay = "30ms"
[[fault]]
kind = "blackout"
at = "3s"
for = "16s"
"""


def commands(page):
    return [html.unescape(text) for text in re.findall(r"<code>(simlab .*?)</code>", page, re.DOTALL)]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A study of two policies and two lengths, whose profile has a name to be careful with."""
    place = tmp_path_factory.mktemp("swept")
    (place / EVIL).write_text(PROFILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        varied, settings = {"fault[0].for": ["4s", "16s"]}, {"peers.media": [], "duration": "25s"}
        policies = ["pipecat", "never"]
        python.sweep([EVIL], policies=policies, seeds=1, jobs=1, vary=varied, set=settings, out="results")
    return place / "results"


@pytest.fixture
def study(swept, here):
    (here / EVIL).write_text(PROFILE)
    shutil.copytree(swept, here / "results")
    (folder,) = (here / "results").iterdir()
    return folder


def test_a_sweep_leaves_a_report_that_lists_the_worst_sessions(study):
    page = (study / "report.html").read_text()
    found = commands(page)
    assert len(found) == 5  # four sessions and the study
    assert len(set(found)) == 5
    assert "simlab report draws their timelines" in page
    assert 'aria-label="Timeline:' not in page
    assert EVIL not in page


def test_the_report_has_their_timelines_and_each_command_runs_that_session(simlab, study):
    result = simlab("report", str(study), "--worst", "2", "--jobs", "1")
    assert (result.exit_code, result.stdout) == (0, f"{study / 'report.html'}\n"), result.output
    page = (study / "report.html").read_text()
    assert page.count('aria-label="Timeline:') == 2
    assert "<script" not in page
    rows = {row["session"]: row for row in python.open(study).sessions.to_dicts()}
    numbers = re.findall(r'<details class="session" id="session-(\d+)"', page)
    assert len(numbers) == 2
    for number, text in zip(numbers, commands(page), strict=False):
        again = simlab(*shlex.split(text)[1:], "--json")
        metrics = json.loads(again.stdout)
        row = rows[int(number)]
        assert (metrics["policy"], metrics["seed"]) == (row["policy"], row["seed"])
        assert metrics["usable_fraction"] == row["usable_fraction"]
        assert metrics["messages"]["up"]["delivered"] == row["messages_up_delivered"]
    assert "differs from what the study has" not in page


def test_the_same_study_gives_the_same_bytes_whatever_the_jobs(simlab, study, here):
    for jobs in ("1", "2"):
        out = ["--out", str(here / f"{jobs}.html")]
        assert simlab("report", str(study), "--worst", "2", "--jobs", jobs, *out).exit_code == 0
    assert (here / "1.html").read_bytes() == (here / "2.html").read_bytes()


def test_the_study_alone_is_enough(simlab, study, here):
    (here / EVIL).unlink()
    assert simlab("report", str(study), "--worst", "1", "--jobs", "1").exit_code == 0
    assert (study / "report.html").read_text().count('aria-label="Timeline:') == 1


def test_what_is_not_the_same_any_more_is_told(simlab, study):
    saved = python.open(study)
    saved.sessions.with_columns(messages_up_sent=pl.lit(7, pl.Int64)).write_parquet(
        study / "sessions.parquet"
    )
    assert simlab("report", str(study), "--worst", "1", "--jobs", "1").exit_code == 0
    assert "differs from what the study has of this session" in (study / "report.html").read_text()
    next((study / "cells").iterdir()).write_text("")
    result = simlab("report", str(study), "--worst", "4", "--jobs", "1")
    assert result.exit_code == 2
    assert "was changed since the study ran" in result.stderr


def test_a_session_that_could_not_be_run_is_the_worst(simlab, here):
    (here / "plain.toml").write_text('[[fault]]\nkind = "blackout"\nat = "2s"\nfor = "3s"\n')
    result = simlab("sweep", "plain.toml", "--seeds", "1", "--quiet", *SHORT)
    assert result.exit_code == 0, result.output
    folder = here / result.stdout.strip()
    failed = {"session": 0, "profile": "plain", "policy": "pipecat", "seed": 9, "stage": "x", "reason": "<b>"}
    (folder / "failures.jsonl").write_text(json.dumps(failed) + "\n")
    assert simlab("report", str(folder.relative_to(here)), "--worst", "1", "--jobs", "1").exit_code == 0
    page = (folder / "report.html").read_text()
    assert "could not be run (x): &lt;b&gt;" in page
    assert f"simlab run {folder.relative_to(here)}/cells/000-plain-pipecat.toml --seed 9" in page


def test_a_run_has_a_page_too(simlab, here):
    folder = simlab("run", "clean", "--quiet", *SHORT, *FAULT).stdout.strip()
    result = simlab("report", folder)
    assert (result.exit_code, result.stdout) == (0, f"{folder}/report.html\n")
    page = (here / folder / "report.html").read_text()
    assert page.count("<svg") == 1
    assert "The client was ready after" in page
    (told,) = commands(page)
    assert told == f"simlab run {folder}/scenario.toml"
    metrics = json.loads((here / folder / "metrics.json").read_text())
    again = json.loads(simlab(*shlex.split(told)[1:], "--json").stdout)
    assert {name for name, value in metrics.items() if again[name] != value} <= {"wall_s"}


def test_what_is_wrong_is_told(simlab, here):
    assert "nowhere: no such folder" in simlab("report", "nowhere").stderr
    (here / "broken").mkdir()
    (here / "broken" / "study.toml").write_text("profiles = 3\n")
    result = simlab("report", "broken")
    assert result.exit_code == 2
    assert "broken/" in result.stderr
    result = simlab("report", "broken", "--out", "nowhere/page.html")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: --out nowhere/page.html: there is no folder nowhere\n",
    )


def test_where_no_page_can_be_written_no_session_runs_again(simlab, study, monkeypatch):
    monkeypatch.setattr(reporting, "replays", lambda *_: pytest.fail("sessions were run in vain"))
    result = simlab("report", str(study), "--out", "/proc/page.html")
    assert result.exit_code == 3
    assert result.stderr.startswith("Error: /proc/page.html: the file could not be written: ")


def test_python_writes_the_same_page_and_wants_a_saved_study(simlab, study):
    printed = simlab("report", str(study), "--worst", "1", "--jobs", "1", "--json").stdout
    assert json.loads(printed) == {"page": str(study / "report.html")}
    by_command = (study / "report.html").read_bytes()
    assert python.open(study).report(worst=1, jobs=1).read_bytes() == by_command
    unsaved = python.sweep(["clean"], seeds=1, jobs=1, set={"peers.media": [], "duration": "4s"})
    with pytest.raises(python.core.errors.InvalidInputError, match="not saved"):
        unsaved.report()


def test_nothing_is_imported_of_a_study_that_is_opened(simlab, here, monkeypatch):
    (here / "told_policy.py").write_text(
        "open('imported', 'a').close()\n"
        "from simlab.reconnect.rules import Rules\n"
        "class Own(Rules):\n    pass\n"
    )
    monkeypatch.syspath_prepend(here)
    (here / "own.toml").write_text(
        'duration = "3s"\n[peers]\nmedia = []\n[policy]\nname = "told_policy:Own"\n'
    )
    assert simlab("sweep", "own.toml", "--seeds", "1", "--jobs", "1").exit_code == 0
    (folder,) = map(str, (here / "results").iterdir())
    suite = f'[baseline]\nstudy = "{folder}"\n[[sweep]]\nname = "a"\nprofiles = ["clean"]\nseeds = 1\n'
    (here / "suite.toml").write_text(suite + 'set = { duration = "3s", "peers.media" = [] }\n')
    profiles = here / "profiles"
    profiles.unlink()
    profiles.mkdir()
    (here / "own.toml").rename(profiles / "own.toml")
    (here / "imported").unlink()
    sys.modules.pop("told_policy")
    for arguments in (
        ("report", folder, "--worst", "0"),
        ("compare", folder, folder),
        ("plot", folder),
        ("nightly", "suite.toml", "--jobs", "1"),
        ("profiles",),
    ):
        result = simlab(*arguments)
        assert (result.exit_code, "told_policy" in sys.modules) == (0, False), (arguments, result.output)
    assert not (here / "imported").exists()
    assert simlab("report", folder, "--worst", "1", "--jobs", "1").exit_code == 0


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("seeds", "0", "seeds is 0, want 1 to 1,000,000"),
        ("seeds", "200000000000", "seeds is 200000000000, want 1 to 1,000,000"),
        ("cell", "3", "cell is 3, want a list of tables"),
        ("notes", '"x"', 'notes is "x", want a list'),
    ],
)
def test_a_study_toml_of_another_form_is_told(simlab, study, key, text, told):
    file = study / "study.toml"
    tables = tomllib.loads(file.read_text()) | tomllib.loads(f"{key} = {text}")
    file.write_text(tomli_w.dumps(tables))
    result = simlab("report", str(study), "--worst", "0")
    assert (result.exit_code, result.stderr) == (2, f"Error: {study}/study.toml: {told}\n")
