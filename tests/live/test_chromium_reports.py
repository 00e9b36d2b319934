"""What a browser's page reports, and what the timeline makes of it."""

from simlab.core.timeline import Recorder
from simlab.live.chromium_reports import Reports
from tests.virtual.sessions import scenario


def timeline_of(*reports, until_s=10.0):
    record = Recorder(lambda: 99.0)  # the time at which a report arrives is none of the page's
    taken = Reports(scenario('duration = "10s"\n'), record)
    taken.take([list(report) for report in reports])
    taken.finish(until_s)
    taken.take([[until_s, "sent", {}]])  # too late
    return [(event.t_s, event.source, event.kind, dict(event.data)) for event in record.events]


def beats(what, from_s, until_s, every_s=0.1, **fields):
    steps = round((until_s - from_s) / every_s)
    return [(round(from_s + n * every_s, 3), what, fields) for n in range(steps + 1)]


def test_events_keep_the_pages_own_times():
    fields = {"source": "client", "kind": "ice_state", "state": "checking", "connection": 1}
    assert timeline_of((0.25, "event", fields)) == [
        (0.25, "client", "ice_state", {"state": "checking", "connection": 1})
    ]


def test_a_gap_of_messages_and_one_of_sound_are_found_when_they_end():
    messages = [(t_s, "message", {"number": n, "sent_s": t_s}) for n, t_s in enumerate((1.1, 3.0, 9.9))]
    sound = [*beats("heard", 1.0, 3.0, packets=5), *beats("heard", 4.0, 9.9, packets=5)]
    reports = sorted([(1.0, "begin", {}), *messages, *sound], key=lambda report: report[0])
    probes = [(t_s, kind, data["what"]) for t_s, _, kind, data in timeline_of(*reports) if kind != "tally"]
    assert probes == [
        (2.1, "lost", "message"),
        (3.0, "back", "message"),
        (3.5, "lost", "media"),
        (4.0, "back", "media"),
        (4.0, "lost", "message"),
        (9.9, "back", "message"),
    ]


def test_every_packet_is_counted_once_and_nothing_after_the_end():
    reports = [(1.0, "begin", {}), *beats("spoken", 1.0, 1.9, packets=5), *beats("sent", 1.0, 1.9)]
    tallies = [data for _, _, kind, data in timeline_of(*reports) if kind == "tally"]
    assert {"direction": "up", "what": "media", "sent": 50} in tallies
    assert {"direction": "up", "what": "message", "sent": 10} in tallies
    assert sum(data.get("sent", 0) for data in tallies) == 60


def test_a_silence_that_lasts_to_the_end_is_open():
    events = timeline_of((1.0, "begin", {}), (1.2, "heard", {"packets": 1}))
    lost = [(t_s, data["what"]) for t_s, _, kind, data in events if kind == "lost"]
    assert sorted(lost) == [(1.7, "media"), (2.0, "message")]
