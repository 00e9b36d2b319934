"""``simlab run``."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from simlab.cli.options import overrides_of, peer_options, peers_of

if TYPE_CHECKING:
    from simlab.profile.model import Clock


@click.command("run", short_help="Run one session per profile, policy and seed.")
@click.argument("profiles", nargs=-1, required=True, metavar="PROFILE...")
@click.option("--clock", type=click.Choice(["virtual", "real"]), help="The clock; the profile's by default.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="The first seed; the profile's by default.")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="How many seeds, from --seed on.",
)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="NAME|FILE.toml|MODULE:NAME",
    help="A reconnection policy; may be repeated.",
)
@peer_options
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any key of the profile, dotted; may be repeated.",
)
@click.option("--out", default="results", metavar="DIR", show_default=True, help="Where the run folders go.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="How many processes, for several sessions.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the metrics as JSON, and nothing else, on stdout."
)
@click.option("--quiet", is_flag=True, help="Print the run folders alone.")
def command(
    profiles: tuple[str, ...],
    clock: str | None,
    seed: int | None,
    seeds: int,
    policies: tuple[str, ...],
    server: str | None,
    client: str | None,
    settings: tuple[str, ...],
    out: str,
    jobs: int,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run one session for each profile, policy and seed, and tell what happened.

    PROFILE is a TOML file, or the name of one in profiles/. Each session is saved in a folder of its own.

    Exit status: 0 done, and everything expected held; 1 an expectation did not hold; 2 a profile or the
    command line is wrong; 3 a session could not be run; 130 interrupted.

    \b
    Examples:
      simlab run profiles/flaky.toml
      simlab run flaky --policy pipecat --policy never --seeds 20 --jobs 2
      simlab run clean --set duration=10s --set link.loss=5% --json
      simlab run flaky --server pipecat
      simlab run flaky --server pipecat --client chromium --clock real
    """
    from simlab.batch.scenarios import Wanted, scenarios
    from simlab.cli.running import Printing, run_and_print

    overrides = overrides_of(settings) | peers_of(server, client)
    wanted = Wanted(profiles, policies, seed, seeds, cast("Clock | None", clock), overrides)
    return run_and_print(scenarios(wanted), Path(out), jobs, Printing.of(as_json, quiet))
