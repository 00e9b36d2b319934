"""``simlab report``."""

from pathlib import Path

import click

from simlab.cli import complete


@click.command("report", short_help="Write a study as one HTML page.")
@click.argument("folder", metavar="STUDY|RUN", shell_complete=complete.files)
@click.option(
    "--out", metavar="FILE", shell_complete=complete.files, help="By default report.html in the folder."
)
@click.option(
    "--worst",
    type=click.IntRange(0),
    default=8,
    metavar="N",
    show_default=True,
    help="How many of the worst sessions to run again, for their timelines.",
)
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="How many processes; all cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print where the page is as JSON, and nothing else.")
def command(folder: str, out: str | None, worst: int, jobs: int | None, as_json: bool) -> None:
    """Write a study, or a run, as one HTML page that needs nothing else, and print where it is.

    The page has the finding, the tables, the pictures, and the timelines of the worst sessions. A study keeps
    no timelines, so those sessions are run again, exactly as they were, if it was under the virtual clock.
    Their profiles and policies are looked for from the same working directory as by simlab sweep.

    \b
    Examples:
      simlab report results/20261123T031500Z-flaky
      simlab report results/20261123T031500Z-flaky --out flaky.html --worst 20
    """
    from simlab.batch.reporting import write_report
    from simlab.cli.json_out import print_json, stdout_for_json
    from simlab.cli.options import files_to_be

    (file,) = files_to_be({"--out": out}).values()
    with stdout_for_json(as_json):
        page = write_report(Path(folder), file, worst, jobs or 0)
        if as_json:
            print_json({"page": str(page)})
        else:
            click.echo(page)
