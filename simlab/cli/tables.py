"""Tables for people."""

from rich.table import Table


def seconds(value_s: float | None) -> str:
    """Write a time for a table."""
    return "-" if value_s is None else f"{value_s:.1f} s"


def table_of(*columns: str) -> Table:
    """Return a table without lines, whose last columns may be folded."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
