"""``simlab policies``."""

import click

from simlab.cli import complete


@click.group("policies", short_help="List and show the reconnection policies.", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def group(ctx: click.Context, as_json: bool) -> None:
    """List and show the reconnection policies, with their numbers and where those come from.

    \b
    Examples:
      simlab policies
      simlab policies --json
      simlab policies show livekit > mine.toml
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command, as_json=as_json)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_command(as_json: bool = False) -> None:
    """List the policies.

    \b
    Example:
      simlab policies list
    """
    from simlab.cli.json_out import print_json
    from simlab.cli.policy_table import policies, print_policies

    if as_json:
        print_json(policies())
    else:
        print_policies()


@group.command("show")
@click.argument("name", metavar="NAME", shell_complete=complete.policies)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, with the same keys.")
def show_command(name: str, as_json: bool) -> None:
    """Print a policy as a policy file, with every term in it.

    NAME is a policy of the list, a policy file, or a class as MODULE:NAME (its terms alone).

    \b
    Examples:
      simlab policies show livekit > mine.toml
      simlab run flaky --policy mine.toml
    """
    from simlab.cli.json_out import print_json, stdout_for_json
    from simlab.cli.policy_table import policy_file
    from simlab.profile.text import parsed

    with stdout_for_json(as_json):
        shown = policy_file(name)
        if as_json:
            print_json(parsed(shown, name))
        else:
            click.echo(shown, nl=False)
