"""Draw what was saved into files."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from simlab import store
from simlab.batch.link_changes import link_changes
from simlab.batch.picture import FORMATS, Format, as_file, picture
from simlab.batch.study import Study
from simlab.batch.trend import open_trend
from simlab.core.errors import InvalidInputError
from simlab.study.words import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    chosen = _format(file_format, out)
    path = out or folder / f"timeline.{chosen}"
    store.add(path, picture(saved.timeline, chosen, link_changes(saved.scenario)))
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
    if kind != "all":
        chosen = _format(file_format, out)
        path = out or folder / f"{kind}.{chosen}"
        store.add(path, as_file(pictures[kind](), chosen))
        return [path]
    return _draw_all(pictures, out or folder, "", _format(file_format, None))


def draw_trend(file: Path, measure: str, file_format: str | None, out: Path | None) -> list[Path]:
    """Draw a measure over the nights of a trend file, a picture for each sweep, and return the files.

    Parameters
    ----------
    measure
        A key of ``simlab.study.nights.MEASURES``.
    out
        The file, if there is one sweep; else a folder. None puts them beside the trend.

    Raises
    ------
    InvalidInputError
        If it is no trend file, or the format is unknown.
    SimlabError
        If a file could not be written.
    """
    trend = open_trend(file)
    sweeps = list(dict.fromkeys(one["sweep"] for one in trend.records))
    pictures = {sweep: partial(trend.only(sweep=sweep).plot, measure) for sweep in sweeps}
    if not pictures:
        raise InvalidInputError([f"{file}: no night has been recorded"])
    if out is not None and len(sweeps) == 1:
        chosen = _format(file_format, out)
        store.add(out, as_file(pictures[sweeps[0]](), chosen))
        return [out]
    if out is not None and out.suffix.removeprefix(".").lower() in FORMATS:
        raise InvalidInputError(
            [f"--out {out}: want a folder: each of the {len(sweeps)} sweeps has a picture"]
        )
    named = {f"{sweep}-{measure}": paint for sweep, paint in pictures.items()}
    return _draw_all(named, out or file.parent, f"{file.stem}-", _format(file_format, None))


def _draw_all(
    pictures: Mapping[str, Callable[[], "Axes"]], folder: Path, prefix: str, file_format: Format
) -> list[Path]:
    store.prepare(folder)
    paths = [folder / f"{prefix}{name}.{file_format}" for name in pictures]
    for path, paint in zip(paths, pictures.values(), strict=True):
        store.add(path, as_file(paint(), file_format))
    return paths


def _format(wanted: str | None, out: Path | None) -> Format:
    """Return the format that is wanted, by default that of a file's name, or PNG."""
    chosen = wanted or (out.suffix.removeprefix(".").lower() if out else "png")
    if chosen not in FORMATS:
        raise InvalidInputError(
            [f"--out {out}: want a name that ends in .{', .'.join(FORMATS)}, or --format"]
        )
    return cast("Format", chosen)


def _are(names: list[str]) -> str:
    return f"are {listed(names)}" if len(names) > 1 else f"is {names[0]}"
