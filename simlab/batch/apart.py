"""Sessions in a process of their own, for where the process that wants it has other things to do.

The virtual clock stops the time of a whole process, and takes its randomness: nothing else may go on in it.
"""

import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from simlab.batch.alike import Unit, run_unit
from simlab.batch.outcome import Outcome
from simlab.core.errors import SimlabError
from simlab.profile.header import versions

_mine = threading.local()


def run_apart(unit: Unit, wanted: Mapping[str, str]) -> list[Outcome]:
    """Run sessions in a process that this thread keeps for that, and return what remains of them.

    Parameters
    ----------
    wanted
        The versions that they are to run with.

    Raises
    ------
    SimlabError
        If other versions are installed here.
    EOFError, OSError
        If the process died.
    """
    here = versions()
    wrong = [
        f"{name} is {here.get(name)}, not {value}"
        for name, value in wanted.items()
        if here.get(name) != value
    ]
    if wrong:
        raise SimlabError(f"what is installed on a worker differs: {', '.join(wrong)}")
    try:
        process = _process()
        process.send(unit)
        outcomes: list[Outcome] = process.recv()
    except (EOFError, OSError):
        del _mine.connection
        raise
    return outcomes


def _process() -> Connection:
    if not hasattr(_mine, "connection"):
        ours, theirs = multiprocessing.Pipe()
        with theirs:
            # Not of multiprocessing, which lets no daemon, as Dask's workers are, have children.
            command = [sys.executable, "-P", "-m", "simlab.batch.apart", str(theirs.fileno())]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
            subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        _mine.connection = ours
    connection: Connection = _mine.connection
    return connection


def serve(connection: Connection) -> None:
    """Run the sessions that come, until nobody is at the other end any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wanted: queue.SimpleQueue[Unit] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, wanted), daemon=True).start()
    while True:
        connection.send(run_unit(wanted.get(), is_stopped=lambda: False))


def _listen(connection: Connection, wanted: "queue.SimpleQueue[Any]") -> None:
    try:
        while True:
            wanted.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)  # in the middle of a session, too: nobody waits for it


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
