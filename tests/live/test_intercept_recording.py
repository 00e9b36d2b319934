"""What was done by hand becomes the faults and the settings of a scenario that runs as it stands."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.packet import Direction
from simlab.core.timeline import Event, Recorder
from simlab.live.intercept.chronicle import Chronicle
from simlab.live.intercept.happenings import Happening, Settled, fault_tables, link_tables
from simlab.live.intercept.recording import Recording
from simlab.profile.load import load
from simlab.profile.model import Profile
from simlab.profile.units import duration_text


def happening(kind, at_s, until_s, client=0, **keys):
    return Happening(0, kind, at_s, until_s, client, keys)


def profile(**settings):
    return load("", "x", {key.replace("__", "."): value for key, value in settings.items()})


def test_faults_are_counted_from_the_beginning_of_the_recording_and_cut_to_it():
    done = [
        happening("blackout", 5.0, 12.0, direction="both"),
        happening("blackout", 11.0, 14.0, direction="both"),  # pressed again before the first was over
        happening("rebind", 3.0, 3.0, what="port"),
        happening("rebind", 15.0, 15.0, what="port"),
        happening("blackout", 16.0, 17.0, client=2, direction="up"),
        happening("signalling", 19.0, 40.0, how="hang"),
        happening("pause", 30.0, 31.0, direction="both"),
    ]
    assert fault_tables(done, 1, 10.0, 20.0) == [
        {"kind": "blackout", "at": "0s", "direction": "both", "for": "2s"},
        {"kind": "blackout", "at": "2s", "direction": "both", "for": "2s"},
        {"kind": "rebind", "at": "5s", "what": "port"},
        {"kind": "signalling", "at": "9s", "how": "hang", "for": "1s"},
    ]


@given(
    from_s=st.floats(0, 1000),
    lasts_s=st.floats(0.1, 1000),
    pressed=st.lists(st.tuples(st.floats(0, 2000), st.floats(0.001, 100)), max_size=5),
)
def test_whatever_was_pressed_is_a_profile(from_s, lasts_s, pressed):
    done = [happening("blackout", at_s, at_s + for_s, direction="both") for at_s, for_s in pressed]
    faults = fault_tables(done, 1, from_s, from_s + lasts_s)
    lasts = duration_text(round(lasts_s, 6))
    made = Profile.model_validate({"name": "x", "duration": lasts, "fault": faults})
    dark_s = sum(fault.for_s for fault in made.faults)
    # By another way: how much of the time, cut into the pieces between all beginnings and ends, is covered.
    until_s = from_s + lasts_s
    edges = sorted({from_s, until_s, *(min(max(t, from_s), until_s) for a, f in pressed for t in (a, a + f))})
    pieces = [(a, b) for a, b in pairwise(edges) if any(s <= (a + b) / 2 < s + f for s, f in pressed)]
    assert dark_s == pytest.approx(sum(b - a for a, b in pieces), abs=1e-5)


def test_settings_that_changed_are_changes_of_the_link():
    settled = [
        Settled(0.0, 0.0, profile()),
        Settled(12.0, 0.0, profile(link__up__loss="5%")),
        Settled(15.0, 0.0, profile(link__up__rate="1Mbit/s")),
        Settled(18.0, 0.0, profile()),
    ]
    link = link_tables(settled, 10.0, 20.0)
    assert link["change"] == [
        {"at": "2s", "ramp": "0s", "direction": "up", "loss": "5%"},
        {"at": "5s", "ramp": "0s", "direction": "up", "rate": "1Mbit/s", "queue": "64KiB", "loss": "0%"},
        {"at": "8s", "ramp": "0s", "direction": "up", "rate": "10Gbit/s"},
    ]


def test_a_profiles_own_changes_count_from_when_it_was_loaded():
    text = """
    [link]
    delay = "10ms"
    repeat = "10s"
    [[link.change]]
    at = "4s"
    delay = "50ms"
    """
    link = link_tables([Settled(2.0, 2.0, load(text, "x"))], 7.0, 17.0)
    assert link["up"]["delay"] == "50ms"
    up = [change for change in link["change"] if change["direction"] == "up"]
    assert [(change["at"], change["delay"]) for change in up] == [("5s", "10ms"), ("9s", "50ms")]


def state(offered, used_s=20.0, ready=True, silent=()):
    counts = {"offered": offered, "delivered": offered, "dropped": {}, "kernel_dropped": offered // 10}
    counts |= {"added": {"duplicate": offered // 5}, "corrupted": offered // 10}
    links = {way.value: counts for way in Direction}
    common = {"connection": 1, "seen": ["media"], "links": links, "silent": list(silent)}
    return {**common, "used_s": used_s, "ready": ready}


def recording(events=(), before=None, after=None, happenings=()):
    after = after or {1: state(50)}
    settled = [Settled(0.0, 0.0, profile())]
    return Recording("name", "http://up", 10.0, 20.0, events, before or {}, after, happenings, settled)


def test_a_client_that_was_there_before_begins_connected():
    made = recording(before={1: state(20, silent=[("up", "media", 8.0)])})
    scenario, timeline = made.session(1)
    assert scenario.profile.duration_s == 10.0
    assert [(e.t_s, e.kind) for e in timeline.select("client")] == [
        (0.0, "ice_state"),
        (0.0, "dtls_state"),
        (0.0, "bot_ready"),
    ]
    assert [e.data["since_s"] for e in timeline.select("probe", "lost")] == [0.0]
    assert [e["offered"] for e in timeline.select("link.up", "total")] == [30]
    assert [e["kernel_dropped"] for e in timeline.select("link.up", "total")] == [3]
    assert [(e["added"], e["corrupted"]) for e in timeline.select("link.up", "total")] == [
        ({"duplicate": 6}, 3)
    ]
    assert timeline.events[-1].data == {"reason": "recording stopped"}


def test_a_client_that_was_forgotten_in_between_is_counted_anew():
    _, timeline = recording(before={1: state(80)}, after={1: state(50)}).session(1)
    assert [event["offered"] for event in timeline.select("link.up", "total")] == [50]


def test_each_client_has_its_own_events_and_all_share_the_faults():
    events = [
        Event(11.0, "client", "bot_ready", {"client": 1}),
        Event(12.0, "client", "bot_ready", {"client": 2}),
        Event(13.0, "signalling", "faulted", {"how": "hang"}),
    ]
    done = [happening("blackout", 14.0, 16.0, direction="both")]
    after = {1: state(1), 2: state(1), 3: state(1, used_s=9.0)}
    made = recording(events, after=after, happenings=done)
    assert made.clients == [1, 2]
    for client, ready_s in ((1, 1.0), (2, 2.0)):
        scenario, timeline = made.session(client)
        assert [e.t_s for e in timeline.select("client", "bot_ready")] == [ready_s]
        assert [e.t_s for e in timeline.select("signalling")] == [3.0]
        assert [(e.t_s, e.kind) for e in timeline.select("fault")] == [(4.0, "begin"), (6.0, "end")]
        # The saved scenario is a profile that loads again.
        assert load(scenario.to_toml(), "again").faults == scenario.profile.faults


def test_a_profiles_fault_is_kept_with_its_time_in_the_recording():
    async def play():
        chronicle = Chronicle(Recorder(lambda: 0.0))
        text = '[[fault]]\nkind = "block"\nat = "5s"\nfor = "2s"\ndirection = "up"\nmatch = ["stun"]\n'
        chronicle.play(load(text, "own.toml"), 100.0, list)
        chronicle.close()
        return fault_tables(chronicle.happenings, 1, 90.0, 200.0)

    keys = {"kind": "block", "direction": "up", "match": ("stun",)}
    assert asyncio.run(play()) == [{**keys, "at": "15s", "for": "2s"}]
