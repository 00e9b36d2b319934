"""Ctrl-C while the processes of a study are being started."""

import _thread
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

import pytest

import simlab
from tests.batch.studies import profile_in


@pytest.fixture(params=["before", "after"])
def interrupted(request, monkeypatch):
    """Let Ctrl-C come to another thread while the first process is started, and hence past any mask."""
    submit, asked = ProcessPoolExecutor.submit, []

    def ask():
        if not asked:
            asked.append(True)
            _thread.interrupt_main()

    def submitted(self, *arguments, **named):
        if request.param == "before":
            ask()
        future = submit(self, *arguments, **named)
        ask()
        return future

    monkeypatch.setattr(ProcessPoolExecutor, "submit", submitted)


@pytest.mark.usefixtures("interrupted")
@pytest.mark.parametrize("begin", [simlab.sweep, simlab.hunt])
def test_it_ends_all_that_was_started(begin, tmp_path):
    with pytest.raises(KeyboardInterrupt) as ended:  # it keeps all that was not given back
        begin([profile_in(tmp_path)], seeds=4, jobs=2, out=tmp_path)
    # Not by join(): the pool's thread waits for a process, too, and one of both is told that it is not over.
    for process in multiprocessing.active_children():
        assert wait([process.sentinel], timeout=30)
    del ended
