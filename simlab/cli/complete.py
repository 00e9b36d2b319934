"""What a shell offers when the user presses tab: see "Shell Completion" in the documentation of click."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

Items = list[CompletionItem]


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Offer files, as the shell finds them."""
    return [CompletionItem(incomplete, type="file")]


def folders(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Offer folders, as the shell finds them."""
    return [CompletionItem(incomplete, type="dir")]


def profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Offer the profiles of the catalogue, and files."""
    from simlab.batch.scenarios import catalogue

    return _or_files(catalogue(), incomplete)


def policies(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Offer the policies, and files."""
    from simlab.reconnect.policy import POLICIES

    return _or_files(POLICIES, incomplete)


def keys(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Offer the keys of a profile, without those of a list's tables, such as ``fault[0].for``."""
    from simlab.profile.model import schema

    whole = schema()
    found = _beginning(_keys_in(whole["properties"], whole["$defs"]), incomplete)
    # Behind the only one that fits a shell puts a space, where the user wants a value.
    return [*found, *(CompletionItem(f"{one.value}=") for one in found if len(found) == 1)]


def _or_files(names: Iterable[str], incomplete: str) -> Items:
    # The shell falls back on files where none of the names fits: it wants to be told so first.
    return [CompletionItem(incomplete, type="file"), *_beginning(names, incomplete)]


def _beginning(names: Iterable[str], incomplete: str) -> Items:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _keys_in(properties: Mapping[str, Any], tables: Mapping[str, Any]) -> Iterator[str]:
    for name, value in properties.items():
        # A key that is a table, or one or none; one that may be a table among other things is a key itself.
        choices = [one for one in value.get("anyOf", [value]) if one != {"type": "null"}]
        table = tables[choices[0]["$ref"].rpartition("/")[2]] if "$ref" in choices[0] else {}
        if len(choices) == 1 and "properties" in table:
            yield from (f"{name}.{key}" for key in _keys_in(table["properties"], tables))
        else:
            yield name
