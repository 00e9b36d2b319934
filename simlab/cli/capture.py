"""``simlab capture``: what is in the files of ``simlab run --capture``."""

from pathlib import Path

import click

from simlab.core.errors import InvalidInputError


@click.group("capture", short_help="What happened in a captured session.")
def group() -> None:
    """Look into the packets that `simlab run --capture` has saved.

    \b
    Example:
      simlab capture summarise results/…/capture.pcapng
    """


@group.command("summarise", short_help="Print what happened in a capture.")
@click.argument("file", metavar="FILE")
@click.option(
    "--keys",
    metavar="FILE",
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
