"""``simlab compare``."""

import click

from simlab.cli import complete


@click.command("compare", short_help="Two studies: what got better, worse, or can't be told.")
@click.argument("before", metavar="BEFORE", shell_complete=complete.files)
@click.argument("after", metavar="AFTER", shell_complete=complete.files)
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="MEASURE=AMOUNT",
    help="How much worse is no regression: success_rate=2%, usable_fraction=1%, longest_outage=1s, "
    "recovery_p95=10%; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON, and nothing else.")
def command(before: str, after: str, tolerances: tuple[str, ...], as_json: bool) -> int:
    """Compare two study folders, profile by profile and policy by policy.

    Sessions of the same seed are paired. A cell is worse only if that can be told, at a level of 5 % for all
    cells and measures together; it is a regression if it is worse by more than the tolerance. A share
    (success_rate, usable_fraction) is tolerated in points; a time (longest_outage, recovery_p95) in seconds,
    or as a share of what it was.

    Exit status: 0 done; 1 a regression; 2 a folder is no study, or nothing is in both.

    \b
    Examples:
      simlab compare results/20261123T031500Z-flaky results/20261124T031500Z-flaky
      simlab compare before after --tolerance success_rate=2% --tolerance recovery_p95=1s --json
    """
    from simlab import store
    from simlab.batch.compare import compare
    from simlab.cli.comparing import changes
    from simlab.cli.main import UNMET
    from simlab.cli.options import pairs_of
    from simlab.cli.show import echo

    found = compare(before, after, tolerance=pairs_of("--tolerance", "MEASURE=AMOUNT", tolerances))
    if as_json:
        click.echo(store.to_json(found.json()), nl=False)
    else:
        echo(*changes(found))
    return UNMET if found.regressions else 0
