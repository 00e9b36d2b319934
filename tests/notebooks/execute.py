"""Run notebooks; ``python -m tests.notebooks.execute`` runs all of them, and keeps what they show."""

import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

PROJECT = Path(__file__).parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
_NEEDED = ("profiles", "docs")
_TIMEOUT_S = 110


def execute(path, place):
    """Run a notebook in a folder with what a checkout has, and return it with what it shows.

    A cell that fails raises ``nbclient.exceptions.CellExecutionError``.
    """
    for name in _NEEDED:
        (place / name).symlink_to(PROJECT / name)
    folder = place / "notebooks"
    folder.mkdir()
    for data in path.parent.iterdir():
        if data.suffix != ".ipynb":
            shutil.copy(data, folder)
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=_TIMEOUT_S,
        resources={"metadata": {"path": str(folder)}},
    )
    # When each cell began and ended is in the metadata, and is another each time.
    client.record_timing = False
    return client.execute()


def keep(path):
    """Run a notebook, and write what it shows into it."""
    place = Path(tempfile.mkdtemp())
    try:
        notebook = execute(path, place)
    finally:
        shutil.rmtree(place)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for each in NOTEBOOKS:
        keep(each)
