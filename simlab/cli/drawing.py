"""Draw a saved run into a file."""

from pathlib import Path
from typing import cast

from simlab import store
from simlab.batch.picture import FORMATS, Format, picture
from simlab.core.errors import InvalidInputError


def draw(folder: Path, file_format: str | None, out: Path | None) -> Path:
    """Draw the timeline of a run folder, and return the file.

    Parameters
    ----------
    file_format
        One of ``FORMATS``; None takes it from ``out``.
    out
        The file; None puts it into the run folder.

    Raises
    ------
    InvalidInputError
        If the folder holds no run, or the format is unknown.
    SimlabError
        If the file could not be written.
    """
    saved = store.load(folder)
    chosen = file_format or (out.suffix.removeprefix(".").lower() if out else "png")
    if chosen not in FORMATS:
        raise InvalidInputError(
            [f"--out {out}: want a name that ends in .{', .'.join(FORMATS)}, or --format"]
        )
    path = out or folder / f"timeline.{chosen}"
    store.add(path, picture(saved.timeline, cast("Format", chosen)))
    return path
