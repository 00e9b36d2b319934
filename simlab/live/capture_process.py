"""The process that writes a capture: ``python -m simlab.live.capture_process FILE COMMENT``.

On stdin come, as ``marshal`` writes them: when the session began, in nanoseconds since 1970; lists of
records; and at the end how many records were lost. It ends when stdin does, as it does when the relay is
killed: the file then holds all that came until then.
"""

import marshal
import signal
import sys
from pathlib import Path
from typing import IO, Any

from simlab.capture.pcapng import CaptureFile
from simlab.capture.records import Record


def main() -> None:
    """Write records until there are no more."""
    # Whoever ends the session ends this process by its stdin, so that nothing is lost.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path, comment = Path(sys.argv[1]), sys.argv[2]
    try:
        file = CaptureFile(path, comment)
    except OSError as error:
        print(f"cannot write {path}: {error.strerror or error}", flush=True)
        return
    print("ready", flush=True)
    _write(sys.stdin.buffer, file)


def _write(stream: IO[bytes], file: CaptureFile) -> None:
    zero_ns = _next(stream)
    if not isinstance(zero_ns, int):
        return
    file.begin(zero_ns)
    last_s, lost = 0.0, 0
    while (message := _next(stream)) is not None:
        if isinstance(message, int):
            lost = message
            continue
        records = [Record(*fields) for fields in message]
        file.write_all(records)
        last_s = max([last_s, *(record.t_s for record in records)])
    file.finish(last_s, lost)


def _next(stream: IO[bytes]) -> Any:
    """Return the next message; None at the end, or where it breaks off."""
    try:
        return marshal.load(stream)
    except (EOFError, ValueError):
        return None


if __name__ == "__main__":
    main()
