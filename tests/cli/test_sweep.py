"""``simlab sweep``."""

import json

import polars as pl

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
