"""Where control sockets are, if nobody says otherwise."""

import os
import socket
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from simlab.core.errors import InvalidInputError

_KINDS = ("intercept", "relay")


def folder() -> Path:
    """Return the user's own folder of control sockets."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "simlab" if runtime else Path(tempfile.gettempdir()) / f"simlab-{os.getuid()}"


def default_path(command: str) -> Path:
    """Return the control socket of this process, which is that command of simlab.

    Those of the dead that lie there are cleared away.

    Raises
    ------
    InvalidInputError
        If somebody else has made that folder, or can change what is in it.
    """
    _check_whose()
    for path in _sockets():
        if path.is_socket() and _is_dead(path) and not _runs(path):
            path.unlink(missing_ok=True)
    return folder() / f"{command}-{os.getpid()}.sock"


def _sockets() -> list[Path]:
    return sorted(path for kind in _KINDS for path in folder().glob(f"{kind}-*.sock"))


def _is_dead(path: Path) -> bool:
    """Tell whether the process is gone after which a socket is called."""
    number = path.stem.rpartition("-")[2]
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (ValueError, OverflowError, PermissionError):
        pass
    return False


def _check_whose() -> None:
    """Make sure that nobody else says where the sockets lead; in /tmp anybody can make a folder."""
    try:
        found = folder().lstat()
    except FileNotFoundError:
        return
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022:
        want = "want a folder of your own that nobody else can write to; remove it, or say --socket"
        raise InvalidInputError([f"{folder()}: {want}"])


def the_only_one() -> Path:
    """Return the control socket of the relay or the intercept that runs.

    Raises
    ------
    InvalidInputError
        If there is none, or more than one, or their folder is not the user's own.
    """
    _check_whose()
    found = [path for path in _sockets() if _runs(path)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidInputError(
            ["no relay of yours runs here; start simlab relay or simlab intercept, or say --socket"]
        )
    kinds = " and ".join(_count(kind, found) for kind in _KINDS if _count(kind, found))
    raise InvalidInputError([f"{kinds} run, say which: --socket {path}" for path in found])


def _count(kind: str, found: Sequence[Path]) -> str:
    """Return ``"1 relay"``, ``"2 relays"``; nothing where there is none."""
    number = sum(path.name.startswith(f"{kind}-") for path in found)
    return f"{number} {kind}{'' if number == 1 else 's'}" if number else ""


def _runs(path: Path) -> bool:
    # The number of a relay that was killed may be another process's by now.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
