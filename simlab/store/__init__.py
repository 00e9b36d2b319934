"""The one place that opens files under ``results/``: folders of runs and of studies, whole or not at all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.core.json_text import json_of
from simlab.core.timeline import SCHEMA, Timeline
from simlab.profile.load import load as load_profile
from simlab.profile.scenario import Scenario
from simlab.store.content import content, text_of
from simlab.store.lines import append, first_faults, prepare_append, records
from simlab.store.studies import MATRIX, is_study, load_study
from simlab.store.unfinished import (
    StudyNotWrittenError,
    Unfinished,
    is_unfinished,
    journal,
    unfinished_studies,
)
from simlab.store.writing import (
    draft_of,
    json_bytes,
    no_folder,
    now,
    reason,
    stamp,
    told,
    try_file,
    utf8,
    write_all,
    written,
)

__all__ = [
    "MATRIX",
    "Saved",
    "StudyNotWrittenError",
    "Unfinished",
    "add",
    "append",
    "content",
    "first_faults",
    "is_study",
    "is_unfinished",
    "journal",
    "json_bytes",
    "load",
    "load_study",
    "now",
    "prepare",
    "prepare_append",
    "reason",
    "records",
    "save",
    "to_json",
    "unfinished_studies",
    "utf8",
]

SCENARIO = "scenario.toml"
TIMELINE = "timeline.jsonl"
METRICS = "metrics.json"
PICTURE = "timeline.png"
_HEADER: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "duration_s": ((int, float), "a number"),
    "clients": (int, "a whole number"),
    "media": (list, "a list"),
}
"""What sentences and pictures read out of a timeline's header, and its type."""


@dataclass(frozen=True)
class Saved:
    """What a run folder holds.

    Parameters
    ----------
    metrics
        In the shape of metrics.json.
    folder
        Where it was read from.
    """

    scenario: Scenario
    timeline: Timeline
    metrics: dict[str, Any]
    folder: Path


def prepare(parent: Path) -> None:
    """Make the folder that run folders go into, and try whether one can be made there.

    Raises
    ------
    InvalidInputError
        If it cannot be written.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        trial = draft_of(parent, "trial")
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        raise InvalidInputError([f"--out {no_folder(parent, error)}"]) from error


def capture_folder(parent: Path, scenario: Scenario) -> Path:
    """Make a folder for the files of a capture, which ``save`` moves into the run folder.

    It is hidden, beside where the run folder is going to be; there it stays if simlab is killed.

    Raises
    ------
    SimlabError
        If it cannot be made.
    """
    folder = draft_of(parent, f"capture-{scenario.profile.name}-{scenario.policy_name}-s{scenario.seed}")
    with told(parent, "a folder for the capture could not be made"):
        folder.mkdir(parents=True)
    return folder


def save(
    parent: Path,
    scenario: Scenario,
    timeline: Timeline,
    metrics: Mapping[str, Any],
    picture_png: bytes,
    captured: Path | None = None,
    more: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Write a run folder, and return where it is.

    Parameters
    ----------
    captured
        The folder with the files of a capture; they are moved.
    more
        What else there is to be in it, by name.

    It is named after the time in UTC, the profile, the policy and the seed; a session that failed gets
    ``-failed`` at the end. Of two folders of the same name, the second gets a number.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written; then there is no folder.
    """
    files = {
        SCENARIO: scenario.to_toml().encode(),
        TIMELINE: json_bytes(timeline.to_text()),
        METRICS: json_bytes(to_json(metrics)),
        PICTURE: picture_png,
        **more,
    }
    name = f"{stamp()}-{scenario.profile.name}-{scenario.policy_name}-s{scenario.seed}"
    ending = "-failed" if any(True for _ in timeline.select("session", "failed")) else ""
    with told(parent, "the run could not be saved"):
        parent.mkdir(parents=True, exist_ok=True)
        return written(parent, name, ending, files, captured)


def save_files(parent: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write a folder of files, named after the time in UTC and ``name``, and return where it is.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written; then there is no folder.
    """
    with told(parent, "the folder could not be written"):
        parent.mkdir(parents=True, exist_ok=True)
        return written(parent, f"{stamp()}-{name}", "", files)


def add(path: Path, content: bytes) -> None:
    """Write one file, whole or not at all, over one that may be there.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written.
    """
    with told(path, "the file could not be written"):
        write_all(path.parent, {path.name: content})


def check_place(path: Path) -> None:
    """Try whether ``add`` could write a file there, before what takes long has been done in vain.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written.
    """
    with told(path, "the file could not be written"):
        try_file(path.parent)


def load(folder: Path) -> Saved:
    """Read a run folder.

    Raises
    ------
    InvalidInputError
        If it is not a run folder, or one of its files is damaged.
    """
    if not folder.is_dir():
        raise InvalidInputError([f"{folder}: {'not a run folder' if folder.exists() else 'no such folder'}"])
    if not any((folder / name).exists() for name in (SCENARIO, TIMELINE, METRICS)):
        what = f"is neither a run nor a study: it has no {SCENARIO} and no {MATRIX}"
        raise InvalidInputError([f"{folder}: {what}"])
    texts = {name: text_of(folder / name) for name in (SCENARIO, TIMELINE, METRICS)}
    timeline = _timeline(texts[TIMELINE], folder / TIMELINE)
    metrics = _metrics(texts[METRICS], folder / METRICS)
    profile = load_profile(texts[SCENARIO], str(folder / SCENARIO))
    return Saved(Scenario.of(profile), timeline, metrics, folder)


def _timeline(text: str, path: Path) -> Timeline:
    if not text.strip():
        raise InvalidInputError([f"{path}: it is empty"])
    try:
        timeline = Timeline.from_text(text)
    except ValueError as error:
        raise InvalidInputError([f"{path}: {error}"]) from error
    if not isinstance(timeline.header, dict):
        raise InvalidInputError([f"{path}: line 1: want an object"])
    schema = timeline.header.get("schema")
    if schema != SCHEMA:
        raise InvalidInputError([f"{path}: line 1: schema is {json.dumps(schema)}, want {SCHEMA}"])
    header_faults = [
        f"{path}: line 1: {key} is {json.dumps(timeline.header[key])}, want {told}"
        for key, (kinds, told) in _HEADER.items()
        if key in timeline.header and not isinstance(timeline.header[key], kinds)
    ]
    if header_faults:
        raise InvalidInputError(header_faults)
    return timeline


def _metrics(text: str, path: Path) -> dict[str, Any]:
    try:
        metrics = json_of(text)
    except ValueError as error:
        raise InvalidInputError([f"{path}: {error}"]) from error
    if not isinstance(metrics, dict):
        raise InvalidInputError([f"{path}: want an object"])
    return metrics


def to_json(value: Any) -> str:
    """Write JSON as simlab does everywhere: indented, with a line end, and without NaN."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
