"""``simlab sweep``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simlab.cli.options import wanted_options

if TYPE_CHECKING:
    from simlab.batch.scenarios import Wanted


@click.command("sweep", short_help="Run many sessions, and compare policies.")
@wanted_options(seeds=20)
@click.option(
    "--vary",
    "varied",
    multiple=True,
    metavar="KEY=VALUES",
    help="A key of the profile, and its values in turn: 0%,5% or 2s..60s:30; may be repeated.",
)
@click.option("--out", default="results", metavar="DIR", show_default=True, help="Where the folder goes.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="How many processes; all cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, and nothing else.")
@click.option("--quiet", is_flag=True, help="Print the study folder alone.")
def command(
    wanted: "Wanted", varied: tuple[str, ...], out: str, jobs: int | None, as_json: bool, quiet: bool
) -> int:
    """Run every profile with every policy, seed and value, and print how soon calls came back.

    All policies meet the same weather: the same seeds. The study folder gets a row per session and per outage
    (Parquet), the summary, and a picture of the recovery.

    Exit status: 0 done; 2 a profile or the command line is wrong; 3 no session could be run; 130 interrupted,
    with what was finished saved.

    \b
    Examples:
      simlab sweep flaky --policy pipecat --policy livekit --policy never --seeds 20
      simlab sweep blackout --vary fault[0].for=2s..40s:20 --seeds 10 --json
      simlab sweep flaky --server pipecat
    """
    from simlab.batch.sweep import Matrix
    from simlab.batch.vary import parse_vary
    from simlab.cli.sweeping import sweep_and_print

    matrix = Matrix(wanted, parse_vary(varied))
    return sweep_and_print(matrix, Path(out), jobs, as_json=as_json, quiet=quiet)
