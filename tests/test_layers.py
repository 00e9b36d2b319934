"""Who may import whom, and what stays unimported until it is needed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import simlab

PROJECT = Path(__file__).parents[1]
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"
HEAVY = ("matplotlib", "polars", "scipy", "pydantic", "numpy", "aiortc", "rich", "scapy", "jinja2")


def lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [LINT_IMPORTS, "--config", PROJECT / "setup.cfg", "--no-cache"]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False
    )


def test_the_layers_hold() -> None:
    found = lint(PROJECT)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("core/link.py", "import time", "The pure packages read no clock, no chance, no file and no socket"),
        ("core/link.py", "import simlab.profile.load", "Who may import whom"),
        ("virtual/loop.py", "import simlab.live", "Who may import whom"),
        ("study/words.py", "import simlab.profile.load", "The study sees the core alone"),
        ("report/__init__.py", "import simlab.store", "A report sees the study"),
        ("store/__init__.py", "import simlab.study.metrics", "The store sees the core and profiles"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, module: str, line: str, contract: str) -> None:
    copy = tmp_path / "simlab"
    shutil.copytree(Path(simlab.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / module).open("a") as file:
        file.write(f"\n{line}\n")
    found = lint(tmp_path)
    assert found.returncode == 1
    assert f"{contract} BROKEN" in found.stdout


@pytest.mark.parametrize("arguments", [["-c", "import simlab"], ["-m", "simlab", "--help"]])
def test_nothing_heavy_is_imported_early(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in found.stderr.splitlines()}
    assert "simlab" in imported
    assert not imported & set(HEAVY)
