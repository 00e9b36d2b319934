"""Expectations of a profile, judged by the metrics of a session."""

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from simlab.core.errors import InvalidInputError
from simlab.study.outages import known_waits_s


class Expectation(Protocol):
    """What a profile's ``[expect]`` says of one metric."""

    @property
    def metric(self) -> str:
        """A key of ``METRICS``."""

    @property
    def operator(self) -> str:
        """A key of ``OPERATORS``."""

    @property
    def bound(self) -> float:
        """What the metric is compared with; seconds, a share or a count."""

    @property
    def text(self) -> str:
        """As it stands in the profile."""


def judge(expectations: Iterable[Expectation], metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Compare the metrics of a session with what was expected of them.

    Returns
    -------
    list of dict
        ``expect`` (the text), ``held`` (bool) and ``measured``, which is None where the measured time is
        infinite because the thing never happened.

    Raises
    ------
    InvalidInputError
        If a metric or an operator is unknown.
    """
    expectations = tuple(expectations)
    unknown = [fault for expectation in expectations for fault in _faults(expectation)]
    if unknown:
        raise InvalidInputError(unknown)
    return [_judged(expectation, metrics) for expectation in expectations]


def _faults(expectation: Expectation) -> list[str]:
    faults = []
    if expectation.metric not in METRICS:
        faults.append(f"expect.{expectation.metric} is unknown, want one of {', '.join(METRICS)}")
    if expectation.operator not in OPERATORS:
        faults.append(f"expect.{expectation.metric} has the unknown operator {expectation.operator!r}")
    return faults


def _judged(expectation: Expectation, metrics: Mapping[str, Any]) -> dict[str, Any]:
    measured = METRICS[expectation.metric](metrics)
    held = OPERATORS[expectation.operator](measured, expectation.bound)
    return {
        "expect": expectation.text,
        "held": bool(held),
        "measured": None if math.isinf(measured) else measured,
    }


def succeeded(metrics: Mapping[str, Any]) -> bool:
    """Tell whether the client, or each of several, connected and was not left in an outage at the end."""
    if "storm" in metrics:
        return saved_share(metrics) == 1.0
    connected = metrics["connect"]["bot_ready_s"] is not None
    last = metrics["outages"][-1:]
    return connected and not any(outage["outcome"] in ("open", "gave_up") for outage in last)


def saved_share(metrics: Mapping[str, Any]) -> float:
    """Return the share of the clients, 0 to 1, that connected and were not left in an outage at the end."""
    if "storm" in metrics:
        return float(metrics["storm"]["saved"] / metrics["storm"]["clients"])
    return 1.0 if succeeded(metrics) else 0.0


def _recovery_p95_s(metrics: Mapping[str, Any]) -> float:
    """Return the 95th percentile of the recovery times by nearest rank, 0 where there was no outage.

    Interpolation would be undefined next to an outage that never ended. One that the user did not want to
    the end is left out.
    """
    waits_s = known_waits_s(metrics["outages"])
    return waits_s[math.ceil(0.95 * len(waits_s)) - 1] if waits_s else 0.0


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds


METRICS: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "success_rate": saved_share,
    "recovery_p95": _recovery_p95_s,
    "usable_fraction": lambda m: float(m["usable_fraction"]),
    "violations": lambda m: len(m["violations"]),
    "outages": lambda m: len(m["outages"]),
    "attempts": lambda m: int(m["attempts"]["ice_restarts"] + m["attempts"]["recreations"]),
    "connect_s": lambda m: _or_never(m["connect"]["bot_ready_s"]),
}

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
