"""The picture of a session with several clients: what came upon the server, and who could use it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import floor

from matplotlib.axes import Axes

from simlab.core.timeline import Timeline
from simlab.study import reading
from simlab.study.crowd import by_client, usable_over_time, usable_spans
from simlab.study.inks import quiet
from simlab.study.spans import Span, union, without

_USABLE, _LOST, _INK, _GREY = "#56B4E9", "#D55E00", "#222222", "#BBBBBB"
# Lower edge and height of the panels, from top to bottom, in shares of the whole.
_PANELS = ((0.72, 0.28), (0.47, 0.19), (0.0, 0.41))
_MOST_TICKS = 2000


def draw_storm(ax: Axes, timeline: Timeline) -> None:
    """Draw offers per second, how many clients could use their connection, and a row for each client.

    Parameters
    ----------
    ax
        Its place is shared out among three axes, which have the time axis in common.
    """
    ax.set_axis_off()
    end_s = max(reading.end_s(timeline), 1e-3)
    panels = [ax.inset_axes((0.0, bottom, 1.0, height)) for bottom, height in _PANELS]
    clients = by_client(timeline)
    spans = {number: usable_spans(one) for number, one in clients.items()}
    _draw_offers(panels[0], timeline, end_s)
    _draw_usable(panels[1], spans.values(), end_s, len(clients))
    _draw_rows(panels[2], clients, spans)
    for panel in panels:
        _dress(panel, timeline, end_s)
    for panel in panels[:-1]:
        panel.tick_params(labelbottom=False)
    panels[-1].set_xlabel("time in seconds")


def _draw_offers(panel: Axes, timeline: Timeline, end_s: float) -> None:
    seconds = range(floor(end_s) + 1)
    answered = _per_second(e.t_s for e in timeline.select("client", "answer") if e["status"] < 400)
    failed = _per_second(e.t_s for e in timeline.select("client", "offer_failed"))
    good, bad = ([counts[second] for second in seconds] for counts in (answered, failed))
    panel.bar(seconds, good, 1.0, align="edge", color=_USABLE, edgecolor="white", label="answered")
    panel.bar(
        seconds, bad, 1.0, good, align="edge", color=_LOST, edgecolor="white", hatch="xx", label="failed"
    )
    panel.set_ylabel("offers\nper second")
    panel.legend(loc="upper right", ncols=2, frameon=False, fontsize=9)


def _per_second(times_s: Iterable[float]) -> Counter[int]:
    return Counter(floor(t_s) for t_s in times_s)


def _draw_usable(panel: Axes, spans: Iterable[Sequence[Span]], end_s: float, count: int) -> None:
    times_s, counts = usable_over_time(span for of_one in spans for span in of_one)
    panel.fill_between([*times_s, end_s], [*counts, counts[-1]], step="post", color=_USABLE, alpha=0.6)
    panel.step(
        [*times_s, end_s], [*counts, counts[-1]], where="post", color=quiet(panel, _INK), linewidth=1.0
    )
    panel.set_ylim(0, count * 1.05)
    panel.set_ylabel("clients\nusable")


def _draw_rows(panel: Axes, clients: Mapping[int, Timeline], spans: Mapping[int, Sequence[Span]]) -> None:
    """Draw the clients, those that came back first on top, those that never did at the bottom."""
    ordered = sorted(clients, key=lambda number: (_lost_at_end(clients[number], spans[number]), number))
    for row, number in enumerate(ordered):
        watched = Span(reading.watched_from_s(clients[number]) or 0.0, reading.end_s(clients[number]))
        silent = without(watched, spans[number]) if spans[number] else (watched,)
        _draw_row(panel, row, spans[number], _USABLE)
        _draw_row(panel, row, silent, _LOST)
    offers = [
        (e.t_s, row) for row, number in enumerate(ordered) for e in clients[number].select("client", "offer")
    ]
    if len(offers) <= _MOST_TICKS:
        times_s, rows = zip(*offers, strict=True) if offers else ((), ())
        panel.plot(times_s, rows, "|", color=quiet(panel, _INK), markersize=_tick(len(ordered)))
    panel.set_ylim(len(ordered) - 0.5, -0.5)
    panel.set_yticks([])
    panel.set_ylabel("a row for each client,\na tick for each offer")


def _tick(rows: int) -> float:
    return max(1.5, min(8.0, 180.0 / rows))


def _draw_row(panel: Axes, row: int, spans: Sequence[Span], colour: str) -> None:
    panel.broken_barh(
        [(span.began_s, span.length_s) for span in spans], (row - 0.4, 0.8), facecolors=colour, linewidth=0.0
    )


def _lost_at_end(timeline: Timeline, spans: Sequence[Span]) -> tuple[bool, float]:
    """Return whether a client was lost in the end, and since when the other clients had their call."""
    if not spans or spans[-1].ended_s < reading.end_s(timeline):
        return True, 0.0
    return False, spans[-1].began_s


def _dress(panel: Axes, timeline: Timeline, end_s: float) -> None:
    panel.set_xlim(0.0, end_s)
    for span in union(fault.span for fault in reading.faults(timeline)):
        until_s = min(span.ended_s, end_s)
        panel.axvspan(
            span.began_s, until_s, color=quiet(panel, "#000000"), alpha=0.12, linewidth=0.0, zorder=0
        )
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    panel.grid(visible=True, axis="x", color="#CCCCCC", linewidth=0.6)
    panel.set_axisbelow(True)
