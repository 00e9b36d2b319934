"""The command ``simlab`` from its first moment on: Ctrl-C ends it in the same way while it is imported."""

import sys

INTERRUPTED = 130
"""What a shell reports of a program that SIGINT has ended."""


def main() -> None:
    """Import the command line, and run it."""
    try:
        from simlab.cli.main import main as command
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(INTERRUPTED)
    command()
