"""The command ``simlab`` from its first moment on: Ctrl-C ends it in the same way while it is imported."""

import io
import os
import sys

INTERRUPTED = 130
"""What a shell reports of a program that SIGINT has ended."""


def main() -> None:
    """Import the command line, and run it."""
    _open_what_is_closed()
    if sys.platform == "win32":  # where much of what it imports is missing
        sys.stderr.write("Error: simlab runs on Linux and macOS; on Windows it does in WSL (wsl --install)\n")
        sys.exit(2)
    for stream in (sys.stdout, sys.stderr):
        # What the encoding of a terminal or a file lacks is escaped, as Python's own messages are.
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    try:
        from simlab.cli.main import main as command
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(INTERRUPTED)
    command()


def _open_what_is_closed() -> None:
    """Open what a script has closed (``>&-``), or the next file that is opened takes its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
