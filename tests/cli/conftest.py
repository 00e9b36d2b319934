"""The command line in a folder of its own, with the project's catalogue in it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simlab.cli.main import main

PROFILES = Path(__file__).parents[2] / "profiles"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with ``profiles/`` in it, and nothing else."""
    (tmp_path / "profiles").symlink_to(PROFILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def simlab(here: Path) -> Callable[..., Result]:
    """Run a command in this process."""
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def start(here: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start a command in a process of its own, and a group of its own, as a shell does."""

    def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "simlab", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
            process_group=0,
        )

    return start
