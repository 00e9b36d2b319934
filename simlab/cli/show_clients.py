"""The clients of a session that has several, for people."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from simlab.cli.tables import seconds, table_of
from simlab.study.words import share_text

_MOST = 10


def worst(metrics: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield a table with a row for each client, the worst first, ten at most."""
    clients = sorted(metrics["clients"], key=_how_bad)
    table = table_of("client", "ready", "outages", "longest", "offers", "failed", "usable", "in the end")
    for client in clients[:_MOST]:
        lasted_s = [_lasted_s(outage) for outage in client["outages"]]
        longest_s = max(lasted_s, default=None)
        table.add_row(
            str(client["client_id"]),
            seconds(client["connect"]["bot_ready_s"]),
            str(len(lasted_s)),
            "not over" if longest_s == math.inf else seconds(longest_s),
            str(client["attempts"]["offers"]),
            str(client["attempts"]["offers_failed"]),
            share_text(client["usable_fraction"]),
            "has its call" if client["saved"] else "lost",
        )
    yield table
    if len(clients) > _MOST:
        yield Text(f"and {len(clients) - _MOST} more, in metrics.json and with --json", style="dim")


def _how_bad(client: Mapping[str, Any]) -> tuple[bool, float, int]:
    longest_s = max(map(_lasted_s, client["outages"]), default=0.0)
    return client["saved"], -longest_s, client["client_id"]


def _lasted_s(outage: Mapping[str, Any]) -> float:
    return math.inf if outage["ended_s"] is None else outage["ended_s"] - outage["began_s"]
