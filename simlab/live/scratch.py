"""A folder for what the processes of a session write and nobody needs afterwards."""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

PREFIX = "simlab-session-"


class Scratch:
    """A temporary folder that is locked for as long as a process has it.

    One whose process was killed stays behind, without a lock: the next one that is made removes it.

    Attributes
    ----------
    name : str
        Where it is.
    lock : int
        A file descriptor: a child that inherits it keeps the folder in use, too.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self) -> None:
        _remove_left_behind()
        while True:
            self._folder = TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
            self.name = self._folder.name
            # Somebody who removes what is left behind may come before the lock.
            lock = _locked(Path(self.name), wait=True)
            if lock is not None:
                self.lock = lock
                return

    def cleanup(self) -> None:
        """Remove it."""
        self._folder.cleanup()
        os.close(self.lock)


def _remove_left_behind() -> None:
    for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's, or used: BlockingIOError
            if folder.lstat().st_uid != os.getuid():
                continue
            lock = _locked(folder, wait=False)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(folder: Path, *, wait: bool) -> int | None:
    """Lock a folder, and return the file descriptor that holds the lock; None if the folder is gone.

    Raises
    ------
    OSError
        If it is no folder, or is locked, and this is not to wait.
    """
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        if folder.exists():
            return file
    except OSError:
        os.close(file)
        raise
    os.close(file)
    return None
