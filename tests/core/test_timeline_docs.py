"""docs/timeline.md, and docs/ice.md for its servers, have every kind of event with its fields."""

import re
from pathlib import Path

import pytest

from simlab.core.timeline import KINDS

DOCS = Path(__file__).parents[2] / "docs"


def told(document):
    """The fields of each source and kind; a row without a source has that of the row above."""
    found, sources = {}, []
    for line in re.findall(r"^\|.*\|$", (DOCS / document).read_text(), re.MULTILINE):
        cells = [re.findall(r"`([\w.-]+)`", cell) for cell in line.strip("|").split("|")]
        cells = [["ice-server"], *cells] if document == "ice.md" else cells
        sources = cells[0] or sources
        for source in sources:
            found |= {(source, kind): cells[2] for kind in cells[1]}
    return found


@pytest.mark.parametrize("source", KINDS)
def test_each_kind_is_told_with_its_fields(source):
    found = told("ice.md" if source == "ice-server" else "timeline.md")
    common = {"server"} if source == "ice-server" else set()
    missing = {
        kind: sorted(set(fields) - set(found.get((source, kind), ())) - common)
        for kind, fields in KINDS[source].items()
        if (source, kind) not in found or set(fields) - set(found[source, kind]) - common
    }
    assert missing == {}
