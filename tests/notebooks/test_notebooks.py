"""The notebooks run as they stand, define nothing, and show what they would show today."""

import ast
import re

import nbformat
import pytest

from tests.needs import needs_pipecat
from tests.notebooks.execute import NOTEBOOKS, execute

MOST_BYTES = 500_000
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
# What pip installs is not the same everywhere.
VERSION = re.compile(r"\b\d+\.\d+\.\d+\b")
NEED_PIPECAT = ("04-your-own-bot",)

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def told(output):
    """What an output says: its kind, its text, and which other forms it has."""
    data = output.get("data", {})
    text = output.get("text") or data.get("text/plain", "")
    return output.output_type, VERSION.sub("VERSION", text), sorted(data)


def test_there_are_some():
    assert {"01-first-run", "02-recovery-against-policy", "04-your-own-bot"} <= {
        one.stem for one in NOTEBOOKS
    }


@each
def test_it_defines_nothing(path):
    for cell in code(read(path)):
        lines = [line for line in cell.source.splitlines() if not line.startswith("%")]
        tree = ast.parse("\n".join(lines))
        assert [node for node in ast.walk(tree) if isinstance(node, DEFINITIONS)] == []


@each
def test_what_is_kept_is_small_and_names_no_place_of_the_machine_that_made_it(path):
    text = path.read_text()
    assert len(text.encode()) < MOST_BYTES
    for cell in code(read(path)):
        for output in cell.outputs:
            assert output.output_type in ("execute_result", "stream", "display_data")
            assert not re.search(r"(?<![\w.])/(home|tmp|root|usr|work|opt|Users)/", told(output)[1])


@each
def test_what_is_kept_is_what_it_shows_today(path, tmp_path):
    if path.stem in NEED_PIPECAT:
        needs_pipecat()
    kept, fresh = code(read(path)), code(execute(path, tmp_path))
    assert [list(map(told, cell.outputs)) for cell in fresh] == [
        list(map(told, cell.outputs)) for cell in kept
    ]
    assert any(cell.outputs for cell in kept)
    # Nothing is left but what is meant to be and what Python has compiled, in folders that git ignores.
    left = {item.name for item in tmp_path.iterdir()} - {"__pycache__"}
    assert left <= {"docs", "notebooks", "profiles", "results"}
