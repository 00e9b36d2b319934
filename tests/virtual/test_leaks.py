"""Sessions in one process leave no thread, task or file descriptor behind. ``make bench`` looks at memory."""

import asyncio
import gc
import os
import threading
from pathlib import Path

import pytest

from tests.virtual.sessions import run_text

SESSIONS = 30
CALL = """
duration = "3s"
[[fault]]
kind = "server-restart"
at = "1500ms"
for = "500ms"
"""


def _held():
    gc.collect()
    tasks = sum(isinstance(each, asyncio.Task) for each in gc.get_objects())
    loops = sum(isinstance(each, asyncio.BaseEventLoop) for each in gc.get_objects())
    return threading.active_count(), tasks, loops, len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="wants the list of file descriptors in /proc")
@pytest.mark.parametrize("media", ["[]", '["audio"]'])
def test_thirty_sessions_leave_nothing_behind(media):
    run_text(CALL, peers__media=media)  # imports
    before = _held()
    for seed in range(SESSIONS):
        run_text(CALL, peers__media=media, seed=str(seed))
    assert _held() == before


def test_a_server_that_was_killed_ends_without_a_word(caplog):
    # Its tasks are cancelled with the session; a connection of which one is cancelled closes itself in
    # another, which is new.
    run_text(CALL)
    gc.collect()
    assert caplog.messages == []
