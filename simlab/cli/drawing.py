"""Draw what was saved into files."""

from pathlib import Path
from typing import cast

from simlab import store
from simlab.batch.picture import FORMATS, Format, as_file, picture
from simlab.batch.study import Study
from simlab.core.errors import InvalidInputError
from simlab.study.words import listed


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


def draw_study(folder: Path, kind: str, file_format: str | None, out: Path | None) -> list[Path]:
    """Draw pictures of a study folder, and return the files.

    Parameters
    ----------
    kind
        One of ``Study.pictures``, or ``"all"``.
    out
        The file, of a single picture; a folder, of all. None puts them into the study folder.

    Raises
    ------
    InvalidInputError
        If the folder holds no study, or there is no such picture of it, or the format is unknown.
    SimlabError
        If a file could not be written.
    """
    pictures = Study.open(folder).pictures
    if kind != "all" and kind not in pictures:
        raise InvalidInputError([f"--kind {kind}: of this study there {_are(list(pictures))}"])
    chosen = file_format or (out.suffix.removeprefix(".").lower() if out and kind != "all" else "png")
    if chosen not in FORMATS:
        raise InvalidInputError(
            [f"--out {out}: want a name that ends in .{', .'.join(FORMATS)}, or --format"]
        )
    if kind != "all":
        path = out or folder / f"{kind}.{chosen}"
        store.add(path, as_file(pictures[kind](), cast("Format", chosen)))
        return [path]
    if out is not None:
        store.prepare(out)
    paths = [(out or folder) / f"{name}.{chosen}" for name in pictures]
    for path, paint in zip(paths, pictures.values(), strict=True):
        store.add(path, as_file(paint(), cast("Format", chosen)))
    return paths


def _are(names: list[str]) -> str:
    return f"are {listed(names)}" if len(names) > 1 else f"is {names[0]}"
