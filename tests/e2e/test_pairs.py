"""The published client and the published server against each other and against simlab's: they must be alike.

The ranges are those that were measured with Chromium 156 and pipecat-ai 1.14.0; docs/agreement.md has them.
To what a timer of the peers says, a busy machine adds ``SLACK_S``.
"""

import pytest

from simlab.study.invariants import violations
from simlab.study.metrics import metrics
from tests.e2e.pairs import DURATION_S, HANG_UP_S, LONG_S, PAIRS, SHORT_S
from tests.needs import needs_browser, needs_pipecat

needs_pipecat()
needs_browser()

# The first test waits for all sessions, of which two run at a time.
pytestmark = pytest.mark.timeout(300)

SLACK_S = 0.5
NAMES = ["{} meets {}".format(*pair) for pair in PAIRS]
# The longest wait for the server's next check: it has sent one 3.5 s after its answer, and sends the next one
# after 7.5 s.
NEXT_CHECK_S = 4.0 + 0.3


@pytest.fixture(params=PAIRS, ids=NAMES)
def timeline(request, met):
    return met.pairs[request.param]


@pytest.fixture
def measured(timeline):
    return metrics(timeline)


def first_s(timeline, source, kind, after_s, **fields):
    """Return when something first happened after a moment."""
    return next(
        event.t_s
        for event in timeline.select(source, kind)
        if event.t_s > after_s and all(event[name] == value for name, value in fields.items())
    )


def test_the_session_ends_as_planned(timeline):
    assert timeline.events[-1].data == {"reason": "duration"}


def test_it_connects_in_order(measured):
    connect = measured["connect"]
    phases_s = [connect[phase] for phase in ("offer_s", "ice_s", "dtls_s", "channel_s", "bot_ready_s")]
    assert phases_s == sorted(phases_s)
    # 0.14 to 1.52 s where nothing else ran.
    assert 0.1 < phases_s[-1] < 3


def test_both_speak_and_hear_before_the_first_blackout(timeline):
    for what, least in (("media", 50), ("message", 10)):
        for direction in ("up", "down"):
            heard = sum(
                event["received"]
                for event in timeline.select("probe", "tally")
                if (event["what"], event["direction"]) == (what, direction)
                and event.t_s < SHORT_S[0]
                and "received" in event.data
            )
            assert heard > least


def test_four_seconds_of_blackout_heal_by_themselves(timeline, measured):
    first = measured["outages"][0]
    assert (first["outcome"], first["cause"], first["attempts"]) == ("self_healed", 0, 0)
    assert SHORT_S[0] - 0.3 < first["began_s"] < SHORT_S[0] + 0.3
    # The browser's SCTP doubles its pause up to 3 s, and the bot is silent until it hears of the client.
    assert SHORT_S[1] < first["ended_s"] < SHORT_S[1] + 3.0 + SLACK_S
    assert not any(event["restart"] for event in timeline.select("client", "offer") if event.t_s < LONG_S[0])


def test_the_client_notices_a_longer_one_in_time(timeline):
    noticed_s = first_s(timeline, "client", "liveness", LONG_S[0], state="disconnected") - LONG_S[0]
    assert 5.0 <= noticed_s <= 7.6 + SLACK_S


def test_it_re_creates_the_connection_five_seconds_later(timeline):
    noticed_s = first_s(timeline, "client", "liveness", LONG_S[0], state="disconnected")
    offered_s = first_s(timeline, "client", "offer", LONG_S[0], restart=True)
    assert 5.0 <= offered_s - noticed_s <= 5.11 + SLACK_S


def test_one_re_creation_is_enough(measured):
    assert measured["attempts"]["offers"] == 2
    assert measured["attempts"]["offers_failed"] == 0
    assert measured["attempts"]["recreations"] == 1
    assert measured["server"]["connections_opened"] == 2
    assert measured["server"]["bots_started"] == 1


def test_messages_pass_again_with_the_servers_next_check(timeline):
    opened_s = first_s(timeline, "client", "channel_open", LONG_S[0])
    assert LONG_S[1] < opened_s < LONG_S[1] + NEXT_CHECK_S + SLACK_S
    for direction in ("up", "down"):
        back_s = first_s(timeline, "probe", "back", LONG_S[1], direction=direction, what="message")
        assert opened_s - 0.1 < back_s < opened_s + SLACK_S


def test_the_microphone_and_the_bots_voice_are_dead_for_good(timeline, measured):
    # Hole C1: in the browser as in simlab's client. The state is "ready" all the same.
    assert not measured["media"]["up"]["alive_at_end"]
    assert not measured["media"]["down"]["alive_at_end"]
    assert {violation.invariant for violation in violations(timeline)} == {
        "microphone-dead-after-recovery",
        "bot-voice-dead-after-recovery",
    }
    states = [event["state"] for event in timeline.select("client", "transport_state")]
    ready = states.index("ready")
    assert states[ready:] == ["ready", "disconnecting", "disconnected"]


def test_the_client_hangs_up_and_the_server_knows_at_once(timeline):
    disconnected_s = first_s(timeline, "client", "transport_state", LONG_S[1], state="disconnected")
    closed_s = first_s(timeline, "server", "connection_closed", LONG_S[1])
    assert DURATION_S - HANG_UP_S <= disconnected_s < DURATION_S
    assert abs(closed_s - disconnected_s) < 0.3
    assert first_s(timeline, "server", "bot_ended", LONG_S[1]) < DURATION_S


def test_the_versions_are_in_the_header(met):
    for (client, server), timeline in met.pairs.items():
        versions = timeline.header["versions"]
        assert ("chromium" in versions) == (client == "chromium")
        assert ("pipecat-ai" in versions) == (server == "pipecat")
        if client == "chromium":
            assert versions["@pipecat-ai/small-webrtc-transport"] == "1.10.8"


def test_a_closed_tab_says_no_goodbye(met):
    client_s = [event.t_s for event in met.closed_tab.select("client")]
    assert client_s[-1] < 4.5
    assert list(met.closed_tab.select("client", "bot_ready"))
    # The server does not know: only its consent checks would find out, after half a minute.
    assert list(met.closed_tab.select("server", "connection_closed")) == []
    assert met.closed_tab.events[-1].data == {"reason": "duration"}


def test_no_process_and_no_file_is_left(met):
    assert (met.processes_left, met.files_left) == ([], [])
