"""Run the benchmarks, print a table, and write JSON: ``python -m benchmarks [FILE.json] [NAME…]``."""

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import link, memory, nights, relay, session, startup, studies
from benchmarks.figure import Figure, MissingToolError

BENCHMARKS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "startup": startup.measure,
    "link": link.measure,
    "session": session.measure,
    "nights": nights.measure,
    "studies": studies.measure,
    "memory": memory.measure,
    "relay": relay.measure,
}
_MARKS = {True: "", False: "[bold red]not met", None: ""}


def measured(names: list[str], console: Console, missing: list[str]) -> Iterator[Figure]:
    """Run the benchmarks of these names, or all; what could not be measured goes to ``missing``."""
    for name, measure in BENCHMARKS.items():
        if names and name not in names:
            continue
        try:
            with console.status(f"measuring {name} …") as status:
                for figure in measure():
                    status.update(f"measuring {name}; {figure.name}: {figure.measured} …")
                    yield figure
        except MissingToolError as error:
            missing.append(str(error))


def main(file: str | None = None, *names: str) -> int:
    """Measure, print, write, and return 1 if a figure is not as wanted or could not be had."""
    console = Console()
    missing: list[str] = []
    figures = list(measured(list(names), console, missing))
    table = Table("", "measured", "wanted", "", title=f"Python {platform.python_version()}", box=None)
    for figure in figures:
        table.add_row(figure.name, figure.measured, figure.wanted, _MARKS[figure.met])
    console.print(table)
    for sentence in missing:
        console.print(f"[bold red]{sentence}")
    if file is not None:
        rows = [{**asdict(figure), "met": figure.met} for figure in figures]
        machine = f"{platform.machine()}, {os.cpu_count()} processors"
        found = {"python": platform.python_version(), "machine": machine, "figures": rows}
        text = json.dumps(found, indent=1)
        Path(file).write_text(text + "\n", encoding="utf-8")
    return int(bool(missing) or any(figure.met is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
