"""Which sessions count as the worst."""

from simlab.report.worst import worst_sessions
from tests.report.rows import outage, session


def chosen(sessions, outages, failures=(), most=10):
    return [(one.row["session"], one.what) for one in worst_sessions(sessions, outages, failures, most)]


def test_they_come_by_what_happened_and_then_by_the_longest_outage():
    rows = [
        session(0),
        session(1),
        session(2, violations=1, violated="ready-but-dead"),
        session(3, succeeded=False),
        session(4, succeeded=False, connect_bot_ready_s=None),
        session(5),
    ]
    outages = [outage(rows[0], 4.0), outage(rows[1], 9.0), outage(rows[1], 3.0), outage(rows[2], 2.0)]
    outages.append(outage(rows[3], 60.0, recovered=False))
    failed = {"session": 6, "profile": "flaky", "policy": "pipecat", "seed": 7}
    failures = [failed | {"stage": "server", "reason": "port in use"}]
    assert chosen(rows, outages, failures) == [
        (6, "could not be run (server): port in use"),
        (4, "never ready"),
        (3, "never came back, 60.0 s"),
        (2, "longest outage 2.0 s; violated: ready-but-dead"),
        (1, "longest outage 9.0 s"),
        (0, "longest outage 4.0 s"),
    ]


def test_each_policy_shows_its_worst_before_another_shows_its_second():
    rows = [session(0, policy="bad"), session(1, policy="bad"), session(2, policy="good")]
    outages = [outage(rows[0], 50.0), outage(rows[1], 40.0), outage(rows[2], 5.0)]
    assert [number for number, _ in chosen(rows, outages, most=2)] == [0, 2]
    assert [number for number, _ in chosen(rows, outages)] == [0, 1, 2]


def test_a_session_without_trouble_is_none_of_them():
    assert chosen([session(0)], []) == []
