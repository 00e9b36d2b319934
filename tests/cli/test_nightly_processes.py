"""A night that is killed, in a process of its own."""

import time
from pathlib import Path

import pytest

from simlab.store import records
from tests.batch.studies import contents
from tests.batch.test_nightly_resume import written

pytestmark = pytest.mark.timeout(300)


def test_a_killed_night_goes_on_to_the_same_night(start, simlab, here):
    written(here)
    process = start("nightly", "small.toml", "--jobs", "2")
    while sum(file.read_bytes().count(b"\n") for file in Path("results").glob("*/journal.jsonl")) < 3:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    journals = list(Path("results").glob("*/journal.jsonl"))
    assert len(journals) == 2
    over = sum(file.read_bytes().count(b"\n") for file in journals)
    night = simlab("nightly", "small.toml", "--jobs", "2", "--resume")
    counts = [line.partition("unfinished: ")[2].split() for line in night.stderr.splitlines()]
    assert sum(int(words[0]) for words in counts) == over
    assert simlab("nightly", "small.toml", "--jobs", "2", "--out", "whole").exit_code == night.exit_code
    for name in ("outages", "lossy"):
        (cut,), (whole,) = (list(Path(out).glob(f"*-small-{name}")) for out in ("results", "whole"))
        assert contents(cut) == contents(whole)
    kept = [
        [{**one, "at": None} for one in records(Path(out) / "small-trend.jsonl")]
        for out in ("results", "whole")
    ]
    assert kept[0] == kept[1]
