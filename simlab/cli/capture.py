"""``simlab capture``: what is in captures, and the keys to read them with."""

import sys
from pathlib import Path

import click

from simlab.cli import complete
from simlab.core.errors import InvalidInputError


@click.group("capture", short_help="What happened in a captured session, and the keys of a server.")
def group() -> None:
    """Look into captured packets, and get the keys that decrypt them.

    \b
    Example:
      simlab capture summarise results/…/capture.pcapng
    """


@group.command("summarise", short_help="Print what happened in a capture.")
@click.argument("file", metavar="FILE", shell_complete=complete.files)
@click.option(
    "--keys",
    metavar="FILE",
    shell_complete=complete.files,
    help="The secrets of DTLS; by default dtls.keys beside the capture, if it is there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, and nothing else, on stdout.")
def summarise(file: str, keys: str | None, as_json: bool) -> None:
    """Print what happened in a capture: packets, drops, connections, DTLS, SCTP and RTP.

    FILE is a capture.pcapng, or a run folder. One that breaks off, since simlab was killed, is read as far
    as it goes.

    Exit status: 0 done; 2 a file is damaged, or no capture of simlab.

    \b
    Examples:
      simlab capture summarise results/…
      simlab capture summarise capture.pcapng --keys dtls.keys --json
    """
    from simlab import store
    from simlab.capture import CAPTURE, KEYS
    from simlab.capture.summary import summarise as summary_of
    from simlab.cli.show_capture import told

    path = Path(file)
    if not path.exists():
        raise InvalidInputError([f"{path}: no such file"])
    path = path / CAPTURE if path.is_dir() else path
    beside = path.with_name(KEYS)
    key_path = Path(keys) if keys is not None else beside if beside.is_file() else None
    found = summary_of(path, key_path)
    if as_json:
        click.echo(store.to_json(found), nl=False)
    else:
        click.echo("\n".join(told(found, path, key_path)))


@group.command(
    "keys",
    short_help="Run a server of your own, and keep the secrets of its connections.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.argument(
    "program",
    nargs=-1,
    required=True,
    type=click.UNPROCESSED,
    metavar="{PROGRAM.py | -m MODULE} [ARGUMENT...]",
)
def keys(file: Path, program: tuple[str, ...]) -> None:
    """Run a Python program, and append the secrets of its DTLS connections to FILE.

    Any program on aiortc will do, such as a bot on Pipecat. It runs as `python` would run it, in the Python
    that simlab is installed in; other processes that it starts (uvicorn's --workers and --reload) are not
    logged. Who has FILE can read the sessions. Give it to `simlab intercept --keys`, or to `simlab capture
    summarise --keys`.

    Exit status: the program's; 2 if there is no such program, or FILE cannot be written.

    \b
    Examples:
      simlab capture keys server.keys bot.py -t webrtc
      simlab capture keys server.keys -m mybot.main --port 7860
    """
    from simlab.capture.program import run_with_keys

    _check_program(program)
    run_with_keys(file, program)


def _check_program(program: tuple[str, ...]) -> None:
    from importlib.util import find_spec

    if program[0] != "-m":
        if not Path(program[0]).is_file():
            raise InvalidInputError([f"{program[0]}: no such file"])
        return
    if len(program) == 1:
        raise InvalidInputError(["-m: want the name of a module after it"])
    sys.path.insert(0, str(Path.cwd()))  # as with python -m
    try:
        found = find_spec(program[1])
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise InvalidInputError([f"-m {program[1]}: there is no such module"])
