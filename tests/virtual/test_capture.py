"""The packets of a virtual session, as tshark and simlab itself read them."""

import asyncio
import itertools
import math
from collections import Counter

import pytest

from simlab.capture import CAPTURE, KEYS
from simlab.capture.records import INSIDE_UP, Record
from simlab.capture.summary import summarise
from simlab.capture.table import table
from simlab.core.link import Dropped, Link
from simlab.core.packet import Direction, PacketClass
from simlab.study.metrics import metrics
from simlab.virtual.capture import PathCapture
from simlab.virtual.network import VirtualNetworkLoop, Way
from simlab.virtual.session import run
from simlab.virtual.wire import Wire
from tests.capture import tshark
from tests.virtual.sessions import scenario

tshark.needs_tshark()

RTP = b"\x80\x60" + bytes(30)
RECREATED = """
duration = "45s"
[link]
delay = "20ms"
loss = "2%"
duplicate = "1%"
rate = "80kbit/s"
queue = "64KiB"
aqm = "codel"
[nat]
[[fault]]
kind = "blackout"
at = "5s"
for = "16s"
[[fault]]
kind = "rebind"
at = "35s"
"""


def links_of(timeline):
    return {
        way: {name: link[name] for name in ("offered", "delivered", "dropped")}
        for way, link in metrics(timeline)["links"].items()
    }


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("capture")
    return folder, run(scenario(RECREATED), capture_in=folder)


def test_tshark_counts_what_the_timeline_counts(captured):
    folder, timeline = captured
    wanted = links_of(timeline)
    # At the entrance; in a queue that CoDel looks after; behind the link.
    assert {"blackout", "loss", "queue", "nat"} == {*wanted["down"]["dropped"], *wanted["up"]["dropped"]}
    assert tshark.links(folder) == wanted


class Dropping:
    """A queue that holds a packet for a second, and drops it."""

    name = "queue"

    def __init__(self):
        self.held = []

    @property
    def decides_s(self):
        return self.held[0].due_s + 1 if self.held else math.inf

    def hold(self, transit):
        self.held.append(transit)
        return True

    def decide(self):
        return None, [self.held.pop(0)]

    def __len__(self):
        return len(self.held)


def test_what_a_queue_drops_after_the_last_packet_is_told_too():
    loop, told = VirtualNetworkLoop(), []
    try:
        wire = Wire(loop, Link([Dropping()]), itertools.repeat(0.0), told.append, told.append)
        assert wire.send(RTP, Way(("10.0.1.2", 1), ("10.0.2.2", 2), len(RTP))) == []
        loop.run_until_complete(asyncio.sleep(2))
        assert (told, wire.link.dropped) == ([], {"queue": 1})
        (drop,) = wire.late_drops()
    finally:
        loop.close()
    assert told == [drop] == [Dropped(1.0, 0, PacketClass.RTP, len(RTP), "queue")]
    records = []
    PathCapture(Direction.UP, records.append).late([drop])
    assert records == [
        Record(INSIDE_UP, False, 1.0, ("10.0.4.2", 1), ("10.0.2.2", 2), RTP, ("dropped: queue",), 0)
    ]


def test_the_summary_counts_the_same(captured):
    folder, timeline = captured
    found = summarise(folder / CAPTURE)["links"]
    for link in found.values():
        assert link.pop("injected") == {}
    assert found == links_of(timeline)


def test_the_table_has_what_the_timeline_has(captured):
    folder, timeline = captured
    rows = table(folder / CAPTURE).rows(named=True)
    counted = {way: {"offered": 0, "delivered": 0, "dropped": Counter()} for way in ("up", "down")}
    for row in rows:
        link = counted[row["direction"]]
        link["offered"] += row["sent_s"] is not None
        link["delivered"] += row["copies"]
        link["dropped"].update(row["cause"].split(",") if row["cause"] else ())
    assert counted == links_of(timeline)
    dropped = sorted(
        (one.source, one["seq"], one["class"], one["cause"])
        for one in timeline.events
        if one.kind == "dropped"
    )
    assert dropped == sorted(
        (f"link.{row['direction']}", row["seq"], row["class"], cause)
        for row in rows
        for cause in (row["cause"] or "").split(",")
        if cause
    )
    for way in ("up", "down"):
        assert [row["seq"] for row in rows if row["direction"] == way] == list(range(counted[way]["offered"]))
    assert not any(row["damaged"] for row in rows)
    # A fiftieth of a second at least in the link, and a packet is never in it after it has come out.
    assert min(row["delivered_s"] - row["sent_s"] for row in rows if row["copies"]) >= 0.02


def test_clients_forgeries_and_damage_are_told_in_the_table(tmp_path):
    text = """
duration = "6s"
[peers]
clients = 2
[link]
delay = "20ms"
corrupt = "1%"
[[fault]]
kind = "inject"
what = "dtls-alert"
direction = "up"
at = "4s"
"""
    timeline = run(scenario(text), capture_in=tmp_path)
    found = table(tmp_path / CAPTURE)
    offered = {
        (event["client_id"], event.source.removeprefix("link.")): event["offered"]
        for event in timeline.events
        if event.kind == "total"
    }
    counted = found.filter(found["injected"].is_null()).group_by("client_id", "direction").len().rows()
    assert {(client, way): rows for client, way, rows in counted} == offered
    assert len(offered) == 4
    forged = found.filter(found["injected"].is_not_null())
    assert forged.select("client_id", "direction", "copies", "sent_s").rows() == [
        (1, "up", 1, None),
        (2, "up", 1, None),
    ]
    assert found["damaged"].sum() > 10


def test_tshark_warns_of_nothing_and_decrypts_to_sctp(captured):
    folder, _ = captured
    assert tshark.warnings(folder) == set()
    assert tshark.count(folder, "sctp.data_payload_proto_id == 51") > 500  # a WebRTC string (RFC 8831)
    unread = "dtls.record.content_type == 23 and not sctp"
    unread_s = tshark.ask(folder, "-Y", unread, "-T", "fields", "-e", "frame.time_relative")
    # Behind a NAT that has rebound, an end is known by its next check, within 5 s (aioice's consent).
    assert 0 < len(unread_s) < 30
    assert all(35.0 <= float(t_s) < 40.5 for t_s in unread_s)
    assert tshark.count(folder, "sctp and frame.time_relative > 40.5") > 50


def test_the_summary_tells_of_both_connections_and_reads_their_messages(captured):
    folder, timeline = captured
    offers = len(list(timeline.select("client", "offer")))
    found = summarise(folder / CAPTURE, folder / KEYS)
    seen = [one for one in found["connections"] if one["interface"] == "client side" and one["dtls"]]
    assert len(seen) == offers == 2
    for one in seen:
        (handshake,) = one["dtls"]
        assert handshake["keys"]
        assert handshake["cipher"] == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        assert one["unread"] == 0
        assert one["sctp"]["up"]["CookieEcho"] >= 1
        assert len(one["usernames"]) == 2
    moved = [one for one in found["connections"] if not one["dtls"]]
    assert sum(one["sctp"]["up"].get("Data", 0) for one in moved) > 20
    without = summarise(folder / CAPTURE)
    assert [one["sctp"] for one in without["connections"] if one["dtls"]] == [{"up": {}, "down": {}}] * 4
    assert all(one["unread"] for one in without["connections"] if one["dtls"])


def test_the_same_seed_gives_the_same_packets_but_for_what_openssl_draws(tmp_path):
    """Signatures, keys and what is encrypted with them differ: OpenSSL's randomness cannot be seeded."""
    text = 'duration = "6s"\n[link]\ndelay = "20ms"\nloss = "2%"\n'
    found = []
    for name in "ab":
        (tmp_path / name).mkdir()
        run(scenario(text), capture_in=tmp_path / name)
        fields = ("frame.time_epoch", "frame.interface_id", "ip.src", "udp.dstport", "frame.comment")
        asked = [part for field in fields for part in ("-e", field)]
        stun = tshark.ask(tmp_path / name, "-Y", "stun", "-T", "fields", "-e", "udp.payload")
        found.append((tshark.ask(tmp_path / name, "-T", "fields", *asked), stun))
    assert found[0] == found[1]
    assert len(found[0][1]) > 20


def test_a_capture_changes_nothing_of_a_session(tmp_path):
    text = 'duration = "6s"\n[link]\ndelay = "20ms"\nloss = "2%"\n'
    assert run(scenario(text), capture_in=tmp_path).to_text() == run(scenario(text)).to_text()
