from dataclasses import dataclass

import pytest

from simlab.core.errors import InvalidInputError
from simlab.study.expect import METRICS, judge
from simlab.study.metrics import metrics
from tests.study.timelines import attempt, connected, event, fault, silence, timeline


@dataclass(frozen=True)
class Expectation:
    metric: str
    operator: str
    bound: float
    text: str = ""


def _measured(metric, session):
    return judge([Expectation(metric, ">=", 0.0)], metrics(session))[0]["measured"]


CLEAN = timeline(connected())
RECOVERED = timeline(
    connected(), fault(0, 30.0, 46.0), silence(30.0, 47.2), attempt(40.0), silence(60.0, 64.0)
)
OPEN = timeline(
    connected(), silence(20.0, 23.0), silence(30.0), attempt(40.0), attempt(41.0, 2, "restart_ice")
)
GAVE_UP = timeline(connected(), silence(30.0), event(50.0, "policy give_up", cause=""))
NEVER = timeline(event(0.0, "client connect", outcome="rejected"))


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        # in the order CLEAN, RECOVERED, OPEN, GAVE_UP, NEVER
        ("success_rate", [1.0, 1.0, 0.0, 0.0, 0.0]),
        ("recovery_p95", [0.0, 17.2, None, None, 0.0]),
        ("usable_fraction", [0.9975, 0.820833, 0.2225, 0.2475, 0.0]),
        ("violations", [0, 0, 1, 1, 0]),
        ("outages", [0, 2, 2, 1, 0]),
        ("attempts", [0, 1, 2, 0, 0]),
        ("connect_s", [0.3, 0.3, 0.3, 0.3, None]),
    ],
)
def test_each_metric(metric, values):
    sessions = (CLEAN, RECOVERED, OPEN, GAVE_UP, NEVER)
    assert [_measured(metric, session) for session in sessions] == values


def test_every_metric_is_tested_above():
    assert list(METRICS) == [
        "success_rate",
        "recovery_p95",
        "usable_fraction",
        "violations",
        "outages",
        "attempts",
        "connect_s",
    ]


@pytest.mark.parametrize(
    ("operator", "held"),
    [(">=", True), ("<=", True), ("==", True), ("!=", False), (">", False), ("<", False)],
)
def test_each_operator(operator, held):
    expected = Expectation("outages", operator, 2.0, f"outages {operator} 2")
    assert judge([expected], metrics(RECOVERED)) == [
        {"expect": f"outages {operator} 2", "held": held, "measured": 2}
    ]


def test_never_recovered_is_longer_than_any_bound():
    assert not judge([Expectation("recovery_p95", "<=", 1e9)], metrics(OPEN))[0]["held"]
    assert not judge([Expectation("connect_s", "<=", 1e9)], metrics(NEVER))[0]["held"]


def test_the_percentile_is_by_nearest_rank():
    def of(n, longest_s):
        outages = [{"recovered_s": 1.0 + i / 100, "outcome": "self_healed"} for i in range(n - 1)]
        return METRICS["recovery_p95"]({"outages": [*outages, {"recovered_s": longest_s, "outcome": "open"}]})

    assert of(19, 50.0) == 50.0  # the 19th of 19
    assert of(20, 50.0) == 1.18  # the 19th of 20


def test_all_unknown_names_are_listed():
    wrong = [Expectation("outagez", ">=", 1.0), Expectation("outages", "~", 1.0)]
    with pytest.raises(InvalidInputError) as raised:
        judge(wrong, metrics(CLEAN))
    assert len(raised.value.faults) == 2
    assert "expect.outagez is unknown" in raised.value.faults[0]
    assert "expect.outages has the unknown operator '~'" in raised.value.faults[1]
