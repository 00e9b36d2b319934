"""The text of a timeline."""

import json

import pytest

from simlab.core.timeline import Event, Recorder, Timeline


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_a_timeline_of_any_length_is_the_header_and_a_line_for_each_event(count):
    events = [Event(at / 10, "signalling", "response", {"status": at, "word": "é"}) for at in range(count)]
    timeline = Timeline.of({"schema": 1}, events)
    records = [{"schema": 1}] + [
        {"t_s": at / 10, "source": "signalling", "kind": "response", "status": at, "word": "é"}
        for at in range(count)
    ]
    lines = [json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in records]
    assert timeline.to_text() == "".join(f"{line}\n" for line in lines)
    assert Timeline.from_text(timeline.to_text()) == timeline


def test_tallies_that_say_the_same_share_what_they_say():
    record = Recorder(lambda: 1.0)
    for received in (50, 49, 50):
        record("probe", "tally", direction="up", what="media", received=received)
    first, other, again = (event.data for event in record.events)
    assert first is again
    assert first != other
    assert again == {"direction": "up", "what": "media", "received": 50}
