"""The picture of how long the media were silent."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from simlab.study.looks import LINES, corner, reference, tidy, title
from simlab.study.own_axes import new_axes
from simlab.study.rows import Row
from simlab.study.words import count

_FREEZE_S = 0.5
_SHORTEST_S, _LEAST_END_S = 0.1, 1.0  # of the axis, which a freeze is always on
_SHORT_DECADES = 3.0  # up to here there is room for 1, 2 and 5 of each


def plot_gaps(sessions: Sequence[Row], between: str = "policy", ax: Axes | None = None) -> Axes:
    """Draw, for each policy, in which share of the sessions the media were silent for how long at least.

    Parameters
    ----------
    sessions
        As ``study.rows`` makes them; those without sound are left out. One whose client was never ready
        was silent all the time.
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
            found.setdefault(str(row[between]), []).append(_longest_s(row))
    for (name, gaps_s), (colour, dash) in zip(found.items(), cycle(LINES), strict=False):
        ordered = np.sort(np.maximum(gaps_s, 1e-2))
        share = 1 - np.arange(len(ordered) + 1) / len(ordered)
        at_s = np.concatenate([[1e-2], ordered])
        ax.step(at_s, share, where="post", color=colour, linestyle=dash, linewidth=2.0, label=name)
    _scale(ax, max((max(gaps_s) for gaps_s in found.values()), default=0.0))
    ax.set_ylim(0.0, 1.04)
    ax.set_xlabel("longest silence of the microphone or the bot's voice in a session, in seconds")
    ax.set_ylabel("share of sessions with a longer one")
    ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    tidy(ax)
    reference(ax, _FREEZE_S, "0.5 s: a freeze to a viewer")
    if found:
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), title=between, fontsize=9)
    title(ax, _finding(found, between))
    corner(ax, f"n = {count(sum(map(len, found.values())), 'session')} with sound")
    return ax


def _longest_s(row: Row) -> float:
    if row["connect_bot_ready_s"] is None:
        return float(row["duration_s"])
    return float(max(row["media_up_longest_gap_s"], row["media_down_longest_gap_s"]))


def _scale(ax: Axes, longest_s: float) -> None:
    end_s = max(_LEAST_END_S, longest_s * 1.2)
    ax.set_xscale("log")
    ax.set_xlim(_SHORTEST_S, end_s)
    is_short = np.log10(end_s / _SHORTEST_S) <= _SHORT_DECADES
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if is_short else (1.0,)))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def _finding(found: dict[str, list[float]], between: str) -> str:
    if not found:
        return "No sound in any session"
    half_s = {name: float(np.median(gaps_s)) for name, gaps_s in found.items()}
    best, worst = min(half_s, key=lambda n: half_s[n]), max(half_s, key=lambda n: half_s[n])
    least, most = _text(half_s[best]), _text(half_s[worst])
    if len(found) == 1:
        return f"{best}: half of the sessions were silent for {least} or more"
    if least == most:
        return f"Half of the sessions silent for {least} or more, whatever the {between}"
    return f"Half of the sessions silent for {least} or more with {best}, {most} with {worst}"


def _text(longest_s: float) -> str:
    return f"{longest_s:.2f} s" if longest_s < _SHORTEST_S else f"{longest_s:.1f} s"
