"""``simlab profiles``."""

from typing import TYPE_CHECKING

import click

from simlab.cli import complete
from simlab.cli.options import set_option

if TYPE_CHECKING:
    from simlab.profile.importers.text import Way


@click.group("profiles", short_help="List, show, check and import profiles.", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def group(ctx: click.Context, as_json: bool) -> None:
    """List, show, check and import profiles; without a command, list the catalogue.

    \b
    Examples:
      simlab profiles
      simlab profiles check profiles/*.toml
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command, as_json=as_json)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_command(as_json: bool = False) -> None:
    """List the catalogue: the profiles that come with simlab, and those in profiles/ here, which come first.

    \b
    Example:
      simlab profiles list
    """
    from simlab.cli import listing
    from simlab.cli.json_out import print_json

    if as_json:
        print_json(listing.profiles())
    else:
        listing.print_profiles()


@group.command("show")
@click.argument("name", metavar="NAME", shell_complete=complete.profiles)
@set_option()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, with the same keys.")
def show_command(name: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Print a profile as TOML, with every default filled in.

    \b
    Examples:
      simlab profiles show flaky
      simlab profiles show my.toml --set link.loss=5%
    """
    from simlab.batch.scenarios import load_file
    from simlab.cli.json_out import print_json, stdout_for_json
    from simlab.cli.options import overrides_of
    from simlab.profile.scenario import Scenario
    from simlab.profile.text import parsed

    with stdout_for_json(as_json):
        shown = Scenario.of(load_file(name, overrides_of(settings))).to_toml()
        if as_json:
            print_json(parsed(shown, name))
        else:
            click.echo(shown, nl=False)


@group.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete.profiles)
@click.option(
    "--measure",
    "measured",
    is_flag=True,
    help="Send a flow through their links, and compare what it meets with what they ask for.",
)
@click.option("--seed", type=click.IntRange(0), metavar="N", help="For --measure; each profile's by default.")
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=1e-4,
    metavar="P",
    show_default=True,
    help="For --measure; the chance of taking anything for wrong that is not.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print what is wrong with each file, or what was measured, as JSON.",
)
def check_command(
    files: tuple[str, ...], measured: bool, seed: int | None, level: float, as_json: bool
) -> int:
    """Check profiles, and list everything that is wrong; exits 2 then. Suites are checked as suites.

    With --measure, what is random may differ from what was asked for as far as chance goes. The ranges that
    are allowed are exact, and so wide that all files together are taken for wrong without a reason with the
    chance --level, or less. Exits 1 when something is off.

    \b
    Examples:
      simlab profiles check profiles/*.toml
      simlab profiles check flaky nlc/3g --measure
    """
    from simlab.cli.checking import check, print_checked
    from simlab.cli.json_out import stdout_for_json
    from simlab.cli.measured import print_measured
    from simlab.core.errors import InvalidInputError

    with stdout_for_json(as_json):
        found = check(files)
        faults = [fault for one in found for fault in one.problems]
        if as_json and (faults or not measured):
            print_checked(found, as_json=True)
        if faults:
            raise InvalidInputError(faults)
        if measured:
            return print_measured([one.profile for one in found if one.profile], seed, level, as_json)
        if not as_json:
            print_checked(found, as_json=False)
        return 0


@group.command("import")
@click.argument("kind", type=click.Choice(["netem", "mahimahi", "libwebrtc", "csv"]), metavar="KIND")
@click.argument("file", metavar="FILE", shell_complete=complete.files)
@click.option("--name", metavar="NAME", help="Of the profile; that of the file by default.")
@click.option(
    "--direction",
    type=click.Choice(["both", "up", "down"]),
    help="Which direction it is about; by default both, or what a trace's name ends in.",
)
def import_command(kind: str, file: str, name: str | None, direction: "Way | None") -> None:
    """Print another tool's description of a network as a profile; - reads it from stdin.

    KIND is netem (a command line of tc), mahimahi (a trace), libwebrtc (a schedule, as JSON or text), or csv
    (a table with the columns time_s, rate_kbit/s, delay_ms or rtt_ms, loss_percent; other units go, too).
    Comments at the top say what was converted or halved, and what has no equivalent.

    \b
    Examples:
      echo tc qdisc add dev eth0 root netem delay 50ms loss 1% | simlab profiles import netem -
      simlab profiles import mahimahi driving.up > driving.toml
    """
    from simlab.batch.importing import import_file

    click.echo(import_file(kind, file, name, direction), nl=False)


@group.command("schema")
@click.option("--suite", is_flag=True, help="That of a suite for simlab nightly.")
def schema_command(suite: bool) -> None:
    """Print the JSON Schema of a profile, for editors.

    \b
    Examples:
      simlab profiles schema > profile.schema.json
      simlab profiles schema --suite > suite.schema.json
    """
    from simlab.cli.json_out import print_json
    from simlab.profile.model import schema
    from simlab.profile.suite import suite_schema

    print_json(suite_schema() if suite else schema())
