"""Sessions that differ in their policy alone are run together, and come to what each comes to alone."""

import asyncio
import os
import random
import signal
from dataclasses import replace

import pytest

from simlab.batch import branches
from simlab.batch.alike import Waiting, run_together, run_unit
from simlab.batch.branches import BranchError, Branches
from simlab.batch.outcome import outcome_of
from simlab.batch.plan import Matrix, PlannedCell, plan
from simlab.batch.scenarios import Wanted
from simlab.batch.session import run_scenario
from simlab.core.errors import SessionFailedError
from simlab.profile import Scenario, load
from simlab.reconnect.policy import POLICIES
from simlab.virtual.session import run

FLAKY = """
duration = "60s"
[peers]
media = []
[link]
delay = "40ms"
jitter = "10ms"
loss = { model = "gilbert-elliott", loss = "3%", burst = 4 }
[[fault]]
kind = "blackout"
at = "4s"
for = "16s"
[[fault]]
kind = "block"
at = "30s"
for = "18s"
match = ["stun"]
[[fault]]
kind = "signalling"
at = "30s"
for = "18s"
how = "status 503"
"""
RESTARTS = """
duration = "40s"
[link]
delay = "20ms"
[[fault]]
kind = "client-freeze"
at = "2s"
for = "9s"
[[fault]]
kind = "server-restart"
at = "15s"
for = "3s"
[[fault]]
kind = "tab-closed"
at = "35s"
"""
STORM = """
duration = "30s"
[peers]
media = []
clients = 4
arriving = "2s"
[link]
delay = "30ms"
[[fault]]
kind = "server-restart"
at = "6s"
for = "4s"
"""


def scenarios(text, seed, policies=tuple(POLICIES)):
    profile = load(text, "alike.toml")
    return [Scenario.of(profile, policy_name=name, seed=seed) for name in policies]


def text_of(number, timeline, _):
    return number, timeline.to_text()


@pytest.mark.parametrize("text", [FLAKY, RESTARTS, STORM])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_policys_timeline_is_that_which_it_has_alone(text, seed):
    several = scenarios(text, seed)
    together = dict(run_together(several, text_of))
    assert sorted(together) == list(range(len(several)))
    for number, scenario in enumerate(several):
        assert together[number] == run(scenario).to_text(), scenario.policy_name


UNCAUGHT_AT_S = (2.0, 55.0)


def test_what_nobody_caught_is_logged_with_the_policies_that_the_session_stands_for(monkeypatch, caplog):
    """At 2 s all want the same, at 55 s each is on its own, in a process whose log is gone with it."""

    def raise_later(*_):
        for at_s in UNCAUGHT_AT_S:
            asyncio.get_event_loop().call_at(at_s, divmod, 1, 0)

    def logged(number, *_):
        return number, [record.message.partition(", at ")[0] for record in caplog.records]

    monkeypatch.setattr("simlab.virtual.session.record_faults", raise_later)
    names = ["pipecat", "livekit", "never"]
    found = run_together(scenarios(FLAKY, 1, names), logged)
    said = {names[number]: messages for number, messages in found}
    told = "seed 1, virtual clock, 60s"
    assert said == {
        name: [f"alike, policies pipecat, livekit, never, {told}", f"alike, policy {name}, {told}"]
        for name in names
    }


def forever():
    return False


def branching(work, is_stopped=forever):
    """Return what the branches of some work come to; the work is given what chooses."""
    several = Branches(is_stopped)
    return several.run(lambda: work(several.choose))


def test_each_branch_may_branch_again():
    def work(choose):
        first = choose([[0, 1], [2, 3], [4]])
        return list(choose([[number] for number in first])) if len(first) > 1 else list(first)

    assert sorted(branching(work)) == [[0], [1], [2], [3], [4]]


def test_copies_have_the_same_luck(monkeypatch):
    random.seed(7)
    drawn = branching(lambda choose: (choose([[0], [1], [2]]), random.random())[1])
    assert len(drawn) == 3
    assert len(set(drawn)) == 1


def test_a_copy_knows_the_task_that_it_is_in_and_all_others():
    """Python 3.14 forgets both in a copy; so nothing could wait there with a time limit."""

    async def in_a_task(choose):
        other = asyncio.create_task(asyncio.sleep(60), name="other")
        asyncio.current_task().set_name("own")
        await asyncio.sleep(0)
        choose([[0], [1]])
        names = sorted(task.get_name() for task in asyncio.all_tasks())
        other.cancel()
        async with asyncio.timeout(60):
            await asyncio.wait([other])
        return names, len(asyncio.all_tasks())

    assert branching(lambda choose: asyncio.run(in_a_task(choose))) == 2 * [(["other", "own"], 1)]


def test_what_dies_is_missing():
    def work(choose):
        if choose([[0], [1]]) == [1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return "over"

    assert branching(work) == ["over"]


def test_what_a_copy_raises_is_told_with_where():
    def work(choose):
        if choose([[0], [1]]) == [1]:
            raise ZeroDivisionError("in the copy")

    with pytest.raises(BranchError, match=r"in work\n(.*\n)*ZeroDivisionError: in the copy"):
        branching(work)


def test_a_choice_does_not_raise_what_a_copy_does():
    """A session chooses in a callback of its loop, which would only log it, and go on."""
    chosen = []

    def work(choose):
        chosen.append(choose([[0], [1]]))
        if chosen == [[1]]:
            raise ZeroDivisionError
        chosen.append("went on")

    with pytest.raises(BranchError):
        branching(work)
    assert chosen == [[0], "went on"]


def test_what_dies_while_it_tells_is_missing(monkeypatch):
    def leave(self, _):
        os.write(self._to_parent, b"half of")
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Branches, "_leave", leave)
    assert branching(lambda choose: choose([[0], [1]])) == [[0]]


def test_nothing_more_is_begun_when_it_is_to_stop():
    assert branching(lambda choose: choose([[0], [1]]), is_stopped=lambda: True) == [[0]]


def taken(sessions, takers=1):
    """Return the units in which sessions are taken."""
    waiting = Waiting(takers)
    waiting.add(sessions)
    found = []
    while waiting:
        found.append(waiting.take())
    return found


def unit_of(profile, policies, **wanted):
    """Return the sessions of one seed."""
    found = plan(Matrix(Wanted([profile], policies, seeds=1, **wanted)))
    (unit,) = taken(found.session(number) for number in range(len(found)))
    return unit


@pytest.fixture
def unit(tmp_path):
    file = tmp_path / "flaky.toml"
    file.write_text(FLAKY)
    return unit_of(str(file), ["pipecat", "livekit", "never"])


@pytest.fixture
def alone(unit):
    return [outcome_of(one.labels, run_scenario(one.scenario)) for one in unit]


def rows(outcomes):
    return [outcome.record() for outcome in outcomes]


def test_a_unit_comes_to_what_its_sessions_come_to(unit, alone):
    assert rows(run_unit(unit, forever)) == rows(alone)


def test_sessions_whose_copies_die_are_run_by_themselves(unit, alone, monkeypatch):
    monkeypatch.setattr(Branches, "_leave", lambda *_: os._exit(1))
    assert rows(run_unit(unit, forever)) == rows(alone)


def test_sessions_are_run_one_by_one_where_no_process_can_be_copied(unit, alone, monkeypatch):
    monkeypatch.setattr(branches.sys, "platform", "darwin")
    monkeypatch.setattr(branches.os, "fork", None)
    assert rows(run_unit(unit, forever)) == rows(alone)


def test_sessions_that_cannot_begin_are_failures_each(unit, monkeypatch):
    def fail(*_, **__):
        raise SessionFailedError("server", "there is none")

    monkeypatch.setattr("simlab.virtual.session.run", fail)
    failed = [outcome.failed for outcome in run_unit(unit, forever)]
    assert [(one["session"], one["stage"], one["reason"]) for one in failed] == [
        (number, "server", "there is none") for number in range(3)
    ]


def numbers(found):
    return [[session.number for session in unit] for unit in found]


def test_sessions_of_a_seed_are_taken_together(unit):
    a, b, c = unit
    other = replace(a, number=7, alike=None)
    another = replace(a, number=8, alike="another network")
    assert numbers(taken([a, other, b, another, c])) == [[0, 1, 2], [7], [8]]


def test_those_that_come_later_are_taken_with_those_that_still_wait(unit):
    """Where cells may stop early, each goes on when its own last session is over."""
    a, b, c = unit
    waiting = Waiting(1)
    waiting.add([a])
    waiting.add([replace(a, number=7, alike=None)])
    waiting.add([b])
    assert numbers([waiting.take()]) == [[0, 1]]
    waiting.add([c])
    assert numbers([waiting.take(), waiting.take()]) == [[7], [2]]
    assert not waiting


def seeds_of(unit, count):
    """Return the sessions of several seeds, numbered one seed after the other."""
    return [
        replace(one, number=seed * len(unit) + at, alike=f"seed {seed}")
        for seed in range(count)
        for at, one in enumerate(unit)
    ]


def test_the_last_ones_are_shared_out(unit):
    assert numbers(taken(seeds_of(unit, 3), takers=2)) == [[0, 1, 2], [3, 4, 5], [6, 7], [8]]
    assert numbers(taken(unit, takers=2)) == [[0, 1], [2]]
    assert numbers(taken(unit, takers=8)) == [[0], [1], [2]]


def cell(text):
    return PlannedCell(load(text, "alike.toml"), {})


def test_cells_are_alike_that_differ_in_their_policy_alone():
    first, second, slower = (
        cell(f'[policy]\nname = "{name}"\n[link]\ndelay = "{delay}"\n')
        for name, delay in (("pipecat", "20ms"), ("livekit", "20ms"), ("pipecat", "30ms"))
    )
    assert first.alike is not None
    assert first.alike == second.alike != slower.alike


@pytest.mark.parametrize(
    "text",
    [
        'clock = "real"',
        '[peers]\nserver = "pipecat"',
        '[peers]\nclient = "tests.apps.own_client:talk"',
        '[policy]\nname = "deadly:Deadly"',
    ],
)
def test_what_is_not_simlabs_own_is_run_by_itself(text):
    assert cell(text).alike is None
