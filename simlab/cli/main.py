"""The command ``simlab``, and the one place that turns an error into a message."""

import os
import sys
from importlib import import_module
from typing import Any

import click

from simlab.cli.entry import INTERRUPTED
from simlab.core.errors import InvalidInputError, SimlabError
from simlab.core.printable import printable

UNMET = 1
WRONG_INPUT = 2
NOT_RUN = 3
READER_GONE = 141
"""What a shell reports of a program that wrote into a pipe that nobody reads any more."""

COMMANDS = {
    "run": "simlab.cli.run:command",
    "sweep": "simlab.cli.sweep:command",
    "hunt": "simlab.cli.hunt:command",
    "nightly": "simlab.cli.nightly:command",
    "compare": "simlab.cli.compare:command",
    "report": "simlab.cli.report:command",
    "profiles": "simlab.cli.profiles:group",
    "policies": "simlab.cli.policies:group",
    "plot": "simlab.cli.plot:command",
    "capture": "simlab.cli.capture:group",
    "serve": "simlab.cli.serve:command",
    "intercept": "simlab.cli.intercept:command",
    "relay": "simlab.cli.relay:command",
    "ctl": "simlab.cli.ctl:group",
}


class Commands(click.Group):
    """Commands that are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, the most useful first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def make_context(self, *arguments: Any, **keys: Any) -> click.Context:
        """Read the command line, for which ``--help`` imports every command; Ctrl-C ends that, too."""
        try:
            return super().make_context(*arguments, **keys)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a user's mistake becomes a message and an exit code, a bug keeps its traceback."""
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except SimlabError as error:
            click.echo(f"{click.style('Error:', fg='red')}{_message(error)}", err=True)
            status = WRONG_INPUT if isinstance(error, InvalidInputError) else NOT_RUN
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            status = INTERRUPTED
        except BrokenPipeError:
            _print_no_more()
            status = READER_GONE
        except OSError:
            if (reason := _why_not_printed()) is None:
                raise
            click.echo(f"{click.style('Error:', fg='red')} stdout cannot be written: {reason}", err=True)
            _print_no_more()
            status = NOT_RUN
        ctx.exit(status or 0)


def _why_not_printed() -> str | None:
    """Try once more to print, and return why that is not possible, as on a full disk."""
    try:
        os.write(sys.stdout.fileno(), b"\n")
    except OSError as error:
        return error.strerror
    return None


def _print_no_more() -> None:
    # Python flushes stdout once more when it exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _message(error: SimlabError) -> str:
    lines = printable(str(error)).splitlines()
    return f" {lines[0]}" if len(lines) == 1 else "".join(f"\n  {line}" for line in lines)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="simlab")
def main() -> None:
    """Simulate bad networks for WebRTC, and see how the client comes back.

    \b
    Example:
      simlab run profiles/flaky.toml
    """
