"""The text of a timeline."""

import json
import re

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


LATE = '{"t_s":2.0,"source":"client","kind":"bot_ready"}'


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"t_s":"1","source":"client","kind":"bot_ready"}', 't_s is "1", want a number'),
        ('{"t_s":NaN,"source":"client","kind":"bot_ready"}', "t_s is NaN, want a number"),
        ('{"t_s":true,"source":"client","kind":"bot_ready"}', "t_s is true, want a number"),
        ('{"t_s":1,"source":["client"],"kind":"bot_ready"}', 'source is ["client"], want a text'),
        ('{"t_s":1,"source":"client","kind":{}}', "kind is {}, want a text"),
        (
            '{"t_s":1,"source":"client","kind":"ice_state","state":7,"connection":1}',
            "state is 7, want a text",
        ),
        (
            '{"t_s":1,"source":"client","kind":"offer","connection":"1","restart":false,"pc_id":null}',
            'connection is "1", want a whole number',
        ),
        (
            '{"t_s":1,"source":"probe","kind":"back","direction":"up","what":"media","gap_s":null}',
            "gap_s is null, want a number",
        ),
        (
            '{"t_s":1,"source":"link.up","kind":"rate","packets":{"rtp":"many"}}',
            'packets is {"rtp": "many"}, want an object of whole numbers',
        ),
        (
            '{"t_s":1,"source":"fault","kind":"begin","index":null,"fault":"block"}',
            "index is null, want a whole",
        ),
        (
            '{"t_s":1,"source":"server","kind":"event","name":"x","pc_id":3}',
            "pc_id is 3, want a text or null",
        ),
        ("[]", "want an object"),
    ],
)
def test_a_line_with_a_field_of_another_type_is_named(line, told):
    with pytest.raises(ValueError, match="^" + re.escape(f"line 3: {told}")):
        Timeline.from_text("\n".join(['{"schema":1}', LATE, line]))


def test_what_a_timeline_does_not_know_may_be_of_any_type():
    lines = [
        '{"schema":1}',
        '{"t_s":1,"source":"client","kind":"bot_ready","mine":[{}]}',
        '{"t_s":2,"source":"fault","kind":"begin","index":0,"fault":"block","size":"900B","name":3}',
    ]
    assert [event.t_s for event in Timeline.from_text("\n".join(lines)).events] == [1, 2]
