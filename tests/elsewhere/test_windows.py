"""What simlab says where it does not run."""

import sys

import pytest

from simlab.cli import entry


def test_it_runs_in_wsl_alone(monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "Error: simlab runs on Linux and macOS; on Windows it does in WSL (wsl --install)\n"
    )
