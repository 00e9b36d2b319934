"""A client that hangs up in order is watched no more; one that closes since it must is."""

import pytest

from simlab.cli.intercept import _teller
from simlab.core.packet import Direction, PacketClass
from simlab.core.timeline import Event, Recorder
from simlab.live.intercept.happenings import Happening, Settled
from simlab.live.intercept.recording import Recording
from simlab.live.intercept.watch import Watch
from simlab.profile.load import load
from simlab.study.metrics import metrics
from simlab.study.outages import outages


def record_of(content_type, epoch):
    # RFC 6347 section 4.1: type, version, epoch, sequence number, length.
    return bytes([content_type, 0xFE, 0xFD]) + epoch.to_bytes(2) + bytes(6) + (26).to_bytes(2) + bytes(26)


CLOSE_NOTIFY = record_of(21, 1)


def hung_up(*packets):
    """Return the connections that a watch tells of, of packets with their ways and connections."""
    record = Recorder(lambda: 7.0)
    watch = Watch(record)
    for direction, payload, connection in packets:
        watch.entered(direction, payload, PacketClass.DTLS_HANDSHAKE, connection)
    return [event.data for event in record.events if event.kind == "hung_up"]


def test_an_encrypted_alert_of_the_client_is_told_once_for_each_connection():
    up = Direction.UP
    told = hung_up((up, CLOSE_NOTIFY, 1), (up, CLOSE_NOTIFY, 1), (up, CLOSE_NOTIFY, 2))
    assert told == [{"connection": number, "silent": [], "inferred": True} for number in (1, 2)]


def test_what_was_closed_by_either_end_is_known_as_closed():
    watch = Watch(Recorder(lambda: 7.0))
    assert not watch.is_closed(1)
    watch.entered(Direction.UP, CLOSE_NOTIFY, PacketClass.DTLS_HANDSHAKE, 1)
    watch.entered(Direction.DOWN, CLOSE_NOTIFY, PacketClass.DTLS_HANDSHAKE, 2)
    assert [watch.is_closed(number) for number in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(
    "payload", [record_of(21, 0), record_of(22, 1), b"\x15", b""], ids=["plain", "handshake", "short", "none"]
)
def test_other_packets_are_no_hanging_up(payload):
    assert hung_up((Direction.UP, payload, 1)) == []


def test_a_client_that_answers_the_servers_hanging_up_has_not_hung_up():
    assert hung_up((Direction.DOWN, CLOSE_NOTIFY, 1), (Direction.UP, CLOSE_NOTIFY, 1)) == []


def test_what_was_counted_until_then_is_told_before():
    record = Recorder(lambda: 7.0)
    watch = Watch(record)
    watch.entered(Direction.UP, b"\x80", PacketClass.RTP, 1)
    watch.entered(Direction.UP, CLOSE_NOTIFY, PacketClass.DTLS_HANDSHAKE, 1)
    assert [(event.kind, event.data.get("sent")) for event in record.events] == [
        ("tally", 1),
        ("hung_up", None),
    ]


def told(at_s, kind, source="client", **labels):
    return Event(at_s, source, kind, {**labels, "client": 1})


def offer(at_s, connection):
    return told(at_s, "offer", connection=connection, restart=False, pc_id=None)


def ready():
    return [offer(11.0, 1), told(12.0, "bot_ready")]


def closed(at_s, connection=1, silent=()):
    return told(at_s, "hung_up", connection=connection, silent=list(silent), inferred=True)


def silence(since_s, back_s=None):
    for way in ("up", "down"):
        labels = {"direction": way, "what": "message"}
        yield told(since_s + 2.5, "lost", "probe", **labels, since_s=since_s)
        if back_s is not None:
            yield told(back_s, "back", "probe", **labels, gap_s=back_s - since_s)


def recorded(*events, happenings=()):
    """Return the timeline of a recording from 10 s to 40 s."""
    counts = {"offered": 9, "delivered": 9, "corrupted": 0, "kernel_dropped": 0}
    links = {way.value: {**counts, "dropped": {}, "added": {}} for way in Direction}
    state = {"connection": 1, "seen": [], "links": links, "silent": [], "used_s": 39.0, "ready": True}
    settled = [Settled(0.0, 0.0, load("", "x"))]
    ordered = sorted([*ready(), *events], key=lambda event: event.t_s)
    made = Recording("name", "http://up", 10.0, 40.0, ordered, {}, {1: state}, happenings, settled)
    return made.session(1)


def test_a_recording_of_a_client_ends_when_it_hangs_up():
    scenario, timeline = recorded(closed(20.0), *silence(20.0))
    assert scenario.profile.duration_s == 10.0
    assert (timeline.events[-1].t_s, timeline.events[-1].data) == (10.0, {"reason": "client hung up"})
    found = metrics(timeline)
    assert found["outages"] == []
    assert found["usable_fraction"] == 0.8
    assert found["links"]["up"]["offered"] == 9


def test_an_outage_under_way_when_it_hangs_up_is_never_over():
    _, timeline = recorded(*silence(15.0), closed(20.0, silent=["up message"]))
    assert [(one.began_s, one.outcome) for one in outages(timeline)] == [(5.0, "open")]


def test_a_client_that_calls_again_was_not_missed_in_between():
    again = offer(25.0, 2)
    scenario, timeline = recorded(closed(20.0), *silence(20.0, 25.5), again)
    assert scenario.profile.duration_s == 30.0
    assert outages(timeline) == ()


def test_a_client_that_re_creates_its_connection_first_and_closes_the_old_one_then_is_missed():
    again = offer(19.9, 2)
    _, timeline = recorded(*silence(12.5, 20.5), again, closed(20.0))
    assert [one.recovered_s for one in outages(timeline)] == [8.0]
    assert timeline.events[-1].data == {"reason": "recording stopped"}


def test_a_client_that_closes_first_in_an_outage_is_missed_until_it_is_back():
    again = offer(20.1, 2)
    _, timeline = recorded(*silence(12.5, 25.5), closed(20.0, silent=["up message"]), again)
    assert [one.recovered_s for one in outages(timeline)] == [13.0]


@pytest.mark.parametrize(("kind", "missed"), [("block", 1), ("signalling", 0)])
def test_a_client_that_closes_while_the_link_has_a_fault_may_have_given_up(kind, missed):
    keys = {"direction": "both", "match": ["stun"]} if kind == "block" else {"how": "hang"}
    done = [Happening(0, kind, 15.0, 30.0, 0, keys)]
    _, timeline = recorded(closed(20.0), *silence(20.0), happenings=done)
    assert len(outages(timeline)) == missed


def test_it_is_told_as_it_happens(capsys):
    _teller(as_json=False, quiet=False)(closed(20.0))
    assert capsys.readouterr().out == "   20.000 s  client 1: closes connection 1\n"
