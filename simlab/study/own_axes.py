"""Axes in a figure of their own, that no program but a notebook shows."""

from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DOTS_PER_INCH = 110


class OwnAxes(Axes):
    """Axes that a cell of a notebook shows as a picture: nothing else is in their figure."""

    def _repr_png_(self) -> bytes:
        figure = self.get_figure(root=True)
        assert figure is not None
        file = BytesIO()
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
        return file.getvalue()


def new_axes(width_inches: float, height_inches: float) -> Axes:
    """Return axes in a figure of their own, that nothing shows or saves."""
    return Figure(figsize=(width_inches, height_inches), layout="constrained").add_subplot(axes_class=OwnAxes)
