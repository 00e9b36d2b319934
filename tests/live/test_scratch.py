"""Temporary folders of sessions, and of those that were killed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from simlab.live.scratch import PREFIX, Scratch

HOLDS = "from simlab.live.scratch import Scratch; s = Scratch(); print(s.name, flush=True); input()"
LENDS = """
import subprocess, sys
from simlab.live.scratch import Scratch
s = Scratch()
child = subprocess.Popen([sys.executable, "-c", "input()"], pass_fds=[s.lock])
print(s.name, child.pid, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def start(code):
    """Start a process that has a folder until it is killed, and return it with what it says."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline().split()


def kill(process):
    process.kill()
    process.communicate()


def test_a_folder_is_there_until_it_is_given_back(temporary):
    scratch = Scratch()
    (Path(scratch.name) / "profile").mkdir()
    assert [path.name.startswith(PREFIX) for path in temporary.iterdir()] == [True]
    scratch.cleanup()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_one(temporary):
    process, (name,) = start(HOLDS)
    (Path(name) / "file").write_text("left")
    kill(process)
    assert Path(name).exists()
    scratch = Scratch()
    assert [str(path) for path in temporary.iterdir()] == [scratch.name]
    scratch.cleanup()


def test_a_folder_in_use_stays(temporary):
    process, (name,) = start(HOLDS)
    Scratch().cleanup()
    assert [str(path) for path in temporary.iterdir()] == [name]
    kill(process)


def test_a_folder_stays_while_a_child_outlives_its_process(temporary):
    process, (name, _) = start(LENDS)
    reader = process.stdin  # the child reads from it, too, until it is closed
    process.kill()
    process.wait()
    Scratch().cleanup()
    assert [str(path) for path in temporary.iterdir()] == [name]
    reader.close()
    assert process.stdout.read() == ""  # the child has ended
    process.stdout.close()
    Scratch().cleanup()
    assert list(temporary.iterdir()) == []


def test_what_only_has_such_a_name_stays(temporary):
    kept = [temporary / f"{PREFIX}file", temporary / f"{PREFIX}link", temporary / "simlab-recording-x"]
    target = temporary / "target"
    target.mkdir()
    kept[0].touch()
    kept[1].symlink_to(target)
    kept[2].mkdir()
    Scratch().cleanup()
    assert set(temporary.iterdir()) == {*kept, target}
    assert os.path.samefile(kept[1], target)
