"""The tables of a study: the same columns and types, whatever became of the sessions."""

import polars as pl

from simlab.study.metrics import metrics
from simlab.study.rows import outage_rows, session_row
from simlab.study.tables import OUTAGE_COLUMNS, SESSION_COLUMNS, outages_frame, sessions_frame
from tests.study.timelines import connected, event, silence, timeline

QUIET = timeline(connected())
CUT_OFF = timeline(connected(), silence(20.0, 26.5), silence(80.0))
NEVER_READY = timeline(event(0.0, "client transport_state", state="connecting"))


def labels(number):
    return {"session": number, "profile": "lift", "policy": "pipecat", "seed": 1, "link.loss": "5%"}


def sessions(*timelines):
    return [session_row(labels(number), metrics(one)) for number, one in enumerate(timelines)]


def outages(*timelines):
    return [row for number, one in enumerate(timelines) for row in outage_rows(labels(number), metrics(one))]


def dropped(**causes):
    return event(120.0, "link.up total", offered=9, delivered=8, dropped=causes)


def test_every_number_of_a_session_has_a_column():
    """A row with a key that the schema lacks would lose it."""
    (row,) = sessions(CUT_OFF)
    relay = {"relay_error_p50_s", "relay_error_p99_s", "relay_kernel_dropped"}
    assert set(row) - set(labels(0)) == set(SESSION_COLUMNS) - relay
    assert set(outages(CUT_OFF)[0]) - set(labels(0)) == set(OUTAGE_COLUMNS)


def test_types_are_the_same_where_nothing_ever_happened():
    full, empty = sessions_frame(sessions(CUT_OFF), ["link.loss"]), sessions_frame([], ["link.loss"])
    never = sessions_frame(sessions(NEVER_READY), ["link.loss"])
    assert full.schema == empty.schema == never.schema
    assert never["connect_bot_ready_s"].to_list() == [None]
    assert outages_frame([], ["link.loss"]).schema == outages_frame(outages(CUT_OFF), ["link.loss"]).schema
    assert outages_frame([]).columns == ["session", "profile", "policy", "seed", *OUTAGE_COLUMNS]


def test_an_outage_that_never_ended_is_censored():
    frame = outages_frame(outages(QUIET, CUT_OFF), ["link.loss"])
    assert frame.select("session", "outage", "recovered_s", "recovered", "waited_s").rows() == [
        (1, 1, 6.5, True, 6.5),
        (1, 2, None, False, 40.0),
    ]


def test_rows_in_any_order_make_the_same_tables():
    rows = sessions(timeline(connected(), dropped(queue=1)), timeline(connected(), dropped(loss=2)), QUIET)
    frame = sessions_frame(rows, ["link.loss"])
    assert frame.equals(sessions_frame(rows[::-1], ["link.loss"]))
    assert frame.select("links_up_dropped_loss", "links_up_dropped_queue").rows() == [(0, 1), (2, 0), (0, 0)]
    assert frame["links_up_dropped_loss"].dtype == pl.Int64


def test_copies_and_damaged_packets_have_columns():
    doubled = event(120.0, "link.down total", offered=9, delivered=11, added={"duplicate": 2}, corrupted=3)
    frame = sessions_frame(sessions(QUIET, timeline(connected(), doubled)))
    names = ("links_down_added_duplicate", "links_down_corrupted", "links_up_corrupted")
    assert frame.select(names).rows() == [(0, 0, 0), (2, 3, 0)]


def test_a_label_that_varies_is_there_once():
    (row,) = sessions(QUIET)
    assert sessions_frame([row], ["seed"]).columns.count("seed") == 1
