"""What a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simlab.report.tables import Table
from simlab.report.worst import Worst
from simlab.study.comparison import Comparison
from simlab.study.rows import Row


@dataclass(frozen=True)
class Replay:
    """A session once more.

    Parameters
    ----------
    command
        What runs it again.
    headline, svg, account
        Its finding, its timeline as an ``<svg>`` element, and what happened, in sentences; empty where it
        was not run again.
    note
        Why it was not, or what is to be known of it; may be empty.
    """

    command: str
    headline: str = ""
    svg: str = ""
    account: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True)
class Found:
    """What a study found, and how it was made.

    Parameters
    ----------
    name
        Of the study.
    by
        The columns that tell its cells apart: profile, policy and the keys that vary.
    sessions, outages, failures
        The rows, as ``study.rows`` makes them.
    command
        What runs it again.
    comparisons
        Of its policies, or of what else it compares.
    overrides, notes
        Keys that were set in all sessions, and their values; and what is to be known of them.
    worst
        Its worst sessions, the worst first, each with what it showed when it was run again.
    """

    name: str
    by: Sequence[str]
    sessions: Sequence[Row]
    outages: Sequence[Row]
    failures: Sequence[Row]
    command: str
    comparisons: Sequence[Comparison] = ()
    worst: Sequence[tuple[Worst, Replay]] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Picture:
    """A drawing, with its caption."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Session:
    """A session that a reader can open.

    Parameters
    ----------
    number
        Of the session in its study.
    names
        Its labels, and what they are: profile, policy, seed and the keys that vary.
    """

    number: int
    names: Sequence[tuple[str, str]]
    what: str
    replay: Replay


@dataclass(frozen=True)
class Page:
    """A page: a finding, the facts, and what supports it.

    Parameters
    ----------
    title
        What it is about.
    finding
        The sentence that matters.
    facts
        Pairs of a name and a value.
    told
        What happened, in sentences, where it is about one session.
    sessions_note
        Which sessions those are.
    """

    title: str
    finding: str
    facts: Sequence[tuple[str, str]]
    command: str
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    told: Sequence[str] = ()
    sessions: Sequence[Session] = ()
    sessions_note: str = ""
    failures: Sequence[Sequence[str]] = field(default=())
