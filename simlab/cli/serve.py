"""``simlab serve``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simlab.cli.options import overrides_of
from simlab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simlab.core.timeline import Event
    from simlab.profile.model import Profile

_TABLES = ("server", "bot")


@click.command("serve", short_help="The built-in server alone, for any SmallWebRTC client.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where it listens.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=7860,
    show_default=True,
    metavar="N",
    help="0 takes any free one.",
)
@click.option("--mode", metavar="MODE", help="Connections at a time: multiple (the default) or single.")
@click.option(
    "--preset", metavar="NAME", help="Which server it behaves as: pipecat-1.14.0 (the default), fixed."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any key of a profile's [server] and [bot], dotted; may be repeated.",
)
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Append the secrets of DTLS there, for Wireshark; who has them can read the sessions.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what happens as JSON, one event a line.")
@click.option("--quiet", is_flag=True, help="Print where it listens, and nothing else.")
def command(
    host: str,
    port: int,
    mode: str | None,
    preset: str | None,
    settings: tuple[str, ...],
    keys: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Serve the built-in bot to any SmallWebRTC client, a browser's too, until Ctrl-C.

    Offers go to /api/offer, or to the session that /start opens. Where it listens, it also takes media; with
    the default host that is this machine alone.

    Exit status: 0 after Ctrl-C, SIGTERM or SIGHUP; 2 the command line is wrong; 3 it could not listen.

    \b
    Examples:
      simlab serve
      simlab serve --port 8080 --mode single --preset fixed
      simlab serve --host 0.0.0.0 --set bot.voice=echo --set server.behaviour.keep_stale_ids=false
    """
    from simlab.live.serve import serve
    from simlab.live.sockets import is_loopback

    profile = _profile(mode, preset, settings)
    if not is_loopback(host):
        click.echo(
            f"Warning: whoever reaches {host} can talk to this server; it asks nobody who they are.", err=True
        )

    def listening(url: str) -> None:
        server = profile.server
        if as_json:
            told = {"listen": url, "preset": server.preset, "mode": server.mode}
            click.echo(json.dumps({"t_s": 0.0, "kind": "listening", **told}))
        click.echo(f"Listening on {url} ({server.preset}, {server.mode}). Ctrl-C ends it.", err=as_json)

    def happened(event: "Event") -> None:
        if as_json:
            click.echo(json.dumps({"t_s": event.t_s, "kind": event.kind, **event.data}))
        elif not quiet:
            click.echo(f"{event.t_s:9.3f} s  {_sentence(event)}")

    serve(profile, host, port, listening, happened, keys)
    return 0


def _profile(mode: str | None, preset: str | None, settings: tuple[str, ...]) -> "Profile":
    """Return a profile of which the server's and the bot's tables count."""
    from simlab.profile.load import load

    given = overrides_of(settings)
    faults = [
        f"--set {key}: want a key of [server] or [bot], such as bot.voice"
        for key in given
        if key.partition(".")[0] not in _TABLES
    ]
    if faults:
        raise InvalidInputError(faults)
    options = {"server.mode": mode, "server.preset": preset}
    named = {key: value for key, value in options.items() if value is not None}
    try:
        return load("", "serve", {**given, **named})
    except InvalidInputError as error:
        raise InvalidInputError([_as_asked(fault, named) for fault in error.faults]) from None


def _as_asked(fault: str, named: "Mapping[str, str]") -> str:
    """Call a key as the option that has set it."""
    for key in named:
        fault = fault.replace(f"--set {key} ", f"--{key.partition('.')[2]} ")
    return fault


def _sentence(event: "Event") -> str:
    """Say what happened."""
    data = event.data
    if event.kind == "http":
        return f"{data['method']} {data['path']} {data['status']}"
    name = str(data["pc_id"]).rpartition("-")[0]
    words = {"event": f"is {data.get('name')}", "connection_closed": f"closed ({data.get('reason')})"}
    return f"{name} {words.get(event.kind, event.kind.replace('_', ' '))}"
