"""``simlab relay``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simlab.cli import complete
from simlab.cli.options import overrides_of, set_option
from simlab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simlab.live.remote.tool import Running, Wishes
    from simlab.profile.scenario import Scenario


@click.command("relay", short_help="The UDP relay alone, in front of any UDP program.")
@click.option("--listen", required=True, metavar="ADDRESS:PORT", help="Where clients send to; port 0: any.")
@click.option("--to", required=True, metavar="ADDRESS:PORT", help="Where their packets go.")
@click.option(
    "--profile",
    metavar="PROFILE",
    shell_complete=complete.profiles,
    help="What the network does; without one it is clean.",
)
@click.option("--seed", type=click.IntRange(0), metavar="N", help="The seed; the profile's by default.")
@set_option()
@click.option("--idle", metavar="TIME", help="A client's mapping is forgotten after so long. [default: 60s]")
@click.option("--socket", type=click.Path(path_type=Path), metavar="FILE", help="Where simlab ctl finds it.")
@click.option(
    "--control", metavar="ADDRESS:PORT", help="Serve a live page and the HTTP API there; they want a token."
)
@click.option(
    "--token-file", type=click.Path(path_type=Path), metavar="FILE", help="Write the token there, not out."
)
@click.option(
    "--capture", type=click.Path(path_type=Path), metavar="FILE", help="Write the packets there: pcapng."
)
@click.option("--compiled", is_flag=True, help="Carry packets by compiled code; wants simlab[fast].")
@click.option("--json", "as_json", is_flag=True, help="Print what happens as JSON, one object a line.")
@click.option("--quiet", is_flag=True, help="Print where it listens and the summary, and nothing else.")
def command(
    listen: str,
    to: str,
    profile: str | None,
    seed: int | None,
    settings: tuple[str, ...],
    idle: str | None,
    socket: Path | None,
    control: str | None,
    token_file: Path | None,
    capture: Path | None,
    compiled: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Relay UDP between any number of clients and one target, over the network of a profile, until Ctrl-C.

    The profile's faults and weather begin with the relay. simlab ctl changes everything while it runs.

    Exit status: 0 after Ctrl-C, SIGTERM or SIGHUP; 2 the command line or the profile is wrong; 3 it could not
    listen, or not write the capture.

    \b
    Examples:
      simlab relay --listen 127.0.0.1:5000 --to 127.0.0.1:6000
      simlab relay --listen 127.0.0.1:5000 --to 127.0.0.1:6000 --profile profiles/cellular/starlink.toml
      simlab relay --listen 127.0.0.1:5000 --to 127.0.0.1:6000 --profile lte --capture call.pcapng
      simlab relay --listen [::1]:5000 --to [::1]:6000 --set link.loss=5% --control 127.0.0.1:8080
    """
    from simlab.cli.relay_lines import summary_lines
    from simlab.live.remote.tool import relay

    if token_file is not None and control is None:
        raise InvalidInputError(["--token-file: want --control beside it"])
    scenario = _scenario(profile, seed, settings)
    wishes = _wishes(scenario, listen, to, idle, socket, control, capture, compiled=compiled)

    def listening(it: "Running") -> None:
        _tell_where(it, wishes, token_file, as_json)

    if compiled:
        click.echo(
            "Note: this takes some seconds; the first time, while it compiles, a quarter of a minute.",
            err=True,
        )
    last = relay(wishes, listening, _teller(as_json, quiet))
    if as_json:
        click.echo(json.dumps({"kind": "summary", **last}))
    else:
        click.echo("\n".join(summary_lines(last)))
    return 0


def _teller(as_json: bool, quiet: bool) -> "Callable[[dict[str, Any]], None]":
    """Return what tells of events as they happen."""
    from simlab.cli.relay_lines import Lines

    line_of = Lines()

    def happened(event: dict[str, Any]) -> None:
        if quiet:
            return
        if as_json:
            click.echo(json.dumps(event))
        elif line := line_of(event):
            click.echo(line)

    return happened


def _scenario(profile: str | None, seed: int | None, settings: tuple[str, ...]) -> "Scenario":
    from simlab.batch.scenarios import find, load_file
    from simlab.profile.live import left_out
    from simlab.profile.load import load
    from simlab.profile.scenario import Scenario

    given = overrides_of(settings)
    loaded = load("", "clean", given) if profile is None else load_file(profile, given)
    for note in left_out(loaded, "--set" if profile is None else str(find(profile))):
        click.echo(f"Note: {note}", err=True)
    return Scenario.of(loaded, seed=seed)


def _wishes(
    scenario: "Scenario",
    listen: str,
    to: str,
    idle: str | None,
    path: Path | None,
    control: str | None,
    capture: Path | None,
    *,
    compiled: bool,
) -> "Wishes":
    """Read the addresses, and warn where others than this machine get in."""
    from simlab.live.remote.paths import default_path
    from simlab.live.remote.tool import Wishes
    from simlab.live.sockets import endpoint, leads_back
    from simlab.live.udp.forward import Place

    family, here = endpoint(listen, "--listen", free_port=True)
    target_family, target = endpoint(to, "--to")
    if leads_back(here, target):
        want = "want another place than --listen: packets would go round for ever"
        raise InvalidInputError([f"--to is {to!r}, {want}"])
    place = Place(family, here, target_family, target, *_lifetime(scenario, idle))
    http = None
    if control is not None:
        _, address = endpoint(control, "--control", free_port=True)
        http = address, control.rpartition(":")[0].strip("[]")
    _warn(here[0], "send packets through this relay")
    if http is not None:
        _warn(http[0][0], "control this relay, if they have its token, which anybody on the way can read")
    if compiled:
        _check_numba()
    return Wishes(scenario, place, path or default_path("relay"), http, capture, compiled)


def _check_numba() -> None:
    from importlib.util import find_spec

    if sys.platform != "linux":
        raise InvalidInputError([f"--compiled works on Linux alone, not on {sys.platform}"])
    if find_spec("numba") is None:
        raise InvalidInputError(["--compiled wants numba: pip install 'simlab[fast]'"])


def _warn(host: str, what: str) -> None:
    from simlab.live.sockets import is_loopback

    if not is_loopback(host):
        click.echo(f"Warning: others than this machine reach {host}, and can {what}.", err=True)


def _lifetime(scenario: "Scenario", idle: str | None) -> tuple[float, bool]:
    """Return how long a mapping lives, and whether packets from the target keep it alive."""
    from simlab.profile.units import parse_duration_s

    nat = scenario.profile.nat
    refreshes = nat.inbound_refreshes if nat is not None else True
    if idle is None:
        return (60.0 if nat is None else nat.timeout_s), refreshes
    try:
        idle_s = parse_duration_s(idle)
    except ValueError as error:
        raise InvalidInputError([f"--idle is {idle!r}, {error}"]) from None
    if idle_s <= 0:
        raise InvalidInputError([f"--idle is {idle!r}, want more than 0"])
    return idle_s, refreshes


def _tell_where(it: "Running", wishes: "Wishes", token_file: Path | None, as_json: bool) -> None:
    told = it.told()
    if token_file is not None and it.token is not None:
        _write_token(token_file, it.token)
        told["token_file"] = str(token_file)
        del told["token"]
    if as_json:
        click.echo(json.dumps({"kind": "listening", **told}))
        return
    from simlab.live.sockets import endpoint_text

    profile = wishes.scenario.profile.name if wishes.scenario.profile.name != "unnamed" else "clean"
    click.echo(
        f"Relaying {told['listen']} to {endpoint_text(wishes.place.target)} ({profile}). Ctrl-C ends it."
    )
    click.echo(f"Control: simlab ctl --socket {told['socket']} status")
    if "control" in told:
        how = f"its token is in {token_file}" if token_file else f"token {told['token']}"
        click.echo(f"Control: {told['control']}/api/status, {how}")
        click.echo(f"Live page: {told['control']}/?token={'…' if token_file else told['token']}")


def _write_token(path: Path, token: str) -> None:
    import os

    from simlab.core.errors import SessionFailedError

    try:
        path.unlink(missing_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w", encoding="ascii") as stream:
            stream.write(token + "\n")
    except OSError as error:
        raise SessionFailedError("control", f"cannot write {path}: {error.strerror}") from error
