"""A browser with the published client, through ``simlab intercept``, against both servers."""

import asyncio

import pytest

from tests.capture import tshark
from tests.needs import needs_browser, needs_pipecat

needs_pipecat()
needs_browser()
tshark.needs_tshark()

from simlab.capture import CAPTURE, KEYS, TABLE  # noqa: E402
from simlab.live import chromium_page  # noqa: E402
from tests.e2e.intercepted import LONG_S, SERVERS, SHORT_S, call_all  # noqa: E402

pytestmark = pytest.mark.timeout(240)
# Two browsers with their servers, and the live page, on two cores.
SLACK_S = 1.5


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    chromium_page.build()
    return asyncio.run(call_all(tmp_path_factory.mktemp("intercepted")))


@pytest.fixture(params=SERVERS)
def call(calls, request):
    return calls[request.param]


def test_the_client_hears_its_own_voice_from_the_server(call):
    # The bot says what it hears: so both have heard.
    assert len([t_s for t_s in call.heard_s if t_s < call.pressed_s[0]]) > 10


def test_a_short_blackout_heals_by_itself(call):
    began_s, next_s = call.pressed_s
    dark = [t_s for t_s in call.heard_s if began_s + SLACK_S < t_s < began_s + SHORT_S - 0.2]
    assert dark == []
    assert [t_s for t_s in call.heard_s if began_s + SHORT_S < t_s < next_s]
    assert not any(e["kind"] == "offer" and began_s < e["t_s"] < next_s for e in call.events)


def test_a_long_blackout_makes_the_client_re_create_its_connection(call):
    from_s, until_s = call.pressed_s[1], call.again_s
    offers_s = [e["t_s"] for e in call.events if e["kind"] == "offer" and from_s < e["t_s"] < until_s]
    assert len(offers_s) == 1
    assert 10.0 < offers_s[0] - call.pressed_s[1] < 12.7 + SLACK_S


def test_the_recording_tells_both(call):
    first, second = call.run.metrics["outages"]
    assert (first["outcome"], first["attempts"], first["cause"]) == ("self_healed", 0, 0)
    assert SHORT_S <= first["recovered_s"] < SHORT_S + 3.0 + SLACK_S
    # The published client is mute from then on (hole C1): this one never ends, though data pass again.
    assert (second["outcome"], second["attempts"], second["cause"]) == ("open", 1, 1)
    data = [e for e in call.run.timeline.select("probe", "back") if e["what"] == "message"]
    assert {e["direction"] for e in data if e["gap_s"] > LONG_S} == {"up", "down"}
    assert call.run.metrics["attempts"]["recreations"] == 1


def test_a_client_that_hangs_up_is_missed_no_more(call):
    assert call.hung_up.metrics["outages"] == []
    assert call.hung_up.metrics["messages"]["down"]["delivered"] > 2
    ends = call.hung_up.timeline.events[-1]
    assert ends.data == {"reason": "client hung up"}
    assert [event.t_s for event in call.hung_up.timeline.select("client", "hung_up")] == [ends.t_s]


def test_the_recording_is_an_ordinary_run_folder(call):
    faults = call.run.scenario.profile.faults
    assert [(fault.kind, fault.for_s) for fault in faults] == [("blackout", SHORT_S), ("blackout", LONG_S)]
    links = call.run.metrics["links"]
    for direction in ("up", "down"):
        assert set(links[direction]["dropped"]) == {"blackout"}
        counts = links[direction]
        on_the_way = counts["offered"] - counts["delivered"] - counts["dropped"]["blackout"]
        assert on_the_way == 0
    names = {path.name for path in call.run.folder.iterdir()}
    saved = ("scenario.toml", "timeline.jsonl", "metrics.json", "timeline.png")
    assert names == {*saved, CAPTURE, KEYS, TABLE}


def test_its_capture_counts_what_its_timeline_counts(call):
    # Nothing is on its way at either end: both clocks' links are clean, and hold no packet.
    links = call.run.metrics["links"]
    assert tshark.links(call.run.folder) == {
        way: {name: links[way][name] for name in ("offered", "delivered", "dropped")}
        for way in ("up", "down")
    }
    assert [e.data["capture_lost"] for e in call.run.timeline.events if e.kind == "total"] == [0, 0]


def test_tshark_opens_it_without_a_warning_and_decrypts_to_sctp(call):
    folder = call.run.folder
    assert tshark.warnings(folder) == set()
    # WebRTC strings (RFC 8831): the client's pings and the server's answers, of both connections.
    assert tshark.count(folder, "sctp.data_payload_proto_id == 51") > 20
    assert tshark.count(folder, "dtls.record.content_type == 23 and not sctp") == 0
    handshakes = tshark.ask(folder, "-Y", "dtls.handshake.type == 20", "-T", "fields", "-e", "udp.stream")
    assert len(set(handshakes)) >= 2


def test_a_page_that_hides_its_addresses_is_reached_all_the_same(call):
    assert call.hidden["offered"]
    assert all(candidate.split()[4].endswith(".local") for candidate in call.hidden["offered"])
    assert call.hidden["opened"]


def test_every_control_of_the_live_page_has_a_name_and_a_telephone_has_room_for_it(call):
    assert call.unnamed == []
    assert call.widths == {1280: 1280, 390: 390}


def test_ctrl_c_ends_it_in_order(call):
    assert call.status == 0
