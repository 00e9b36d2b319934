"""The sessions are run once, for all tests of this folder."""

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from simlab.core.timeline import Timeline
from tests.e2e.pairs import left_running, meet_all


@contextlib.contextmanager
def temporary_files_in_a_folder_of_their_own():
    """Have them nowhere else, since another simlab may run on the same machine."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as changed:
        changed.setenv("TMPDIR", folder)
        changed.setattr(tempfile, "tempdir", None)
        yield folder


@dataclass(frozen=True)
class Met:
    """What became of all sessions."""

    pairs: Mapping[tuple[str, str], Timeline]
    closed_tab: Timeline
    processes_left: Sequence[str]
    files_left: Sequence[str]


@pytest.fixture(scope="session")
def met():
    with temporary_files_in_a_folder_of_their_own() as folder:
        pairs, closed_tab = meet_all()
        return Met(pairs, closed_tab, left_running(folder), os.listdir(folder))
