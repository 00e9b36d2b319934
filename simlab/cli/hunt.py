"""``simlab hunt``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simlab.cli.options import out_option, wanted_options

if TYPE_CHECKING:
    from simlab.batch.scenarios import Wanted


@click.command("hunt", short_help="Search for faults that break an invariant, and shrink them.")
@wanted_options(seeds=100)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="A kind of fault to draw; may be repeated; all that the profile can have by default.",
)
@click.option(
    "--invariant",
    "invariants",
    multiple=True,
    metavar="NAME",
    help="An invariant to break; may be repeated; all by default.",
)
@click.option(
    "--faults",
    "most_faults",
    type=click.IntRange(1, 100),
    default=3,
    metavar="N",
    show_default=True,
    help="How many to draw at most, beside the profile's own.",
)
@click.option(
    "--tries",
    "most_tried",
    type=click.IntRange(0),
    default=200,
    metavar="N",
    show_default=True,
    help="How many sessions may be tried to make a finding simpler.",
)
@out_option()
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="How many processes; all cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON, and nothing else.")
@click.option("--quiet", is_flag=True, help="Print the profiles that were found alone.")
def command(
    wanted: "Wanted",
    kinds: tuple[str, ...],
    invariants: tuple[str, ...],
    most_faults: int,
    most_tried: int,
    out: str,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Search for fault schedules that break an invariant, and shrink each to a minimal profile.

    Each seed draws a schedule of its own, which all policies meet. For each invariant that a policy breaks,
    the folder gets a profile from which nothing can be left out, and the run folder of its session.

    Exit status: 0 nothing was broken; 1 an invariant was; 2 a profile or the command line is wrong; 3 no
    session could be run; 130 interrupted, by Ctrl-C, SIGTERM or SIGHUP, with what was found saved.

    \b
    Examples:
      simlab hunt clean --set duration=60s
      simlab hunt flaky --policy pipecat-fixed --policy livekit --seeds 500
      simlab hunt clean --kind handover --kind signalling --faults 2 --invariant ready-but-dead
      simlab hunt clean --server my_bot:app --seeds 1000
    """
    import os

    from simlab.batch.hunt import Hunt
    from simlab.cli.ending import others_as_ctrl_c
    from simlab.cli.how import How
    from simlab.cli.hunting import hunt_and_print
    from simlab.cli.json_out import stdout_for_json

    hunt = Hunt(wanted, kinds, invariants, most_faults, most_tried)
    with stdout_for_json(as_json), others_as_ctrl_c():
        return hunt_and_print(hunt, How(Path(out), jobs or os.cpu_count() or 1, as_json, quiet))
