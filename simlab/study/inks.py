"""What is drawn with, on light figures and on dark ones."""

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba


def quiet(ax: Axes, dark: str = "#444444") -> str:
    """Return a dark colour, or on a dark figure that of its text; by default for what is not the finding."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    *hues, opacity = to_rgba(figure.get_facecolor())
    return rcParams["text.color"] if opacity > 0.5 and sum(hues) < 1.5 else dark
