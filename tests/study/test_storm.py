"""Sessions with several clients: their numbers, their words and their picture."""

from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given
from matplotlib.figure import Figure

from simlab.core.timeline import Event, Timeline
from simlab.study.account import account
from simlab.study.crowd import busiest_second, by_client, clients_in, usable_over_time
from simlab.study.expect import METRICS, succeeded
from simlab.study.headline import headline
from simlab.study.metrics import metrics
from simlab.study.plots import plot_timeline
from simlab.study.rows import outage_rows, session_row
from simlab.study.spans import Span


def of(number, t_s, source, kind, **data):
    return Event(t_s, source, kind, {**data, "client_id": number})


def silence(number, from_s, to_s=None):
    for way in ("up", "down"):
        yield of(number, from_s + 1.0, "probe", "lost", direction=way, what="message", since_s=from_s)
        if to_s is not None:
            gap_s = to_s - from_s
            yield of(number, to_s, "probe", "back", direction=way, what="message", gap_s=gap_s)


def client(number, *silences):
    yield of(number, 0.5 * number, "client", "offer", connection=1, restart=False, pc_id=None)
    yield of(number, 0.5 * number, "server", "connection_opened", pc_id=f"pc-{number}")
    yield of(number, number, "client", "bot_ready")
    for one in silences:
        yield from silence(number, *one)


def session(*events, clients=3):
    header = {"profile": "storm", "policy": "p", "seed": 1, "clock": "virtual", "media": []}
    fault = {"index": 0, "fault": "server-restart", "at": "20s", "for": "10s"}
    shared = [
        Event(0.0, "session", "begin"),
        Event(20.0, "fault", "begin", fault),
        Event(30.0, "fault", "end", fault),
        Event(60.0, "session", "end", {"reason": "duration"}),
    ]
    return Timeline.of(header | {"duration_s": 60.0, "clients": clients}, [*shared, *events])


STORM = session(
    *client(1, (20.0, 32.0)),
    *client(2, (20.0, 36.0)),
    *client(3, (20.0,)),
    *(of(n, 31.0 + n / 10, "client", "offer", connection=2, restart=True, pc_id="x") for n in (1, 2, 3)),
)


def test_whose_events_are_whose():
    clients = by_client(STORM)
    assert clients_in(STORM) == 3
    assert {number: clients_in(one) for number, one in clients.items()} == {1: 1, 2: 1, 3: 1}
    for number, one in clients.items():
        assert {e.data.get("client_id") for e in one.events} == {number, None}
        assert len(list(one.select("fault"))) == 2


def test_what_it_comes_to():
    found = metrics(STORM)
    storm = found["storm"]
    assert (storm["clients"], storm["ready"], storm["saved"]) == (3, 3, 2)
    assert storm["recovery"] == {"p50_s": 16.0, "p95_s": None, "p100_s": None}
    assert storm["offers_per_s"] == {"count": 3, "at_s": 31.1}
    assert storm["connections_per_s"] == {"count": 0, "at_s": None}  # all of them were before the fault
    assert storm["fewest_usable"] == {"count": 0, "at_s": 20.0}
    assert [one["client_id"] for one in found["outages"]] == [1, 2, 3]
    assert [one["saved"] for one in found["clients"]] == [True, True, False]
    assert found["connect"]["bot_ready_s"] == 3.0
    assert found["server"]["connections_opened"] == 3
    usable = [(59 - 12) / 60, (58 - 16) / 60, 17 / 60]
    assert found["usable_fraction"] == pytest.approx(sum(usable) / 3, abs=1e-6)


def test_a_client_that_was_never_ready_leaves_connecting_open():
    found = metrics(session(*client(1), *client(2), of(3, 1.0, "client", "transport_state", state="error")))
    assert found["connect"]["bot_ready_s"] is None
    assert (found["storm"]["ready"], found["storm"]["saved"]) == (2, 2)
    assert not succeeded(found)


def test_expectations_and_rows_are_of_all():
    found = metrics(STORM)
    assert METRICS["success_rate"](found) == pytest.approx(2 / 3)
    assert METRICS["outages"](found) == 3
    row = session_row({"session": 0}, found)
    assert (row["succeeded"], row["storm_saved"], row["outages"]) == (False, 2, 3)
    assert [(one["client_id"], one["recovered"], one["waited_s"]) for one in outage_rows({}, found)] == [
        (1, True, 12.0),
        (2, True, 16.0),
        (3, False, 40.0),
    ]


def test_what_reaches_past_the_clock_is_told_once():
    leak = Event(3.0, "session", "leak", {"what": "reads a clock", "place": "app, line 1"})
    found = metrics(session(*client(1), *client(2), *client(3), leak))
    assert [v["invariant"] for v in found["violations"]] == ["virtual-clock"]


def test_in_words():
    found = metrics(STORM)
    assert headline(STORM, found) == (
        "2 of 3 clients were there in the end, half of the outages over within 16.0 s; "
        "at most 3 offers and 0 new connections in one second"
    )
    told = account(STORM, found)
    assert told[0] == "All 3 clients were ready after 3.00 s."
    assert told[-1] == "In the end 2 of 3 clients had their call; not so client 3."
    assert "Of the outages: 2 self healed and 1 open; recovered half within 16.0 s." in told


def test_without_an_outage():
    calm = session(*client(1), *client(2), *client(3))
    found = metrics(calm)
    assert headline(calm, found) == "No outage of 3 of 3 clients in 60 s"
    assert found["storm"]["fewest_usable"] == {"count": 3, "at_s": 20.0}


def test_the_picture_has_a_panel_for_the_server_one_for_all_and_one_for_each():
    ends = (
        of(1, 31.2, "client", "answer", connection=2, status=200, pc_id="y"),
        of(2, 31.3, "client", "answer", connection=2, status=200, pc_id="z"),
        of(3, 31.4, "client", "offer_failed", connection=2, status=503),
    )
    ax = plot_timeline(Timeline.of(STORM.header, [*STORM.events, *ends]))
    offers, usable, rows = ax.child_axes
    assert [panel.get_xlim() for panel in (offers, usable, rows)] == [(0.0, 60.0)] * 3
    answered, failed = ([bar.get_height() for bar in bars] for bars in offers.containers)
    assert (answered[31], failed[31]) == (2, 1)
    assert (sum(answered), sum(failed)) == (2, 1)
    assert rows.get_ylim() == (2.5, -0.5)
    assert "2 of 3 clients" in ax.get_title(loc="left")


def test_the_picture_goes_into_given_axes():
    ax = Figure().add_subplot()
    assert plot_timeline(STORM, ax) is ax


@given(st.lists(st.floats(0.0, 30.0), max_size=40), st.floats(0.0, 30.0))
def test_no_second_has_more_than_the_busiest(times_s, from_s):
    peak = busiest_second(times_s, from_s)
    later_s = [t_s for t_s in times_s if t_s >= from_s]
    # A second method: from each moment on, count those of the second that begins there, without rounding.
    exact_s = [Fraction(t_s) for t_s in later_s]
    counts = [sum(t_s <= other_s < t_s + 1 for other_s in exact_s) for t_s in exact_s]
    assert peak.count == max(counts, default=0)
    assert (peak.at_s is None) == (not later_s)


@given(st.lists(st.tuples(st.floats(0.0, 50.0), st.floats(0.01, 10.0)), max_size=20), st.floats(0.0, 60.0))
def test_how_many_are_usable_at_a_time(pairs, t_s):
    spans = [Span(began_s, began_s + length_s) for began_s, length_s in pairs]
    times_s, counts = usable_over_time(spans)
    assert counts[-1] == 0
    known = [n for at_s, n in zip(times_s, counts, strict=True) if at_s <= t_s][-1]
    assert known == sum(span.began_s <= t_s < span.ended_s for span in spans)
