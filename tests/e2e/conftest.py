"""The sessions are run once, for all tests of this folder."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from simlab.core.timeline import Timeline
from tests.e2e.pairs import left_running, meet_all


def files_left():
    return [name for name in os.listdir(tempfile.gettempdir()) if name.startswith(("simlab-", "playwright"))]


@dataclass(frozen=True)
class Met:
    """What became of all sessions."""

    pairs: Mapping[tuple[str, str], Timeline]
    closed_tab: Timeline
    processes_left: Sequence[str]
    files_left: Sequence[str]


@pytest.fixture(scope="session")
def met():
    files = files_left()
    pairs, closed_tab = meet_all()
    return Met(pairs, closed_tab, left_running(), [name for name in files_left() if name not in files])
