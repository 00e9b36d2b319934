"""``simlab run --verify-determinism``."""

import json
from pathlib import Path

SHORT = ("--set", "duration=3s", "--set", "peers.media=[]", "--verify-determinism")


def test_the_same_twice(simlab, here):
    result = simlab("run", "clean", "--seeds", "2", *SHORT)
    assert result.exit_code == 0, result.output
    said = "events in two processes, byte for byte"
    assert [line.endswith(said) for line in result.stdout.splitlines()] == [True, True]
    assert not (here / "results").exists()


def test_the_first_event_that_differs_is_named(simlab, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    result = simlab("run", "clean", "--server", "tests.apps.unsteady_bot:app", "--json", *SHORT)
    assert result.exit_code == 1, result.output
    (found,) = json.loads(result.stdout)
    assert not found["same"]
    events = [json.loads(found[name]) for name in ("first", "second")]
    assert [event["kind"] for event in events] == ["answer", "answer"]
    assert events[0]["pc_id"] != events[1]["pc_id"]


def test_in_real_time_nothing_is_the_same(simlab):
    result = simlab("run", "clean", "--clock", "real", *SHORT)
    assert result.exit_code == 2
    assert "--verify-determinism: clean runs under the real clock" in result.stderr
