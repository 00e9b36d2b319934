"""``simlab intercept``."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simlab.cli import complete
from simlab.cli.options import overrides_of, set_option
from simlab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simlab.core.timeline import Event, Timeline
    from simlab.live.intercept.commands import Load
    from simlab.live.intercept.run import Settings
    from simlab.profile.model import Profile
    from simlab.profile.scenario import Scenario

_CLEAN = 'name = "clean"\ndescription = "nothing is done to packets"'
_TOLD = {
    "client": ("offer", "answer", "offer_failed", "bot_ready", "hung_up"),
    "policy": ("attempt",),
    "fault": ("begin", "end"),
    "signalling": ("faulted",),
}


@click.command(
    "intercept", short_help="A bad network in front of any SmallWebRTC server, for a real browser."
)
@click.option("--upstream", required=True, metavar="URL", help="The server, such as http://localhost:7860.")
@click.option(
    "--listen",
    default="localhost:8000",
    show_default=True,
    metavar="HOST:PORT",
    help="Where browsers go.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST",
    help="Another name by which browsers come; may be repeated.",
)
@click.option(
    "--profile",
    "name",
    metavar="PROFILE",
    shell_complete=complete.profiles,
    help="What the network does; a clean one by default.",
)
@set_option()
@click.option(
    "--control",
    default="127.0.0.1:0",
    show_default=True,
    metavar="HOST:PORT",
    help="Where the live page is; port 0 takes any free one.",
)
@click.option("--socket", type=click.Path(path_type=Path), metavar="FILE", help="Where simlab ctl finds it.")
@click.option(
    "--media-host",
    "media",
    multiple=True,
    metavar="ADDRESS",
    help="The address of this machine that media are sent to; one of IPv4, one of IPv6.",
)
@click.option(
    "--idle", default="2min", show_default=True, metavar="DURATION", help="When a silent client is forgotten."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="results",
    show_default=True,
    help="For recordings.",
)
@click.option(
    "--capture", is_flag=True, help="Recordings have the packets, too: capture.pcapng and packets.parquet."
)
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The server's key log (of simlab serve --keys, simlab capture keys), for dtls.keys.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what happens as JSON, one event a line.")
@click.option("--quiet", is_flag=True, help="Print the two addresses, and nothing else.")
def command(
    upstream: str,
    listen: str,
    names: tuple[str, ...],
    name: str | None,
    settings: tuple[str, ...],
    control: str,
    socket: Path | None,
    media: tuple[str, ...],
    idle: str,
    out: Path,
    capture: bool,
    keys: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Stand between a browser and its server, and make the network bad, until Ctrl-C.

    Everything is passed on; offers, answers and candidates are changed so that media take the way through the
    relay. The live page turns the network bad and records.

    Exit status: 0 after Ctrl-C, SIGTERM or SIGHUP; 2 the command line or the profile is wrong; 3 it could
    not listen.

    \b
    Examples:
      simlab intercept --upstream http://localhost:7860
      simlab intercept --upstream http://localhost:7860 --listen localhost:8000 --profile lte
      simlab intercept --upstream https://bot.example --set link.loss=5% --control 127.0.0.1:8001
    """
    from simlab.live.intercept.run import intercept

    if keys is not None and not capture:
        raise InvalidInputError(["--keys: want --capture beside it"])
    wanted = _checked(upstream, listen, control, socket, media, idle, names)
    wanted = replace(wanted, prepare=partial(_prepare, out))
    if capture:
        wanted = replace(wanted, capture_folder=partial(_capture_folder, out))
    _tell_who_reaches(wanted)

    given = overrides_of(settings)
    loaded = load_named(name) if name else load_text(_CLEAN)

    def first(overrides: "Mapping[str, str]") -> "Profile":
        return loaded({**given, **overrides})

    save = partial(_save, out, keys)
    listening = partial(_tell_where, upstream, wanted, as_json)
    for folder in intercept(wanted, first, load_named, save, listening, _teller(as_json, quiet)):
        click.echo(f"Saved in {folder}", err=as_json)
    return 0


def _save(
    out: Path, keys: Path | None, scenario: "Scenario", timeline: "Timeline", captured: Path | None
) -> str:
    """Save a recording, and return its folder."""
    from simlab.batch.recording import save_recording

    return str(save_recording(out, scenario, timeline, captured, keys))


def _tell_where(upstream: str, wanted: "Settings", as_json: bool, url: str, page: str) -> None:
    if as_json:
        _tell_where_in_json(upstream, wanted, url, page)
    click.echo(f"Open {url} in place of {upstream}. Ctrl-C ends it.", err=as_json)
    click.echo(f"Live page: {page}", err=as_json)
    click.echo(f"Control: simlab ctl --socket {wanted.socket} status", err=as_json)


def _tell_where_in_json(upstream: str, wanted: "Settings", url: str, page: str) -> None:
    address, _, token = page.partition("/?token=")
    where = {"upstream": upstream, "listen": url, "control": address, "token": token}
    row = {"t_s": 0.0, "source": "session", "kind": "listening", **where, "socket": str(wanted.socket)}
    click.echo(json.dumps(row))


def _tell_who_reaches(wanted: "Settings") -> None:
    """Tell where others reach the intercept too, and whose candidates are left out."""
    from simlab.live.intercept.media_hosts import version_of

    for option, (host, _) in (("--listen", wanted.listen), ("--control", wanted.control)):
        _warn(option, host)
    for version in {4, 6} - {version_of(host) for host in wanted.media_hosts}:
        click.echo(
            f"Note: this machine has no address of IPv{version}: such candidates are left out.", err=True
        )


def _prepare(out: Path) -> None:
    from simlab import store

    store.prepare(out)


def _capture_folder(out: Path, name: str) -> Path:
    from simlab.batch.recording import capture_folder

    return capture_folder(out, name)


def _teller(as_json: bool, quiet: bool) -> "Callable[[Event], None]":
    """Return what tells of events as they happen."""

    def happened(event: "Event") -> None:
        if as_json:
            data = {"t_s": event.t_s, "source": event.source, "kind": event.kind, **event.data}
            click.echo(json.dumps(data))
        elif not quiet and event.kind in _TOLD.get(event.source, ()):
            click.echo(f"{event.t_s:9.3f} s  {_sentence(event)}")

    return happened


def load_named(name: str, is_text: bool = False) -> "Load":
    """Return what loads a profile by its file or its name in the catalogue, or by its text."""
    from simlab.batch.scenarios import load_file

    return load_text(name) if is_text else lambda overrides: load_file(name, overrides)


def load_text(text: str) -> "Load":
    """Return what loads a profile from its text."""
    from simlab.profile.load import load

    return lambda overrides: load(text, "intercept", overrides)


def _checked(
    upstream: str,
    listen: str,
    control: str,
    path: Path | None,
    media: tuple[str, ...],
    idle: str,
    names: tuple[str, ...],
) -> "Settings":
    """Return where the intercept is to stand.

    Raises
    ------
    InvalidInputError
        If an option is wrong, with a sentence for each.
    """
    from simlab.live.intercept.media_hosts import hosts_for_media
    from simlab.live.intercept.run import Settings
    from simlab.live.remote.paths import default_path
    from simlab.profile.units import parse_duration_s

    faults = _url_faults(upstream)
    places: list[tuple[str, int]] = []
    for option, text in (("--listen", listen), ("--control", control)):
        try:
            places.append(_place(text))
        except ValueError as error:
            faults.append(f"{option} {text}: {error}")
        if not faults and option == "--listen" and _is_itself(upstream, places[0]):
            faults.append(f"--upstream {upstream}: is where the intercept itself is to listen")
    faults += _media_faults(media) + _name_faults(names)
    idle_s = 0.0
    try:
        idle_s = parse_duration_s(idle)
        faults += [f"--idle {idle}: want 1s or more"] if idle_s < 1 else []
    except ValueError as error:
        faults.append(f"--idle {idle}: {error}")
    if faults:
        raise InvalidInputError(faults)
    listens, answers = places
    socket = path or default_path("intercept")
    return Settings(upstream, listens, answers, socket, hosts_for_media(media), idle_s, names=names)


def _url_faults(upstream: str) -> list[str]:
    from yarl import URL

    want = f"--upstream {upstream}: want a URL such as http://localhost:7860"
    try:
        url = URL(upstream)
    except ValueError:
        return [want]
    wrong = (
        url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment or url.user
    )
    return [want] if wrong else []


def _is_itself(upstream: str, listen: tuple[str, int]) -> bool:
    """Tell whether requests to the server would come back to the intercept."""
    from yarl import URL

    url, (host, port) = URL(upstream), listen
    meant = {"localhost": {"127.0.0.1", "::1"}, "0.0.0.0": {"127.0.0.1"}, "::": {"127.0.0.1", "::1"}}
    hosts = meant.get(url.host or "", {url.host}) & meant.get(host, {host})
    return url.port == port and bool(hosts)


def _name_faults(names: tuple[str, ...]) -> list[str]:
    wrong = [name for name in names if not name or set(name) & set(":/ ")]
    return [f"--name {name}: want the name of a host, such as my-laptop" for name in wrong]


def _place(text: str) -> tuple[str, int]:
    """Split ``HOST:PORT``."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) >= 2**16:
        raise ValueError("want HOST:PORT, such as localhost:8000")
    return host.removeprefix("[").removesuffix("]") or "localhost", int(port)


def _media_faults(media: tuple[str, ...]) -> list[str]:
    from simlab.live.intercept.media_hosts import is_own, version_of

    faults = [f"--media-host {host}: want an address of this machine" for host in media if not is_own(host)]
    versions = [version_of(host) for host in media]
    again = [host for number, host in enumerate(media) if versions[number] in versions[:number]]
    return faults or [f"--media-host {host}: want one of IPv4 and one of IPv6 at most" for host in again]


def _warn(option: str, host: str) -> None:
    from simlab.live.sockets import is_loopback

    if not is_loopback(host):
        click.echo(f"Warning: {option}: whoever reaches {host} can use what answers there.", err=True)


def _sentence(event: "Event") -> str:
    """Say what happened."""
    data = event.data
    who = f"client {data['client']}: " if "client" in data else ""
    if event.source == "fault":
        if data["fault"] == "rebind":
            return f"{who}seen by the server from another port"
        lasts = f" for {data['for']}" if "for" in data and event.kind == "begin" else ""
        return f"{who}{data['fault']} {'begins' if event.kind == 'begin' else 'ends'}{lasts}"
    words = {
        "offer": f"offer of connection {data.get('connection')}",
        "answer": f"answered with {data.get('status')}",
        "offer_failed": f"offer failed: {data.get('status') or data.get('error')}",
        "bot_ready": "data pass both ways",
        "hung_up": f"closes connection {data.get('connection')}",
        "attempt": f"tries to come back: {str(data.get('action')).replace('_', ' ')}",
        "faulted": f"signalling: {data.get('how')}",
    }
    return who + words[event.kind]
