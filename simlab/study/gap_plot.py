"""The picture of how long the media were silent."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes

from simlab.study.looks import LINES, corner, new_axes, reference, tidy, title
from simlab.study.rows import Row

_FREEZE_S = 0.5


def plot_gaps(sessions: Sequence[Row], between: str = "policy", ax: Axes | None = None) -> Axes:
    """Draw, for each policy, in which share of the sessions the media were silent for how long at least.

    Parameters
    ----------
    sessions
        As ``study.rows`` makes them; those without media are left out.
    between
        The column that tells the lines apart.

    Returns
    -------
    matplotlib.axes.Axes
        The longest silence of the microphone or the bot's voice to the right, in seconds.
    """
    ax = ax or new_axes(9.0, 5.0)
    found: dict[str, list[float]] = {}
    for row in sessions:
        if row["media_up_sent"] or row["media_down_sent"]:
            longest_s = max(row["media_up_longest_gap_s"], row["media_down_longest_gap_s"])
            found.setdefault(str(row[between]), []).append(longest_s)
    for (name, gaps_s), (colour, dash) in zip(found.items(), cycle(LINES), strict=False):
        ordered = np.sort(np.maximum(gaps_s, 1e-2))
        share = 1 - np.arange(len(ordered) + 1) / len(ordered)
        at_s = np.concatenate([[1e-2], ordered])
        ax.step(at_s, share, where="post", color=colour, linestyle=dash, linewidth=2.0, label=name)
    ax.set_xscale("log")
    ax.set_xlim(0.1, max((max(gaps_s) for gaps_s in found.values()), default=1.0) * 1.2)
    ax.set_ylim(0.0, 1.04)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_xlabel("longest silence of the microphone or the bot's voice in a session, in seconds")
    ax.set_ylabel("share of sessions with a longer one")
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    tidy(ax)
    reference(ax, _FREEZE_S, "0.5 s: a freeze to a viewer")
    if found:
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), title=between, fontsize=9)
    title(ax, _finding(found))
    corner(ax, f"n = {sum(map(len, found.values()))} sessions with media")
    return ax


def _finding(found: dict[str, list[float]]) -> str:
    if not found:
        return "No media in any session"
    half_s = {name: float(np.median(gaps_s)) for name, gaps_s in found.items()}
    best, worst = min(half_s, key=lambda n: half_s[n]), max(half_s, key=lambda n: half_s[n])
    if best == worst:
        return f"{best}: half of the sessions were silent for {half_s[best]:.1f} s or more"
    least, most = half_s[best], half_s[worst]
    return f"Half of the sessions silent for {least:.1f} s or more with {best}, {most:.1f} s with {worst}"
