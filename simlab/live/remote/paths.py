"""Where control sockets are, if nobody says otherwise."""

import os
import socket
import tempfile
from pathlib import Path

from simlab.core.errors import InvalidInputError

_KINDS = ("intercept", "relay")


def folder() -> Path:
    """Return the user's own folder of control sockets."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "simlab" if runtime else Path(tempfile.gettempdir()) / f"simlab-{os.getuid()}"


def default_path(command: str) -> Path:
    """Return the control socket of this process, which is that command of simlab."""
    return folder() / f"{command}-{os.getpid()}.sock"


def the_only_one() -> Path:
    """Return the control socket of the relay or the intercept that runs.

    Raises
    ------
    InvalidInputError
        If there is none, or more than one.
    """
    found = sorted(path for kind in _KINDS for path in folder().glob(f"{kind}-*.sock") if _runs(path))
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidInputError(
            ["no relay of yours runs here; start simlab relay or simlab intercept, or say --socket"]
        )
    raise InvalidInputError([f"{len(found)} relays run, say which: --socket {path}" for path in found])


def _runs(path: Path) -> bool:
    # The number of a relay that was killed may be another process's by now.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
