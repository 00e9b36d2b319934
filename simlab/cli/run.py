"""``simlab run``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simlab.cli.options import out_option, wanted_options

if TYPE_CHECKING:
    from simlab.batch.scenarios import Wanted


@click.command("run", short_help="Run one session per profile, policy and seed.")
@wanted_options(seeds=1)
@out_option("the run folders go")
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
@click.option(
    "--capture",
    is_flag=True,
    help="Save the packets, too: capture.pcapng, dtls.keys to read them with, and packets.parquet, a table.",
)
@click.option("--quiet", is_flag=True, help="Print the run folders alone.")
@click.option(
    "--verify-determinism",
    is_flag=True,
    help="Run each session in two processes instead, save none, and name the first event that differs.",
)
def command(
    wanted: "Wanted",
    out: str,
    jobs: int,
    capture: bool,
    as_json: bool,
    quiet: bool,
    verify_determinism: bool,
) -> int:
    """Run one session for each profile, policy and seed, and tell what happened.

    PROFILE is a TOML file, or the name of one of the catalogue. Each session is saved in a folder of its own.

    Exit status: 0 done, and everything expected held; 1 an expectation did not hold, or two runs differ; 2 a
    profile or the
    command line is wrong; 3 a session could not be run; 130 interrupted,
    by Ctrl-C, SIGTERM or SIGHUP.

    \b
    Examples:
      simlab run profiles/flaky.toml
      simlab run flaky --policy pipecat --policy never --seeds 20 --jobs 2
      simlab run clean --set duration=10s --set link.loss=5% --json
      simlab run flaky --capture
      simlab run flaky --server pipecat
      simlab run flaky --server my_bot:app --verify-determinism
      simlab run flaky --server pipecat --client chromium --clock real
    """
    from simlab.batch.scenarios import scenarios
    from simlab.batch.terms import partly_idle
    from simlab.cli.ending import others_as_ctrl_c
    from simlab.cli.json_out import stdout_for_json
    from simlab.cli.running import Printing, run_and_print
    from simlab.cli.show import say_notes

    with stdout_for_json(as_json), others_as_ctrl_c():
        found = scenarios(wanted)
        say_notes(partly_idle([one.profile for one in found], wanted.overrides))
        if verify_determinism:
            from simlab.cli.verifying import verify_and_print

            return verify_and_print(found, as_json=as_json, quiet=quiet)
        return run_and_print(found, Path(out), jobs, Printing.of(as_json, quiet), capture)
