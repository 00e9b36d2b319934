"""``simlab ctl``: remote control of a relay or an intercept."""

import json
from pathlib import Path
from typing import Any

import click

from simlab.cli import complete
from simlab.cli.options import overrides_of, set_option
from simlab.core.errors import InvalidInputError

_for = click.option("--for", "for_", metavar="TIME", help="How long; without it, until it is ended.")
_client = click.option(
    "--client", type=click.IntRange(1), metavar="N", help="At an intercept: for this client alone."
)
_direction = click.option("--direction", metavar="both|up|down", help="up: what clients send.")


@click.group("ctl", short_help="Change a relay or an intercept while it runs, and see what it does.")
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Its control socket; needed if several run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print answers as JSON.")
@click.pass_context
def group(ctx: click.Context, socket: Path | None, as_json: bool) -> None:
    """Change what `simlab relay` or `simlab intercept` does while it runs, and see it.

    A command that is wrong changes nothing, and every fault in it is listed.

    Exit status: 0 done; 2 the command is wrong; 3 the relay does not answer.

    \b
    Examples:
      simlab ctl set link.loss=5% link.up.rate=1Mbit/s
      simlab ctl blackout --for 5s
      simlab ctl watch
    """
    ctx.obj = socket, as_json


def _relay(ctx: click.Context) -> Any:
    from simlab.batch.relay import Relay

    return Relay.connect(ctx.obj[0])


def _say(ctx: click.Context, answer: Any, sentence: str | None = None) -> int:
    if ctx.obj[1] or sentence is None:
        click.echo(json.dumps(answer, indent=None if ctx.obj[1] else 2))
    else:
        click.echo(sentence)
    return 0


def _asking(name: str, does: str) -> None:
    """Add a command that asks for something, and prints the answer."""

    @click.pass_context
    def ask(ctx: click.Context) -> int:
        return _say(ctx, getattr(_relay(ctx), name)())

    group.command(name, help=f"{does}\n\n\b\nExample:\n  simlab ctl {name}")(ask)


_asking("status", "Show where it listens, and which profile it plays.")
_asking("stats", "Show what it has carried and dropped, and, at a relay, how late.")
_asking("clients", "List the clients that are there.")


@group.command("settings")
@click.pass_context
def settings(ctx: click.Context) -> int:
    """Show what the links do, as the [link] table of a profile.

    \b
    Example:
      simlab ctl settings
    """
    import tomli_w

    found = _relay(ctx).settings()
    return _say(ctx, found, tomli_w.dumps({"link": found}).rstrip())


@group.command("set")
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.pass_context
def set_(ctx: click.Context, pairs: tuple[str, ...]) -> int:
    """Change keys of [link], [link.up] or [link.down]: all of them, or none if one is wrong.

    KEY= without a value takes the key away; at an intercept, what the profile says then counts again.

    \b
    Example:
      simlab ctl set link.delay=80ms "link.loss={ model = 'gilbert-elliott', loss = '5%', burst = 4 }"
    """
    given = dict(_pair(pair) for pair in pairs)
    told = (f"{key} is {'taken away' if value is None else 'set'}" for key, value in given.items())
    return _say(ctx, _relay(ctx).set(given), "\n".join(told))


def _pair(pair: str) -> tuple[str, str | None]:
    key, equals, value = pair.partition("=")
    if not (key and equals):
        raise InvalidInputError([f"{pair}: want KEY=VALUE"])
    return key.strip(), value or None


@group.command("blackout")
@_for
@_direction
@_client
@click.pass_context
def blackout(ctx: click.Context, for_: str | None, direction: str | None, client: int | None) -> int:
    """Let nothing through from now on.

    \b
    Example:
      simlab ctl blackout --for 5s
    """
    return _began(ctx, _relay(ctx).blackout(for_, direction, client))


@group.command("block")
@click.option("--match", multiple=True, default=("stun",), show_default=True, metavar="CLASS")
@_for
@_direction
@_client
@click.pass_context
def block(
    ctx: click.Context, match: tuple[str, ...], for_: str | None, direction: str | None, client: int | None
) -> int:
    """Let nothing of some packet classes through: STUN, unless others are named.

    \b
    Example:
      simlab ctl block --match stun --match dtls --for 20s
    """
    return _began(ctx, _relay(ctx).block(match, for_, direction, client))


@group.command("fault")
@click.argument("kind")
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE...]")
@click.pass_context
def fault(ctx: click.Context, kind: str, pairs: tuple[str, ...]) -> int:
    """Let any fault of the link begin, by its kind and keys as in a profile; "at" counts from now.

    \b
    Example:
      simlab ctl fault bad-integrity for=10s direction=up
    """
    from simlab.profile.overrides import parse_value

    given = {key: parse_value(value) for key, value in map(_pair, pairs) if value is not None}
    return _began(ctx, _relay(ctx).fault(kind, **given))


def _began(ctx: click.Context, answer: dict[str, Any]) -> int:
    number, for_s = answer["number"], answer["for_s"]
    end = "simlab ctl clear ends it" if for_s is None else f"for {for_s:g} s"
    return _say(ctx, answer, f"{answer['kind']} [{number}], {end}")


@group.command("clear")
@click.argument("number", type=int, required=False)
@click.pass_context
def clear(ctx: click.Context, number: int | None) -> int:
    """End a fault that a command has begun, by its number, or all of them.

    \b
    Example:
      simlab ctl clear
    """
    answer = _relay(ctx).clear(number)
    return _say(ctx, answer, f"{len(answer['cleared'])} ended")


@group.command("rebind")
@click.option("--what", metavar="port|address", help="What is new; a port, unless said otherwise.")
@_client
@click.pass_context
def rebind(ctx: click.Context, what: str | None, client: int | None) -> int:
    """Let the target see every client from elsewhere, as a NAT that forgets does.

    \b
    Example:
      simlab ctl rebind
    """
    answer = _relay(ctx).rebind(what, client)
    clients = answer["clients"]
    return _say(ctx, answer, "1 client has moved" if clients == 1 else f"{clients} clients have moved")


@group.command("pause")
@_for
@_direction
@_client
@click.pass_context
def pause(ctx: click.Context, for_: str | None, direction: str | None, client: int | None) -> int:
    """Hold all packets; they leave in a burst when it is over.

    \b
    Example:
      simlab ctl pause --for 500ms --direction down
    """
    answer = _relay(ctx).pause(for_, direction, client)
    return _say(ctx, answer, "held; simlab ctl resume lets go" if for_ is None else f"held for {for_}")


@group.command("resume")
@_direction
@_client
@click.pass_context
def resume(ctx: click.Context, direction: str | None, client: int | None) -> int:
    """Let go of what is held.

    \b
    Example:
      simlab ctl resume
    """
    return _say(ctx, _relay(ctx).resume(direction, client), "packets leave again")


@group.command("signalling")
@click.argument("how")
@_for
@click.option("--method", metavar="POST|PATCH", help="Offers alone, or candidates alone.")
@click.pass_context
def signalling(ctx: click.Context, how: str, for_: str | None, method: str | None) -> int:
    """At an intercept: break offers and candidates, with HOW as in a profile.

    \b
    Example:
      simlab ctl signalling "status 503" --for 10s
    """
    return _began(ctx, _relay(ctx).signalling(how, for_, method))


@group.command("record")
@click.option("--name", default="intercept", show_default=True, help="What its profile is called.")
@click.pass_context
def record(ctx: click.Context, name: str) -> int:
    """At an intercept: begin a recording.

    \b
    Example:
      simlab ctl record --name login
    """
    return _say(ctx, _relay(ctx).record(name), "recording; simlab ctl stop-recording saves it")


@group.command("stop-recording")
@click.pass_context
def stop_recording(ctx: click.Context) -> int:
    """At an intercept: end the recording, and save a run folder for each client.

    \b
    Example:
      simlab ctl stop-recording
    """
    answer = _relay(ctx).stop_recording()
    lines = [f"client {one['client']}: {one['folder']}" for one in answer["folders"]]
    return _say(ctx, answer, "\n".join(lines) or "nothing to save: there was no client")


@group.command("load")
@click.argument("profile", shell_complete=complete.profiles)
@set_option("it")
@click.pass_context
def load(ctx: click.Context, profile: str, settings: tuple[str, ...]) -> int:
    """Begin with another profile, its faults and its weather; what is on its way still arrives.

    \b
    Example:
      simlab ctl load profiles/flaky.toml --set link.loss=5%
    """
    answer = _relay(ctx).load(profile, overrides_of(settings))
    for note in answer["notes"]:
        click.echo(f"Note: {note}", err=True)
    return _say(ctx, answer, f"{answer['profile']} begins, seed {answer['seed']}")


@group.command("watch")
@click.pass_context
def watch(ctx: click.Context) -> int:
    """Print what happens as JSON, one event a line, until Ctrl-C or the relay's end.

    \b
    Example:
      simlab ctl watch
    """
    for event in _relay(ctx).events():
        click.echo(json.dumps(event))
    return 0
