"""The sessions are run once, for all tests of this folder."""

import os
import tempfile

import pytest

from tests.e2e.pairs import left_running, meet_all


def files_left():
    return [name for name in os.listdir(tempfile.gettempdir()) if name.startswith(("simlab-", "playwright"))]


@pytest.fixture(scope="session")
def met():
    """What became of each pair, and of the processes and files of all of them."""
    files = files_left()
    timelines = meet_all()
    return timelines, (left_running(), [name for name in files_left() if name not in files])


@pytest.fixture
def timelines(met):
    """The timeline of each pair."""
    return met[0]
