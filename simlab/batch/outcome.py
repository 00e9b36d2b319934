"""What remains of a session of a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlab.batch.result import Run
from simlab.study.rows import Row, outage_rows, session_row


@dataclass(frozen=True)
class Outcome:
    """A session of a study that is over.

    Parameters
    ----------
    number
        Which one it was.
    session, outages
        Its rows; None and none where it could not be run to its end.
    failed
        Its labels, the stage and the reason, where it could not.
    interrupted
        Whether the user wanted it to end.
    """

    number: int
    session: Row | None
    outages: Sequence[Row] = ()
    failed: Row | None = None
    interrupted: bool = False

    @property
    def succeeded(self) -> bool | None:
        """Whether the call came back; None where the session could not be run."""
        return None if self.session is None else bool(self.session["succeeded"])

    def record(self) -> dict[str, Any]:
        """Return it as a line of a journal."""
        named = {"number": self.number, "session": self.session, "outages": list(self.outages)}
        return {**named, "failed": self.failed}

    @staticmethod
    def of_record(record: Mapping[str, Any]) -> "Outcome":
        """Return what a line of a journal says.

        Raises
        ------
        KeyError, TypeError
            If it is none.
        """
        return Outcome(record["number"], record["session"], record["outages"], record["failed"])


def outcome_of(labels: Mapping[str, Any], run: Run) -> Outcome:
    """Return what remains of a session.

    Parameters
    ----------
    labels
        What tells its rows from the others'; ``session`` is its number.
    """
    number = labels["session"]
    if run.failed is not None:
        failed = {**labels, **{name: run.failed[name] for name in ("stage", "reason")}}
        return Outcome(number, None, failed=failed, interrupted=run.interrupted)
    rows = outage_rows(labels, run.metrics)
    return Outcome(number, session_row(labels, run.metrics), rows, interrupted=run.interrupted)


def died(labels: Mapping[str, Any], reason: str) -> Outcome:
    """Return what remains of a session that took the processes with it that ran it."""
    return Outcome(labels["session"], None, failed={**labels, "stage": "worker", "reason": reason})
