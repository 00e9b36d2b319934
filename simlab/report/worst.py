"""The sessions of a study that went worst."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simlab.study.rows import Row

FAILED, NEVER_READY, LOST, VIOLATED, LATE = range(5)


@dataclass(frozen=True)
class Worst:
    """A session that went badly.

    Parameters
    ----------
    row
        Of the session, or of its failure.
    kind
        How badly, the worst first.
    longest_s
        Its longest outage; one that was not over counts to the end of the session.
    what
        What happened, in a few words.
    """

    row: Row
    kind: int
    longest_s: float
    what: str

    @property
    def _order(self) -> tuple[int, float, int]:
        return self.kind, -self.longest_s, self.row["session"]


def worst_sessions(
    sessions: Iterable[Row], outages: Iterable[Row], failures: Iterable[Row], most: int
) -> list[Worst]:
    """Return the worst sessions, the worst of all first; those without any trouble are left out.

    Each profile with each policy comes with its worst one before another comes with its second.

    Parameters
    ----------
    sessions, outages, failures
        As ``study.rows`` makes them; failures have ``stage`` and ``reason``.
    most
        How many at most.
    """
    longest_s: dict[int, float] = {}
    for row in outages:
        longest_s[row["session"]] = max(row["waited_s"], longest_s.get(row["session"], 0.0))
    found = [_failed(row) for row in failures]
    found += [_judged(row, longest_s.get(row["session"], 0.0)) for row in sessions]
    bad = sorted((one for one in found if one.kind < LATE or one.longest_s), key=lambda one: one._order)
    return sorted(_by_turns(bad)[:most], key=lambda one: one._order)


def _by_turns(ordered: Sequence[Worst]) -> list[Worst]:
    places: dict[tuple[str, str], int] = {}
    turns: list[tuple[int, Worst]] = []
    for one in ordered:
        group = one.row["profile"], one.row["policy"]
        places[group] = places.get(group, 0) + 1
        turns.append((places[group], one))
    return [one for _, one in sorted(turns, key=lambda turn: turn[0])]  # sorted() keeps the order of the rest


def _failed(row: Row) -> Worst:
    return Worst(row, FAILED, 0.0, f"could not be run ({row['stage']}): {row['reason']}")


def _judged(row: Row, longest_s: float) -> Worst:
    told = [f"violated: {row['violated']}"] if row["violations"] else []
    if row["connect_bot_ready_s"] is None:
        return Worst(row, NEVER_READY, longest_s, "; ".join(["never ready", *told]))
    if not row["succeeded"]:
        return Worst(row, LOST, longest_s, "; ".join([f"never came back, {longest_s:.1f} s", *told]))
    outage = [f"longest outage {longest_s:.1f} s"] if longest_s else []
    return Worst(row, VIOLATED if told else LATE, longest_s, "; ".join([*outage, *told]))
