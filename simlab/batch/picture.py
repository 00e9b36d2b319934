"""Pictures as the bytes of a file."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Literal, get_args

import matplotlib as mpl
from matplotlib.axes import Axes

from simlab.core.printable import printable
from simlab.core.timeline import Timeline
from simlab.study.link_changes import LinkChange
from simlab.study.own_axes import DOTS_PER_INCH
from simlab.study.plots import plot_timeline

Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[str, ...] = get_args(Format)

# Without the date, the same session gives the same bytes.
_METADATA: dict[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


def picture(timeline: Timeline, file_format: Format, changes: Sequence[LinkChange] = ()) -> bytes:
    """Draw a session and return the file: the same bytes for the same timeline and the same matplotlib."""
    return as_file(plot_timeline(timeline, changes=changes), file_format)


def as_file(ax: Axes, file_format: Format) -> bytes:
    """Return the figure of axes as a file: the same bytes for the same drawing and the same matplotlib."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    file = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "simlab"}):
        figure.savefig(file, format=file_format, dpi=DOTS_PER_INCH, metadata=_METADATA[file_format])
    content = file.getvalue()
    # Comments of an SVG have each text as it is, and XML takes no control characters.
    return printable(content.decode()).encode() if file_format == "svg" else content
