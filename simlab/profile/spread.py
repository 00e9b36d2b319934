"""A random length of time."""

from math import log1p
from typing import Any, Literal

from pydantic import Field, model_validator

from simlab.profile.fields import PositiveDuration, Table

_WANTED = {"constant": {"value_s"}, "exponential": {"mean_s"}, "uniform": {"low_s", "high_s"}}


class Spread(Table):
    """How a length of time is spread: ``"5s"``, or a table with a model.

    Parameters
    ----------
    model
        ``"constant"`` (with ``value``), ``"exponential"`` (``mean``) or ``"uniform"`` (``low``, ``high``).
    """

    model: Literal["constant", "exponential", "uniform"]
    value_s: PositiveDuration | None = Field(default=None, alias="value")
    mean_s: PositiveDuration | None = Field(default=None, alias="mean")
    low_s: PositiveDuration | None = Field(default=None, alias="low")
    high_s: PositiveDuration | None = Field(default=None, alias="high")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"model": "constant", "value": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _complete(self) -> "Spread":
        given = {name for name in ("value_s", "mean_s", "low_s", "high_s") if getattr(self, name) is not None}
        wanted = _WANTED[self.model]
        if given != wanted:
            keys = " and ".join(sorted(name.removesuffix("_s") for name in wanted))
            raise ValueError(f"want {keys}, and nothing else, beside model = {self.model!r}")
        if self.low_s is not None and self.high_s is not None and self.low_s > self.high_s:
            raise ValueError("want low below high")
        return self

    def at(self, share: float) -> float:
        """Return the length that a share of all lengths stays below: the inverse distribution function.

        Parameters
        ----------
        share
            From 0 to 1, 1 excluded.
        """
        if self.mean_s is not None:
            return -self.mean_s * log1p(-share)
        if self.low_s is not None and self.high_s is not None:
            return self.low_s + share * (self.high_s - self.low_s)
        assert self.value_s is not None
        return self.value_s
