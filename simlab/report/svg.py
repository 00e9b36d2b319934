"""Drawings as SVG that many of can stand in one page."""

import re
from collections.abc import Callable
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from simlab.core.printable import xml_text

# Text stays text: it is found, and small. Whatever font a reader has, hardly one is wider than DejaVu.
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,  # a name with two dollar signs is no formula
}
_LEFT_OUT = re.compile(r"\A.*?(?=<svg)|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_SIZE = re.compile(r' (?:width|height)="[\d.]+pt"')


def inline_svg(draw: Callable[[], Axes], prefix: str, label: str) -> str:
    """Draw, and return an ``<svg>`` element: the same text for the same drawing and the same matplotlib.

    Parameters
    ----------
    draw
        Returns the axes of a new figure.
    prefix
        What its ids begin with: another one for each drawing of a page. Letters, digits and hyphens.
    label
        What it shows, for those who do not see it.
    """
    file = StringIO()
    with mpl.rc_context({**_SETTINGS, "svg.hashsalt": prefix}):
        figure = draw().get_figure(root=True)
        assert figure is not None
        figure.savefig(file, format="svg", metadata={"Date": None})
    drawn = _TAG.sub(lambda tag: _fitted(tag[0], prefix), _LEFT_OUT.sub("", file.getvalue()))
    return xml_text(_SIZE.sub("", drawn, count=2)).replace(
        "<svg ", f'<svg role="img" aria-label="{escape(xml_text(label), quote=True)}" ', 1
    )


def _fitted(tag: str, prefix: str) -> str:
    """Return a tag with ids of this drawing, and no more digits than can be seen."""
    tag = re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{prefix}-", tag)
    tag = _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.2f}", tag)
    return tag.replace("\n", "") if tag.startswith("<path") else tag
