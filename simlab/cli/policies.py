"""``simlab policies``."""

import click


@click.command("policies", short_help="List the reconnection policies.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def command(as_json: bool) -> None:
    """List the reconnection policies, with their numbers and where those come from.

    \b
    Examples:
      simlab policies
      simlab policies --json
    """
    from simlab.cli.listing import policies, print_json, print_policies

    if as_json:
        print_json(policies())
    else:
        print_policies()
