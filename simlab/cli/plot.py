"""``simlab plot``."""

from pathlib import Path

import click


@click.command("plot", short_help="Draw the picture of a run again.")
@click.argument("run_folder", metavar="RUN")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["png", "svg", "pdf"]),
    help="By default that of --out, or png.",
)
@click.option("--out", metavar="FILE", help="By default timeline.FORMAT in the run folder.")
def command(run_folder: str, file_format: str | None, out: str | None) -> None:
    """Draw the picture of a saved run, and print where it is.

    \b
    Examples:
      simlab plot results/20261123T031500Z-flaky-pipecat-s1 --format svg
      simlab plot results/20261123T031500Z-flaky-pipecat-s1 --out flaky.pdf
    """
    from simlab.cli.drawing import draw

    click.echo(draw(Path(run_folder), file_format, None if out is None else Path(out)))
