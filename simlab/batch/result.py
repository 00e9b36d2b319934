"""A finished session: what was asked for, what happened, and what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.batch.arguments import check
from simlab.batch.link_changes import link_changes
from simlab.core.timeline import Event, Timeline
from simlab.profile.scenario import Scenario
from simlab.study.account import account
from simlab.study.headline import headline
from simlab.study.words import count, number_text

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes


class RunTimeline(Timeline):
    """A timeline that can also be had as a table."""

    def frame(self) -> "polars.DataFrame":
        """Return the events as a table, a row each: ``study.frame`` describes the columns."""
        from simlab.study.frame import frame

        return frame(self)

    def __repr__(self) -> str:
        return f"<Timeline of {count(len(self.events), 'event')} in {number_text(self.duration_s)} s>"


@dataclass(frozen=True, eq=False)
class Run:
    """One session that has been run.

    Two are equal if the same happened in the same scenario, however long it took and wherever they are saved.

    Parameters
    ----------
    scenario
        What was run.
    timeline
        What happened.
    metrics
        What it comes to, in the shape of metrics.json.
    folder
        Where it is saved; None if it is not.
    stopped
        Whether the user wanted it to end, which may have come too late to cut it short.
    captured
        The folder with the files of its capture, until it is saved; None if there is none.
    """

    scenario: Scenario
    timeline: RunTimeline
    metrics: dict[str, Any]
    folder: Path | None = None
    stopped: bool = False
    captured: Path | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Run):
            return NotImplemented
        return self._session == other._session

    def __hash__(self) -> int:
        return hash(self.scenario)

    @property
    def _session(self) -> tuple[Scenario, Timeline, dict[str, Any]]:
        """All that tells of the session, and nothing of the machine that ran it."""
        return self.scenario, self.timeline, self.metrics | {"wall_s": None}

    @property
    def failed(self) -> Event | None:
        """The event that says at which stage the session failed and why; None if it ran to its end."""
        return next(self.timeline.select("session", "failed"), None)

    @property
    def interrupted(self) -> bool:
        """Whether the user wanted it to end, and nothing to follow."""
        return self.stopped or (self.failed is not None and self.failed["stage"] == "interrupted")

    @property
    def unmet(self) -> Sequence[dict[str, Any]]:
        """The expectations of the profile that did not hold."""
        return [one for one in self.metrics["expectations"] if not one["held"]]

    @property
    def headline(self) -> str:
        """The finding in one line."""
        if self.failed is not None:
            return f"Failed ({self.failed['stage']}): {self.failed['reason']}"
        return headline(self.timeline, self.metrics)

    def account(self) -> list[str]:
        """Tell what happened, in plain sentences."""
        return account(self.timeline, self.metrics, link_changes(self.scenario))

    def frame(self) -> "polars.DataFrame":
        """Return the events as a table."""
        return self.timeline.frame()

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the session, by default on axes in a new figure, and return the axes."""
        from simlab.study.plots import plot_timeline

        check(ax=ax)
        return plot_timeline(self.timeline, ax, link_changes(self.scenario))

    @cached_property
    def picture_png(self) -> bytes:
        """The picture of the session, as it is saved and as a notebook shows it."""
        from simlab.batch.picture import picture

        return picture(self.timeline, "png", link_changes(self.scenario))

    def _repr_png_(self) -> bytes:
        return self.picture_png

    def __repr__(self) -> str:
        return f"<Run of {self.scenario}: {self.headline}>"
