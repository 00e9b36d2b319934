import json

import polars as pl

from simlab.core.timeline import Timeline
from simlab.study.frame import frame
from tests.study.timelines import connected, event, timeline


def test_a_row_for_each_event():
    session = timeline(
        event(1.0, "client transport_state", state="ready"),
        event(2.5, "probe lost", direction="up", what="media", since_s=2.0),
    )
    table = frame(session)
    assert table.drop("data").rows() == [
        (1.0, "client", "transport_state", "ready", None, None),
        (2.5, "probe", "lost", None, "up", "media"),
        (120.0, "session", "end", None, None, None),
    ]
    assert json.loads(table["data"][1]) == {"direction": "up", "what": "media", "since_s": 2.0}


def test_nothing_is_lost():
    session = timeline(connected())
    rows = frame(session).select("t_s", "source", "kind", "data").rows()
    assert [(*row[:3], json.loads(row[3])) for row in rows] == [
        (e.t_s, e.source, e.kind, dict(e.data)) for e in session.events
    ]


def test_no_events():
    table = frame(Timeline({}, ()))
    assert table.height == 0
    assert table.schema["t_s"] == pl.Float64
    assert table.columns == ["t_s", "source", "kind", "state", "direction", "what", "data"]
