"""Put what ``make bench`` measured into the README: ``python -m benchmarks.table BENCH.json README.md``."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure

BEGIN, END = "<!-- bench: written by `make bench-table` from results/bench.json -->", "<!-- /bench -->"
_MARKS = {True: "", False: " (not met)", None: ""}


def table(found: Mapping[str, Any]) -> str:
    """Return the figures of which something is wanted as a table in Markdown, and where they are from."""
    figures = [Figure(**{k: v for k, v in row.items() if k != "met"}) for row in found["figures"]]
    rows = [_row(figure) for figure in figures if figure.wanted]
    head = ["| | measured | wanted |", "|---|---|---|"]
    where = f"Measured by `make bench` with Python {found['python']}{_of(found.get('machine'))}:"
    return "\n".join([where, "", *head, *rows])


def _row(figure: Figure) -> str:
    return f"| {figure.name} | {figure.measured}{_MARKS[figure.met]} | {figure.wanted} |"


def _of(machine: str | None) -> str:
    return f" on {machine}" if machine else ""


def put_in(text: str, lines: str) -> str:
    """Return a text with these lines in the place of those between the two marks.

    Raises
    ------
    ValueError
        If the marks are not there, once each and in that order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"want {BEGIN} and then {END}, once each")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{lines}\n{END}{rest.partition(END)[2]}"


def main(found: str, readme: str) -> int:
    """Write the table into the README."""
    path = Path(readme)
    try:
        text = put_in(path.read_text(encoding="utf-8"), table(json.loads(Path(found).read_text("utf-8"))))
    except FileNotFoundError as error:
        print(f"{error.filename} is not there; `make bench` writes the figures", file=sys.stderr)
        return 2
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
