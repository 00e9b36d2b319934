"""``simlab plot``."""

from collections.abc import Sequence
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
@click.option("--json", "as_json", is_flag=True, help="Print where they are as JSON, and nothing else.")
def command(
    folder: str,
    kind: str | None,
    measure: str | None,
    file_format: str | None,
    out: str | None,
    as_json: bool,
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
    from simlab.cli.json_out import print_json

    drawn = _drawn(Path(folder), kind, measure, file_format, None if out is None else Path(out))
    if as_json:
        print_json({"pictures": [str(picture) for picture in drawn]})
        return
    for picture in drawn:
        click.echo(picture)


def _drawn(
    path: Path, kind: str | None, measure: str | None, file_format: str | None, target: Path | None
) -> Sequence[Path]:
    from simlab import store
    from simlab.cli.drawing import draw, draw_study, draw_trend
    from simlab.core.errors import InvalidInputError

    if not path.exists() and (measure is not None or path.suffix == ".jsonl"):
        raise InvalidInputError([f"{path}: no such file"])
    if measure is not None and not path.is_file():
        raise InvalidInputError([f"--measure {measure}: {path} is no trend file"])
    if path.is_file() and kind is None:
        return draw_trend(path, measure or _MEASURES[0], file_format, target)
    if store.is_study(path):
        return draw_study(path, kind or "all", file_format, target)
    if kind is not None:
        raise InvalidInputError([f"--kind {kind}: {path} is no study folder"])
    return [draw(path, file_format, target)]
