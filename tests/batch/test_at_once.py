"""Several sessions and studies of one process at once, as in a notebook with threads."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest

import simlab
from simlab import store
from simlab.virtual.world import EPOCH_S, virtual_world
from tests.batch.studies import profile_in

SHORT = {"duration": "5s", "peers.media": []}


@pytest.fixture
def sweep(tmp_path):
    return partial(simlab.sweep, profile_in(tmp_path), policies=["pipecat", "never"], seeds=3)


def test_sessions_in_threads_are_what_they_are_alone():
    alone = simlab.run("clean", set=SHORT)
    with ThreadPoolExecutor(3) as threads:
        runs = [threads.submit(simlab.run, "clean", set=SHORT) for _ in range(3)]
        assert [run.result().timeline == alone.timeline for run in runs] == [True] * 3
    # What they replace while they last is put back.
    assert simlab.run("clean", set=SHORT).timeline == alone.timeline
    assert time.time() > 1.76e9


def test_folders_are_named_after_the_real_time_while_another_thread_runs_a_session():
    began = datetime.now(UTC)
    with virtual_world(seed=1), ThreadPoolExecutor(1) as threads:
        assert datetime.now(UTC) == datetime.fromtimestamp(EPOCH_S, UTC)
        assert threads.submit(store.now).result() >= began
    assert store.now() >= began


@pytest.mark.parametrize("jobs", [1, 2])
def test_sweeps_in_threads_lose_no_session(sweep, jobs):
    alone = sweep(jobs=1)
    with ThreadPoolExecutor(2) as threads:
        # The one is over long before the other, and ends its processes.
        soon, late = threads.submit(sweep, jobs=jobs, seeds=1), threads.submit(sweep, jobs=jobs)
        assert soon.result().sessions.height == 2
        assert late.result() == alone


def test_a_sweep_leaves_the_callers_own_processes_alone(sweep):
    mine = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    mine.start()
    try:
        sweep(jobs=2, seeds=1)
        assert mine.is_alive()
    finally:
        mine.kill()
        mine.join()


def test_a_worker_that_somebody_else_ends_loses_no_session(sweep, tmp_path):
    alone = sweep(jobs=1, seeds=8)
    with ThreadPoolExecutor(1) as threads:
        others = set(multiprocessing.active_children())
        going_on = threads.submit(sweep, jobs=2, seeds=8, out=tmp_path / "studies")
        while not any(journal.stat().st_size for journal in tmp_path.glob("*/*-unfinished/journal.jsonl")):
            assert not going_on.done()
            time.sleep(0.01)
        workers = set(multiprocessing.active_children()) - others
        os.kill(workers.pop().pid, signal.SIGTERM)
        assert going_on.result() == alone


def _swept(profile: str) -> str:
    try:
        return repr(simlab.sweep(profile, seeds=1, jobs=2))
    except simlab.InvalidInputError as error:
        return str(error)


def test_a_process_that_may_have_no_others_is_told_to_take_one_job(tmp_path):
    with multiprocessing.get_context("spawn").Pool(1) as processes:
        told = processes.apply(_swept, [profile_in(tmp_path)])
    assert told == (
        "jobs: want 1: a daemonic process of multiprocessing, such as one of its Pool, may have no others"
    )
