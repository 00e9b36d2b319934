"""A study that is being run: a folder with a journal, to which each session is added when it is over."""

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from simlab.core.errors import InvalidInputError, SimlabError
from simlab.core.json_text import json_of
from simlab.store.content import content
from simlab.store.writing import moved, reason, stamp, told, write_all, written

JOURNAL = "journal.jsonl"
ENDING = "-unfinished"


class StudyNotWrittenError(SimlabError):
    """The disk is full or cannot be written; what was written before is kept."""


class Unfinished:
    """The folder of a study that is being run, in the hands of one process.

    What has been appended is there whatever happens to the process. ``close`` leaves the folder for another
    one to go on with; ``finish`` makes it a study folder.

    Parameters
    ----------
    folder
        Its name ends in ``-unfinished``.

    Attributes
    ----------
    option : str
        What a user adds to the command to go on with it: ``--resume FOLDER``.

    Raises
    ------
    InvalidInputError
        If it is no such folder, another process has it in its hands, or its journal is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.option = folder, f"--resume {folder}"
        try:
            self._file = os.open(folder / JOURNAL, os.O_RDWR)
        except OSError as error:
            raise InvalidInputError([f"{folder}: not an unfinished study: {reason(error)}"]) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.records, self._size = journal(folder)
        except BlockingIOError:
            os.close(self._file)
            raise InvalidInputError([f"{folder}: another process is running this study"]) from None
        except InvalidInputError:
            os.close(self._file)
            raise

    @classmethod
    def begin(cls, parent: Path, name: str, files: Mapping[str, bytes]) -> Self:
        """Make the folder of a study, named after the time in UTC and ``name``.

        Raises
        ------
        SimlabError
            If the disk is full or cannot be written; then there is no folder.
        """
        with told(parent, "the study could not be begun"):
            parent.mkdir(parents=True, exist_ok=True)
            return cls(written(parent, f"{stamp()}-{name}", ENDING, {**files, JOURNAL: b""}))

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a session to the journal.

        Raises
        ------
        StudyNotWrittenError
            If the disk is full or cannot be written; the journal stays as it was.
        """
        line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        try:
            # What was written of a line before the process was killed or the disk was full is overwritten.
            count = os.pwrite(self._file, line, self._size)
            while count < len(line):
                count += os.pwrite(self._file, line[count:], self._size + count)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise StudyNotWrittenError(self._kept(error)) from error
        self._size += len(line)

    def add(self, files: Mapping[str, bytes]) -> None:
        """Write files into the folder, each whole or not at all.

        Raises
        ------
        StudyNotWrittenError
            If the disk is full or cannot be written; the journal stays as it was.
        """
        try:
            write_all(self.folder, files)
        except OSError as error:
            raise StudyNotWrittenError(self._kept(error)) from error

    def finish(self, files: Mapping[str, bytes]) -> Path:
        """Write what is left of the study folder, and return where it is.

        Raises
        ------
        StudyNotWrittenError
            If the disk is full or cannot be written; the journal stays as it was.
        """
        self.add(files)
        with told(self.folder, "the study could not be finished"):
            name = self.folder.name.removesuffix(ENDING)
            self.folder = moved(self.folder, self.folder.parent, name, "")
            # Last: until here, it is what the tables are made of.
            (self.folder / JOURNAL).unlink()
        self.close()
        return self.folder

    def discard(self) -> None:
        """Remove the folder of a study of which no session is over."""
        for path in sorted(self.folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        self.folder.rmdir()
        self.close()

    def close(self) -> None:
        """Leave the folder to whoever wants to go on with it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _kept(self, error: OSError) -> str:
        return (
            f"{self.folder}: the study could not be written: {reason(error)}; the sessions that are over are "
            f"kept, and {self.option} goes on with it when there is room"
        )


def unfinished_studies(parent: Path, name: str = "") -> list[Path]:
    """Return the folders of studies that have not been finished, the newest first.

    Parameters
    ----------
    name
        Only those whose name ends so, but for what tells them from finished ones.
    """
    found = (path.parent for path in parent.glob(f"*{ENDING}*/{JOURNAL}"))
    return sorted((path for path in found if path.name.rpartition(ENDING)[0].endswith(name)), reverse=True)


def is_unfinished(folder: Path) -> bool:
    """Tell whether a folder is one of a study that has not been finished."""
    return (folder / JOURNAL).is_file()


def journal(folder: Path) -> tuple[list[dict[str, Any]], int]:
    """Return what is in the journal of a folder, and how many bytes that is; a last line cut short is none.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or is damaged elsewhere than at its end.
    """
    path = folder / JOURNAL
    found = content(path)
    whole = found[: found.rfind(b"\n") + 1]
    records = [_record(line, path, number) for number, line in enumerate(whole.splitlines(), 1)]
    return records, len(whole)


def _record(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json_of(line)
        assert isinstance(record, dict)
    except (ValueError, AssertionError) as error:
        raise InvalidInputError([f"{path}: line {number} is damaged"]) from error
    return record
