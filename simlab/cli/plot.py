"""``simlab plot``."""

from pathlib import Path

import click

from simlab.cli import complete

_KINDS = ["all", "recovery", "heat", "usable", "cost", "gaps"]
_MEASURES = ["down_time", "success_rate", "usable_fraction", "attempts", "violations"]


@click.command("plot", short_help="Draw the pictures of a run, a study or a trend.")
@click.argument("folder", metavar="RUN_STUDY_OR_TREND", shell_complete=complete.files)
@click.option("--kind", type=click.Choice(_KINDS), help="Which picture of a study; all by default.")
@click.option(
    "--measure", type=click.Choice(_MEASURES), help="What is drawn of a trend; down_time by default."
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["png", "svg", "pdf"]),
    help="By default that of --out, or png.",
)
@click.option(
    "--out",
    metavar="FILE",
    shell_complete=complete.files,
    help="By default in the folder; for several pictures, a folder.",
)
def command(
    folder: str, kind: str | None, measure: str | None, file_format: str | None, out: str | None
) -> None:
    """Draw the pictures of a saved run or study, or of a trend file, and print where they are.

    Of a study: how soon outages are over (recovery), the same over a key that varies (heat), the usable share
    (usable), attempts against recovery (cost), and how long the media were silent (gaps).

    Of a trend, the file of simlab nightly: a measure over the nights, a picture for each sweep, with steps
    where it changed.

    \b
    Examples:
      simlab plot results/20261123T031500Z-flaky-pipecat-s1 --format svg
      simlab plot results/20261123T031500Z-flaky-pipecat-s1 --out flaky.pdf
      simlab plot results/20261123T031500Z-flaky --kind heat --out heat.svg
      simlab plot results/nightly-trend.jsonl --measure attempts
    """
    from simlab import store
    from simlab.cli.drawing import draw, draw_study, draw_trend
    from simlab.core.errors import InvalidInputError

    path, target = Path(folder), None if out is None else Path(out)
    if not path.exists() and (measure is not None or path.suffix == ".jsonl"):
        raise InvalidInputError([f"{folder}: no such file"])
    if measure is not None and not path.is_file():
        raise InvalidInputError([f"--measure {measure}: {folder} is no trend file"])
    if path.is_file() and kind is None:
        for drawn in draw_trend(path, measure or _MEASURES[0], file_format, target):
            click.echo(drawn)
        return
    if store.is_study(path):
        for drawn in draw_study(path, kind or "all", file_format, target):
            click.echo(drawn)
        return
    if kind is not None:
        raise InvalidInputError([f"--kind {kind}: {folder} is no study folder"])
    click.echo(draw(path, file_format, target))
