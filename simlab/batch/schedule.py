"""Which sessions of a study are to run next, whatever has run already."""

from collections.abc import Iterable

from simlab.batch.outcome import Outcome
from simlab.batch.plan import Plan
from simlab.batch.stopping import looks, width


class Schedule:
    """What is left to do.

    Where a cell may stop early, its sessions come in batches of seeds, and whether there is another batch
    is decided when the last session of one is over. So it does not depend on the order in which they end.

    Parameters
    ----------
    known
        The sessions that are over.
    """

    def __init__(self, plan: Plan, known: Iterable[Outcome] = ()) -> None:
        self._seeds, self._until_width = plan.seeds, plan.until_width
        stages = looks(plan.seeds, plan.until_width)
        self._stages = [list(stages) for _ in plan.cells]
        self._over: list[dict[int, bool | None]] = [{} for _ in plan.cells]
        for outcome in known:
            self._take(outcome)

    def begin(self) -> list[int]:
        """Return the numbers of the sessions to begin with."""
        return [number for cell in range(len(self._stages)) for number in self._missing(cell)]

    def after(self, outcome: Outcome) -> list[int]:
        """Take in a session that is over, and return the numbers of those to run now because of it."""
        cell = self._take(outcome)
        return self._missing(cell) if self._is_over(cell) else []

    @property
    def most(self) -> int:
        """How many sessions there may be in all, as far as is known now."""
        for cell in range(len(self._stages)):
            self._settle(cell)
        return sum(stages[-1] for stages in self._stages)

    def _take(self, outcome: Outcome) -> int:
        cell = outcome.number // self._seeds
        self._over[cell][outcome.number] = outcome.succeeded
        return cell

    def _first(self, cell: int) -> range:
        return range(cell * self._seeds, cell * self._seeds + self._stages[cell][0])

    def _is_over(self, cell: int) -> bool:
        # Sessions beyond this batch are never running, so a count is enough.
        return len(self._over[cell]) >= self._stages[cell][0]

    def _missing(self, cell: int) -> list[int]:
        self._settle(cell)
        return [number for number in self._first(cell) if number not in self._over[cell]]

    def _settle(self, cell: int) -> None:
        """Go on to the first batch of a cell that is not over, or to its last one."""
        stages = self._stages[cell]
        while len(stages) > 1 and self._is_over(cell):
            if self._is_narrow(cell):
                del stages[1:]
            else:
                del stages[0]

    def _is_narrow(self, cell: int) -> bool:
        found = [self._over[cell][number] for number in self._first(cell)]
        ran = [one for one in found if one is not None]
        return self._until_width is not None and width(sum(ran), len(ran)) <= self._until_width
