"""One measured figure, and what was wanted of it."""

from dataclasses import dataclass


class MissingToolError(Exception):
    """Something that a benchmark needs is not there; the message says how to get it."""


@dataclass(frozen=True)
class Figure:
    """A figure of a benchmark.

    Parameters
    ----------
    at_least, at_most
        What was wanted; None where nothing was.
    """

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether it is as wanted; None if nothing was."""
        if self.at_least is None and self.at_most is None:
            return None
        high_enough = self.at_least is None or self.value >= self.at_least
        return high_enough and (self.at_most is None or self.value <= self.at_most)

    @property
    def measured(self) -> str:
        """The value and its unit, in words."""
        return f"{_number(self.value)} {self.unit}".strip()

    @property
    def wanted(self) -> str:
        """What was wanted, in words."""
        limits = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(f"{word} {_number(limit)}" for word, limit in limits if limit is not None)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
