"""``simlab nightly``."""

from pathlib import Path

import click

from simlab.cli import complete
from simlab.cli.options import out_option, set_option


@click.command("nightly", short_help="Run a suite of sweeps, and tell what is worse than before.")
@click.argument("suite", metavar="SUITE.toml", shell_complete=complete.files)
@out_option("the folders go")
@click.option(
    "--trend",
    metavar="FILE",
    shell_complete=complete.files,
    help="The nights before, to which this one is added; SUITE-trend.jsonl in DIR by default.",
)
@click.option("--accept", is_flag=True, help="What changed is as it should be: begin a new baseline.")
@click.option("--resume", is_flag=True, help="Go on with this night, if it was cut short; else begin it.")
@set_option("all profiles")
@click.option(
    "--junit",
    "junit_file",
    metavar="FILE",
    shell_complete=complete.files,
    help="Write the JUnit XML there, too.",
)
@click.option(
    "--markdown",
    "markdown_file",
    metavar="FILE",
    shell_complete=complete.files,
    help="Write the Markdown there, too.",
)
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="How many processes; all cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, and nothing else.")
@click.option("--quiet", is_flag=True, help="Print the night's folder alone.")
def command(
    suite: str,
    out: str,
    trend: str | None,
    accept: bool,
    resume: bool,
    settings: tuple[str, ...],
    junit_file: str | None,
    markdown_file: str | None,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run the sweeps of a suite, judge what was expected, and compare with the nights before.

    A night without any change fails with a chance of at most 1 %, all its checks together. The night's folder
    gets JUnit XML and Markdown, each sweep a study folder, and the trend a record for each cell.

    Exit status: 0 nothing failed; 1 an expectation failed, or something is worse than before; 2 the suite, a
    profile or the command line is wrong; 3 nothing failed, but sessions could not be run, or the night not be
    saved; 130 interrupted, with what was finished saved for --resume, and not added to the trend.

    \b
    Examples:
      simlab nightly profiles/nightly.toml
      simlab nightly profiles/nightly.toml --junit junit.xml --markdown summary.md
      simlab nightly profiles/nightly.toml --resume
      simlab nightly profiles/nightly.toml --accept
    """
    import os

    from simlab.batch.nightly import PlannedNight, Wishes
    from simlab.cli.ending import others_as_ctrl_c
    from simlab.cli.json_out import stdout_for_json
    from simlab.cli.nights import Files, run_and_print
    from simlab.cli.options import files_to_be, overrides_of

    nights = None if trend is None else Path(trend)
    wishes = Wishes(Path(out), nights, jobs or os.cpu_count() or 1, overrides_of(settings), accept, resume)
    with stdout_for_json(as_json):
        planned = PlannedNight(suite, wishes)  # from here on, the folder of --out is there
        files = Files(*files_to_be({"--junit": junit_file, "--markdown": markdown_file}).values())
        with others_as_ctrl_c():
            return run_and_print(planned, files, as_json=as_json, quiet=quiet)
