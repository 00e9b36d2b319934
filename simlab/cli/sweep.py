"""``simlab sweep``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from simlab.cli import complete
from simlab.cli.options import out_option, wanted_options
from simlab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from simlab.batch.scenarios import Wanted


@click.command("sweep", short_help="Run many sessions, and compare policies.")
@wanted_options(seeds=20)
@click.option(
    "--vary",
    "varied",
    multiple=True,
    metavar="KEY=VALUES",
    shell_complete=complete.keys,
    help="A key of the profile, and its values in turn: 0%,5% or 2s..60s:30; may be repeated.",
)
@click.option(
    "--until-width",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="W",
    help="Stop a cell when the 95 % interval of its success rate is at most this wide (0.02).",
)
@out_option()
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="How many processes; all cores by default.")
@click.option(
    "--executor",
    default="local",
    metavar="local|dask://HOST:PORT",
    show_default=True,
    help="What runs the sessions: this machine, or a Dask cluster.",
)
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[DIR]",
    shell_complete=complete.folders,
    help="Go on with an unfinished study: the one in DIR, or one of the same matrix in --out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, and nothing else.")
@click.option("--quiet", is_flag=True, help="Print the study folder alone.")
def command(
    wanted: "Wanted",
    varied: tuple[str, ...],
    until_width: float | None,
    out: str,
    jobs: int | None,
    executor: str,
    resume: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run every profile with every policy, seed and value, and print how soon calls came back.

    All policies meet the same weather: the same seeds. The study folder gets a row per session and per outage
    (Parquet), the summary, and a picture of the recovery.

    In place of profiles, a study that is saved (its folder, or its study.toml) runs the same again.

    Exit status: 0 done; 2 a profile or the command line is wrong; 3 no session could be run, or the study not
    be saved; 130 interrupted, with what was finished saved for --resume.

    \b
    Examples:
      simlab sweep flaky --policy pipecat --policy livekit --policy never --seeds 20
      simlab sweep blackout --vary fault[0].for=2s..40s:20 --seeds 10 --json
      simlab sweep flaky --seeds 5000 --until-width 0.02 --executor dask://10.0.0.5:8786
      simlab sweep flaky --seeds 5000 --until-width 0.02 --resume
      simlab sweep results/20261124T173048Z-flaky
    """
    import os

    from simlab.batch.plan import Matrix
    from simlab.batch.resume import names_a_study
    from simlab.batch.vary import parse_vary
    from simlab.cli.ending import others_as_ctrl_c
    from simlab.cli.how import HowToSweep
    from simlab.cli.json_out import stdout_for_json
    from simlab.cli.sweeping import sweep_and_print

    seeds_given = click.get_current_context().get_parameter_source("seeds") is not ParameterSource.DEFAULT
    if seeds_given and any(map(names_a_study, wanted.profiles)):
        raise InvalidInputError([f"{wanted.profiles[0]}: is a whole study: it takes no --seeds"])
    matrix = Matrix(wanted, parse_vary(varied), until_width)
    with stdout_for_json(as_json), others_as_ctrl_c():
        how = HowToSweep(
            Path(out), jobs or os.cpu_count() or 1, as_json, quiet, executor=executor, resume=resume
        )
        return sweep_and_print(matrix, how)
