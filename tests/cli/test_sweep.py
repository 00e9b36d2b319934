"""``simlab sweep``."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

import simlab as package

DOCS = Path(__file__).parents[2] / "docs"

SETTINGS = ["--set", "peers.media=[]", "--set", "duration=25s", "--jobs", "1"]


def test_a_study_is_told_in_a_table_and_saved(simlab, here):
    result = simlab(
        "sweep", "flaky", "--policy", "pipecat", "--policy", "never", "--seeds", "2", *SETTINGS, *FAULT
    )
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "4 of 4 sessions"
    headings = "policy sessions saved outages recovered half within 95 % within usable attempts violations"
    assert " ".join(lines[1].split()) == headings
    assert [line.split()[0] for line in lines[2:4]] == ["pipecat", "never"]
    (folder,) = (here / "results").iterdir()
    assert str(folder.relative_to(here)) == lines[-1]
    assert pl.read_parquet(folder / "sessions.parquet").height == 4


FAULT = ["--set", "fault=[{ kind = 'blackout', at = '3s', for = '16s' }]"]


def test_json_is_all_there_is_on_stdout(simlab, here):
    result = simlab(
        "sweep", "flaky", "--seeds", "1", "--vary", "link.loss=0%,5%", "--json", *SETTINGS, *FAULT
    )
    found = json.loads(result.stdout)
    assert (found["sessions"], found["failures"]) == (2, [])
    assert [cell["link.loss"] for cell in found["cells"]] == ["0%", "5%"]
    assert found["cells"][0]["policy"] == "pipecat"


def test_what_is_wrong_is_told_and_nothing_is_left(simlab, here):
    result = simlab("sweep", "flaky", "--vary", "link.los=1%,2%", "--policy", "pipecatt")
    assert result.exit_code == 2
    assert 'link.los is unknown, did you mean "loss"?' in result.stderr
    assert '--policy is "pipecatt"' in result.stderr
    assert not (here / "results").exists()


def test_a_saved_study_runs_again_and_takes_nothing_else(simlab, here):
    first = simlab("sweep", "flaky", "--seeds", "2", "--quiet", *SETTINGS, *FAULT).stdout.strip()
    (here / "profiles").unlink()
    again = simlab("sweep", first, "--quiet", "--jobs", "1").stdout.strip()
    assert again != first
    for name in ("study.toml", "sessions.parquet", "outages.parquet"):
        assert (here / again / name).read_bytes() == (here / first / name).read_bytes()
    for options, told in {
        ("--seeds", "20"): "no --seeds",
        ("--policy", "never", "--set", "link.loss=1%"): "no policies, no settings",
        ("--until-width", "0.1"): "no width",
        ("flaky",): "no other profiles",
    }.items():
        result = simlab("sweep", first, *options)
        assert (result.exit_code, told in result.stderr) == (2, True), result.output


def test_one_line_of_sql(simlab, here):
    """As docs/studies.md has it."""
    folder = simlab("sweep", "flaky", "--seeds", "2", "--quiet", *SETTINGS, *FAULT).stdout.strip()
    (text,) = re.findall(r"^ +(simlab\.open\(.*)$", (DOCS / "studies.md").read_text(), re.MULTILINE)
    (other,) = re.findall(r"^ +(polars\.sql\(.*)$", (DOCS / "studies.md").read_text(), re.MULTILINE)
    found = [
        eval(line.replace("results/20261124T173048Z-flaky", folder), {"simlab": package, "polars": pl})
        for line in (text, other)
    ]
    assert found[0].equals(found[1])
    assert found[0].rows() == [("pipecat", 0.5)]


def test_a_cell_that_knows_enough_stops(simlab, here):
    options = ("--until-width", "0.6", "--seeds", "9", "--json")
    found = json.loads(simlab("sweep", "flaky", *options, *SETTINGS, *FAULT).stdout)
    assert found["sessions"] == 7
    low, high = found["cells"][0]["success_rate_interval"]
    assert high - low <= 0.6


def test_what_resume_cannot_go_on_with_is_told(simlab, here):
    result = simlab("sweep", "flaky", "--resume", "nowhere", *SETTINGS, *FAULT)
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: --resume nowhere: is not an unfinished study\n",
    )
    begun = simlab("sweep", "flaky", "--seeds", "1", *SETTINGS, *FAULT, "--resume")
    assert (begun.exit_code, begun.stderr) == (0, "Nothing to go on with in results: begun anew.\n")


@pytest.mark.parametrize("command", ["run", "sweep", "hunt"])
def test_more_seeds_than_can_be_are_refused_at_once(simlab, command):
    result = simlab(command, "clean", "--seeds", "200000000000")
    assert result.exit_code == 2
    assert "200000000000 is not in the range 1<=x<=1000000" in result.stderr


def test_a_study_of_more_seeds_than_can_be_is_not_run_again(simlab):
    settings = ["--set", "peers.media=[]", "--set", "duration=4s", "--jobs", "1"]
    assert simlab("sweep", "clean", "--seeds", "1", "--out", "out", *settings).exit_code == 0
    (folder,) = Path("out").iterdir()
    file = folder / "study.toml"
    file.write_text(file.read_text().replace("seeds = 1\n", "seeds = 200000000000\n"))
    result = simlab("sweep", str(folder))
    told = f"Error: {file}: seeds is 200000000000, want 1 to 1,000,000\n"
    assert (result.exit_code, result.stderr) == (2, told)
