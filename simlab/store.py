"""The one module that opens files under ``results/``: run folders, written whole or not at all."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simlab.core.errors import InvalidInputError, SimlabError
from simlab.core.timeline import Timeline
from simlab.profile.load import load as load_profile
from simlab.profile.scenario import Scenario

SCENARIO = "scenario.toml"
TIMELINE = "timeline.jsonl"
METRICS = "metrics.json"
PICTURE = "timeline.png"


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
        trial = _draft_of(parent, "trial")
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        raise InvalidInputError([f"--out {parent}: {_reason(error)}"]) from error


def save(
    parent: Path, scenario: Scenario, timeline: Timeline, metrics: Mapping[str, Any], picture_png: bytes
) -> Path:
    """Write a run folder, and return where it is.

    It is named after the time in UTC, the profile, the policy and the seed; a session that failed gets
    ``-failed`` at the end. Of two folders of the same name, the second gets a number.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written; then there is no folder.
    """
    files = {
        SCENARIO: scenario.to_toml().encode(),
        TIMELINE: timeline.to_text().encode(),
        METRICS: to_json(metrics).encode(),
        PICTURE: picture_png,
    }
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{stamp}-{scenario.profile.name}-{scenario.policy_name}-s{scenario.seed}"
    ending = "-failed" if any(True for _ in timeline.select("session", "failed")) else ""
    with _told(parent, "the run could not be saved"):
        parent.mkdir(parents=True, exist_ok=True)
        return _written(parent, name, ending, files)


def save_study(parent: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write a study folder, named after the time in UTC and ``name``, and return where it is.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written; then there is no folder.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with _told(parent, "the study could not be saved"):
        parent.mkdir(parents=True, exist_ok=True)
        return _written(parent, f"{stamp}-{name}", "", files)


def add(path: Path, content: bytes) -> None:
    """Write one file, whole or not at all, over one that may be there.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written.
    """
    draft = _draft_of(path.parent, path.name)
    with _told(path, "the file could not be written"):
        try:
            draft.write_bytes(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def append(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Add records to a file of JSON lines, all of them or none; what is in it stays as it is.

    Raises
    ------
    SimlabError
        If the disk is full or cannot be written.
    """
    text = "".join(json.dumps(one, ensure_ascii=False, allow_nan=False) + "\n" for one in records)
    with _told(path, "the records could not be added"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            before_bytes, content, written = os.fstat(file.fileno()).st_size, text.encode(), 0
            try:
                while written < len(content):  # a disk that is about to be full takes a part
                    written += file.write(content[written:])
            except OSError:
                file.truncate(before_bytes)
                raise


def records(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines; one that is not there has none.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or a line is no JSON object.
    """
    if not path.exists():
        return []
    found: list[dict[str, Any]] = []
    faults: list[str] = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        try:
            one = json.loads(line)
        except ValueError as error:
            faults.append(f"{path}: line {number}: {error}")
            continue
        if isinstance(one, dict):
            found.append(one)
        else:
            faults.append(f"{path}: line {number}: want an object")
    if faults:
        raise InvalidInputError(faults)
    return found


def content(path: Path) -> bytes:
    """Read one file of a folder.

    Raises
    ------
    InvalidInputError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError([f"{path}: {_reason(error)}"]) from error


def load(folder: Path) -> Saved:
    """Read a run folder.

    Raises
    ------
    InvalidInputError
        If it is not a run folder, or one of its files is damaged.
    """
    if not folder.is_dir():
        raise InvalidInputError([f"{folder}: {'not a run folder' if folder.exists() else 'no such folder'}"])
    texts = {name: _text(folder / name) for name in (SCENARIO, TIMELINE, METRICS)}
    timeline = _timeline(texts[TIMELINE], folder / TIMELINE)
    metrics = _metrics(texts[METRICS], folder / METRICS)
    profile = load_profile(texts[SCENARIO], str(folder / SCENARIO))
    return Saved(Scenario.of(profile), timeline, metrics, folder)


def _timeline(text: str, path: Path) -> Timeline:
    if not text.strip():
        raise InvalidInputError([f"{path}: it is empty"])
    try:
        return Timeline.from_text(text)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidInputError([f"{path}: {error}"]) from error


def _metrics(text: str, path: Path) -> dict[str, Any]:
    try:
        metrics = json.loads(text)
    except ValueError as error:
        raise InvalidInputError([f"{path}: {error}"]) from error
    if not isinstance(metrics, dict):
        raise InvalidInputError([f"{path}: want an object"])
    return metrics


def to_json(value: Any) -> str:
    """Write JSON as simlab does everywhere: indented, with a line end, and without NaN."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInputError([f"{path}: {_reason(error)}"]) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError([f"{path}: the text is not UTF-8"]) from error


def _written(parent: Path, name: str, ending: str, files: Mapping[str, bytes]) -> Path:
    draft = _draft_of(parent, name)
    try:
        draft.mkdir()
        for file_name, content in files.items():
            (draft / file_name).write_bytes(content)
        return _moved(draft, parent, name, ending)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _moved(draft: Path, parent: Path, name: str, ending: str) -> Path:
    """Give a finished folder the first name that is free."""
    number = 1
    while True:
        folder = parent / (f"{name}{ending}" if number == 1 else f"{name}-{number}{ending}")
        number += 1
        if folder.exists():
            continue
        try:
            # Refused where another process has just made the folder, since that one is not empty.
            return draft.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def _draft_of(parent: Path, name: str) -> Path:
    return parent / f".{name}.{secrets.token_hex(4)}"


@contextmanager
def _told(place: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SimlabError(f"{place}: {what}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
