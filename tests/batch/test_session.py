"""One session, from a scenario to a judged run."""

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import simlab
from simlab.batch import session
from simlab.batch.session import run_scenario, with_violations
from simlab.core.errors import InvalidInputError, SessionFailedError
from simlab.core.timeline import Event, Timeline
from simlab.profile.load import load
from simlab.profile.scenario import Scenario

PROFILES = Path(__file__).parents[2] / "profiles"
CLEAN = PROFILES / "clean.toml"
SHORT = {"duration": "3s", "peers.media": []}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> simlab.Run:
    return simlab.run(CLEAN, seed=7, set=SHORT, out=tmp_path_factory.mktemp("results"))


def test_a_run_has_what_the_interfaces_promise(run: simlab.Run) -> None:
    assert run.scenario.seed == 7
    assert run.metrics["duration_s"] == 3.0
    assert run.metrics["wall_s"] > 0.0
    assert run.failed is None
    assert [one["held"] for one in run.metrics["expectations"]] == [True, True, True]
    frame = run.timeline.frame()
    assert frame.height == len(run.timeline.events)
    assert frame["kind"][0] == "begin"
    assert run.plot().get_xlim() == (0.0, 3.0)
    assert run._repr_png_().startswith(b"\x89PNG")
    assert repr(run).startswith("<Run of clean, policy pipecat, seed 7, virtual clock, 3s: No outage")


def test_the_wall_time_is_in_the_metrics_alone(run: simlab.Run) -> None:
    assert run.folder is not None
    assert json.loads((run.folder / "metrics.json").read_text()) == run.metrics
    assert "wall_s" not in (run.folder / "timeline.jsonl").read_text()


def test_an_opened_run_is_the_run_again(run: simlab.Run) -> None:
    assert run.folder is not None
    again = simlab.open(run.folder)
    assert again == run
    assert again.account() == run.account()
    assert again.picture_png == (run.folder / "timeline.png").read_bytes()


def test_runs_are_equal_if_the_same_happened(run: simlab.Run) -> None:
    again = simlab.run(CLEAN, seed=7, set=SHORT)  # not saved, and not as fast to the millisecond
    slower = replace(again, metrics=again.metrics | {"wall_s": 9.0})
    assert run == again == slower
    assert len({run, again, slower}) == 1
    assert simlab.run(CLEAN, seed=8, set=SHORT) != run
    assert replace(again, metrics=again.metrics | {"clock": "real"}) != run
    assert run != "run"


def test_a_saved_scenario_runs_again_to_the_same_timeline(run: simlab.Run) -> None:
    assert run.folder is not None
    again = simlab.run(run.folder / "scenario.toml")
    assert again.timeline.to_text() == run.timeline.to_text()


def test_a_session_runs_inside_a_running_loop(run: simlab.Run) -> None:
    async def cell() -> simlab.Run:
        return simlab.run(CLEAN, seed=7, set=SHORT)

    assert asyncio.run(cell()).timeline.to_text() == run.timeline.to_text()


def test_without_out_nothing_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert simlab.run(CLEAN, set=SHORT).folder is None
    assert list(tmp_path.iterdir()) == []


def test_every_fault_of_the_arguments_is_told() -> None:
    with pytest.raises(InvalidInputError) as caught:
        simlab.run(CLEAN, policy="pipcat", set={"link.dely": 1, "peers": {"clients": 0}})
    assert len(caught.value.faults) == 3


def test_a_session_that_could_not_be_run_is_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_port(_: Scenario, __: Path | None) -> Timeline:
        raise SessionFailedError("server", "port 7860 is in use")

    monkeypatch.setitem(session.CLOCKS, "virtual", no_port)
    run = run_scenario(Scenario.of(load('expect.outages = "== 0"', "empty.toml")))
    assert run.metrics["expectations"] == []
    assert run.failed == Event(0.0, "session", "failed", {"stage": "server", "reason": "port 7860 is in use"})
    assert run.headline == "Failed (server): port 7860 is in use"
    assert run.picture_png.startswith(b"\x89PNG")


@pytest.mark.parametrize("before", [0, 1])
def test_an_interrupt_while_a_session_is_judged_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    virtual, judged = session.CLOCKS["virtual"], session.judged

    def run(scenario: Scenario, captured: Path | None) -> Timeline:
        for _ in range(before):  # another one, which cut the session short
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        return virtual(scenario, captured)

    def interrupted(*arguments: Any) -> simlab.Run:
        signal.raise_signal(signal.SIGINT)
        return judged(*arguments)

    monkeypatch.setitem(session.CLOCKS, "virtual", run)
    monkeypatch.setattr(session, "judged", interrupted)
    finished = run_scenario(Scenario.of(load('duration = "1s"\n[peers]\nmedia = []\n', "short.toml")))
    assert finished.interrupted
    assert finished.timeline.events[-1].is_a("session", "end")


def test_an_interrupt_before_anything_is_captured_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Scenario, __: Path | None) -> Timeline:
        raise KeyboardInterrupt

    monkeypatch.setitem(session.CLOCKS, "virtual", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_scenario(Scenario.of(load("", "empty.toml")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_violations_stand_in_the_timeline_before_its_end() -> None:
    dead = [
        Event(0.0, "session", "begin"),
        Event(0.1, "client", "transport_state", {"state": "connecting"}),
        Event(70.0, "session", "end", {"reason": "duration"}),
    ]
    found = with_violations(Timeline.of({"duration_s": 70.0, "media": []}, dead))
    (violation,) = found.select("session", "violation")
    assert violation["invariant"] == "connect-undecided"
    assert found.events[-1] == dead[-1]
    assert with_violations(Timeline.of(found.header, dead)) == found


INTERRUPTED_CELL = """
    import asyncio, os, signal, sys, threading
    import simlab, simlab.batch.door, simlab.batch.picture, simlab.virtual.session

    async def cell():
        simlab.run(sys.argv[1], set={"duration": "20h", "peers.media": []}, out=sys.argv[2])

    %s
    try:
        asyncio.new_event_loop().run_until_complete(cell())
    except KeyboardInterrupt:
        print("interrupted")
"""


SOON = "threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT]).start()"
AS_IT_BEGINS = """
    start = threading.Thread.start

    def interrupted(self):
        start(self)
        signal.raise_signal(signal.SIGINT)

    threading.Thread.start = interrupted
"""


@pytest.mark.parametrize("when", [SOON, AS_IT_BEGINS])
def test_ctrl_c_in_a_notebook_ends_the_session_and_keeps_it(tmp_path: Path, when: str) -> None:
    program = [sys.executable, "-c", textwrap.dedent(INTERRUPTED_CELL % when), str(CLEAN), str(tmp_path)]
    found = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (found.stdout, found.stderr) == ("interrupted\n", "")
    (folder,) = tmp_path.iterdir()
    assert folder.name.endswith("-failed")
    assert simlab.open(folder).interrupted


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("outages", None, "has no outages"),
        ("outages", "x", "outages is 'x', want a list"),
        ("usable_fraction", "x", "usable_fraction is 'x', want a number"),
        ("links", [3], "links is [3], want an object"),
    ],
)
def test_numbers_that_nothing_can_be_told_of_are_a_fault_of_the_file(tmp_path, key, value, told):
    folder = simlab.run("clean", set={"duration": "3s", "peers.media": []}, out=tmp_path).folder
    file = folder / "metrics.json"
    found = json.loads(file.read_text())
    del found[key]
    file.write_text(json.dumps(found if value is None else {**found, key: value}))
    with pytest.raises(simlab.InvalidInputError) as caught:
        simlab.open(folder)
    assert str(caught.value) == f"{file}: {told}"


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        (("outages",), [{"began_s": 1.0}], None),
        (("connect", "ice_s"), "soon", "connect.ice_s is 'soon', want a number"),
        (("links", "up", "dropped"), {"loss": 0.5}, "links.up.dropped.loss is 0.5, want a whole number"),
        (("messages", "down", "lost"), True, "messages.down.lost is True, want a whole number"),
        (("media", "up", "alive_at_end"), 1, "media.up.alive_at_end is 1, want true or false"),
        (("violations",), [7], "violations[0] is 7, want an object"),
    ],
)
def test_so_are_those_within_them(tmp_path, where, value, told):
    folder = simlab.run("clean", set={"duration": "3s", "peers.media": []}, out=tmp_path).folder
    file = folder / "metrics.json"
    found = inner = json.loads(file.read_text())
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    file.write_text(json.dumps(found))
    lacking = ("ended_s", "cause", "detected_s", "first_attempt_s", "attempts", "recovered_s")
    lacking += ("after_heal_s", "outcome")
    wanted = [told] if told else [f"has no outages[0].{key}" for key in lacking]
    with pytest.raises(simlab.InvalidInputError) as caught:
        simlab.open(folder)
    assert str(caught.value).splitlines() == [f"{file}: {fault}" for fault in wanted]
