"""A night that is over: its cells, their checks, and the finding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlab.study.nights import Check
from simlab.study.summary import Cell as Summary


def name_of(labels: Mapping[str, Any]) -> str:
    """Return what a cell is called."""
    fixed = ("sweep", "profile", "policy")
    varied = [f"{key}={value}" for key, value in labels.items() if key not in fixed]
    sweep, *others = (str(labels[key]) for key in fixed)
    return f"{sweep}: {', '.join([*others, *varied])}"


@dataclass(frozen=True, repr=False)
class NightCell:
    """One profile with one policy and one value of each key that varies, in one sweep.

    Parameters
    ----------
    summary
        What its sessions come to; None where none could be run.
    failures
        For each session that could not be run, at which stage and why.
    replays
        Of its worst sessions, the worst first: what was bad, and the command that runs it again.
    stopped
        Whether it was stopped early, since enough was known.
    changed
        What was other in the baseline, and what became of the comparison; empty where nothing was.
    """

    labels: Mapping[str, Any]
    summary: Summary | None
    failures: Sequence[str]
    checks: Sequence[Check]
    replays: Sequence[tuple[str, str]]
    stopped: bool = False
    changed: str = ""

    @property
    def name(self) -> str:
        """What it is called: ``outages: blackout, pipecat, fault[0].for=8s``."""
        return name_of(self.labels)

    @property
    def alarms(self) -> list[Check]:
        """The checks that the data speak against."""
        return [check for check in self.checks if check.alarms]

    def __repr__(self) -> str:
        nothing = f"nothing failed in {_counted(len(self.checks), 'check')}"
        return f"<{self.name}: {'; '.join(check.told for check in self.alarms) or nothing}>"


@dataclass(frozen=True, repr=False)
class Night:
    """All of a night.

    Parameters
    ----------
    number
        1 for the first night of the suite.
    at
        When it began: UTC, in ISO 8601.
    alpha
        The chance of any false alarm, at most.
    strict
        Whether an expectation that can't be told fails the night.
    interrupted
        Whether the user ended it: then nothing was judged that was not finished.
    missing
        What the cells are called that the night before had, and this one has not.
    notes
        What is to be known of the keys that are set or vary, as sentences.
    trend_changes
        What the trend says of the last fortnight of nights, this one with them: what changed, and when.
    folder, trend
        Where it is saved, and the file that has a record of every night; None if it is not.
    """

    suite: str
    number: int
    at: str
    commit: str | None
    versions: Mapping[str, str]
    alpha: float
    cells: Sequence[NightCell]
    strict: bool = False
    interrupted: bool = False
    missing: Sequence[str] = ()
    notes: Sequence[str] = ()
    trend_changes: Sequence[str] = ()
    folder: str | None = None
    trend: str | None = None

    @property
    def checks(self) -> list[Check]:
        """All checks, cell by cell."""
        return [check for cell in self.cells for check in cell.checks]

    @property
    def alarms(self) -> list[tuple[NightCell, Check]]:
        """What the data speak against."""
        return [(cell, check) for cell in self.cells for check in cell.alarms]

    @property
    def undecided(self) -> list[tuple[NightCell, Check]]:
        """The expectations of which the data say too little."""
        found = ((cell, check) for cell in self.cells for check in cell.checks)
        return [(cell, check) for cell, check in found if check.verdict == "can't be told"]

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.alarms and not (self.strict and self.undecided)

    @property
    def not_run(self) -> int:
        """How many sessions could not be run."""
        return sum(len(cell.failures) for cell in self.cells)

    @property
    def finding(self) -> str:
        """The finding in a sentence or two."""
        if self.interrupted:
            return f"Night {self.number} of {self.suite} was interrupted: nothing is judged."
        return " ".join(filter(None, [self._of_checks(), self._of_failures(), self._of_changes()]))

    @property
    def changes(self) -> list[tuple[str, str]]:
        """What is other than in the baseline: the cells, and what became of the comparison."""
        by_change: dict[str, list[str]] = {}
        for cell in self.cells:
            by_change.setdefault(cell.changed, []).append(cell.name)
        by_change.pop("", None)
        if self.missing:
            by_change["the night before had it, this one has not"] = list(self.missing)
        return [(_first_of(names), told) for told, names in by_change.items()]

    @property
    def trend_told(self) -> list[str]:
        """What the trend says, for people: without what was other, where ``changes`` says that already."""
        return [f"Trend: {self._untold(told)}" for told in self.trend_changes]

    def _untold(self, told: str) -> str:
        what, *clauses = told.split("; ")
        known = [cell.changed for cell in self.cells if what.startswith(f"{cell.name}: ")]
        return "; ".join([what, *(one for one in clauses if not any(one in changed for changed in known))])

    def __repr__(self) -> str:
        return f"<{self.finding.removesuffix('.')}>"

    def _of_checks(self) -> str:
        number, alarms = _counted(len(self.checks), "check"), self.alarms
        undecided = f"{len(self.undecided)} can't be told"
        if not alarms and self.passed:
            told = f"Night {self.number} of {self.suite}: nothing failed in {number}"
            return told + (f", {undecided}." if self.undecided else ".")
        if not alarms:
            return f"Night {self.number} of {self.suite} failed: of {number} {undecided}."
        cell, check = alarms[0]
        more = f", and {len(alarms) - 1} more" if len(alarms) > 1 else ""
        return f"Night {self.number} of {self.suite} failed: {cell.name}: {check.told}{more}."

    def _of_failures(self) -> str:
        return f"{_counted(self.not_run, 'session')} could not be run." if self.not_run else ""

    def _of_changes(self) -> str:
        number, gone = sum(bool(cell.changed) for cell in self.cells), len(self.missing)
        are = "is" if number == 1 else "are"
        told = f"{_counted(number, 'cell')} {are} not as in the baseline." if number else ""
        lost = f"{_counted(gone, 'cell')} of the night before {'is' if gone == 1 else 'are'} missing."
        return " ".join(filter(None, [told, lost if gone else ""]))


def _first_of(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
