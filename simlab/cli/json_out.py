"""JSON on stdout, and nothing else there, whatever code of the user's own prints."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import Any, TextIO

import click

from simlab import store

_stdout: ContextVar[TextIO | None] = ContextVar("_stdout", default=None)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(store.to_json(value), nl=False, file=_stdout.get())


@contextmanager
def stdout_for_json(wanted: bool) -> Iterator[None]:
    """Let all that is printed meanwhile, by other processes too, go to stderr, but for ``print_json``."""
    with ExitStack() as undone:
        if wanted:
            token = _stdout.set(_kept(undone))
            undone.callback(_stdout.reset, token)
            undone.enter_context(redirect_stdout(sys.stderr))
        yield


def _kept(undone: ExitStack) -> TextIO | None:
    """Return what writes to stdout, when what others write there goes to stderr."""
    here = sys.__stdout__
    if here is None or sys.stdout is not here or sys.stderr is None:
        return sys.stdout
    here.flush()
    kept = undone.enter_context(open(os.dup(1), "w", encoding=here.encoding))  # noqa: SIM115
    undone.callback(os.dup2, kept.fileno(), 1)
    undone.callback(here.flush)
    os.dup2(2, 1)
    return kept
