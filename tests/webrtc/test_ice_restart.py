"""ICE restarted under a running DTLS transport: new credentials, new sockets, the same connection."""

import asyncio

import pytest
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from simlab.study.invariants import violations
from simlab.study.metrics import metrics
from simlab.webrtc import ice_restart
from simlab.webrtc.ice_restart import Answerer, IceRestart, credentials_of, transport_of
from tests.virtual.sessions import run_text

CONFIGURATION = RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
TROUBLE = """
duration = "40s"
[link]
delay = "20ms"
[policy]
name = "twilio"
[[fault]]
kind = "blackout"
at = "5s"
for = "12s"
"""


async def connected_pair():
    offerer, answerer = RTCPeerConnection(CONFIGURATION), RTCPeerConnection(CONFIGURATION)
    channel = offerer.createDataChannel("chat")
    heard, opened = asyncio.Queue(), asyncio.Event()
    channel.on("open", opened.set)
    answerer.on("datachannel", lambda remote: remote.on("message", heard.put_nowait))
    await offerer.setLocalDescription(await offerer.createOffer())
    await answerer.setRemoteDescription(offerer.localDescription)
    await answerer.setLocalDescription(await answerer.createAnswer())
    await offerer.setRemoteDescription(answerer.localDescription)
    await asyncio.wait_for(opened.wait(), 5)
    channel.send("before")
    assert await asyncio.wait_for(heard.get(), 5) == "before"
    return offerer, answerer, channel, heard


async def offer_restart(offerer, done):
    restart = IceRestart(transport_of(offerer), done.put_nowait)
    await restart.gather()
    await offerer.setLocalDescription(await offerer.createOffer())
    return restart, offerer.localDescription.sdp


async def answer(answerer, offer):
    await answerer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    await answerer.setLocalDescription(await answerer.createAnswer())
    return answerer.localDescription


def sockets(pc):
    return [
        protocol.transport.get_extra_info("sockname") for protocol in transport_of(pc)._connection._protocols
    ]


def test_a_restart_moves_everything_to_new_sockets(run):
    async def body():
        offerer, answerer, channel, heard = await connected_pair()
        before = credentials_of(offerer.localDescription.sdp), sockets(offerer), sockets(answerer)
        old = transport_of(offerer)._connection
        done, noticed = asyncio.Queue(), []
        restarting = Answerer(answerer, noticed.append)
        restart, offer = await offer_restart(offerer, done)
        assert await restarting.offered(offer)
        told = await answer(answerer, offer)
        restarting.answered(offer)
        assert restart.is_answered_by(told.sdp)
        await offerer.setRemoteDescription(told)
        restart.start(told.sdp)
        new = await asyncio.wait_for(done.get(), 5)
        assert transport_of(offerer)._connection is new
        after = credentials_of(offer), sockets(offerer), sockets(answerer)
        assert all(one != other for one, other in zip(before, after, strict=True))
        channel.send("after")
        assert await asyncio.wait_for(heard.get(), 5) == "after"
        assert (old._closed, noticed) == (False, ["begun", "connected"])
        await asyncio.sleep(ice_restart.OLD_KEPT_S + 0.1)
        assert old._closed
        channel.send("later")
        assert await asyncio.wait_for(heard.get(), 5) == "later"
        assert [pc.connectionState for pc in (offerer, answerer)] == ["connected", "connected"]
        await offerer.close()
        await answerer.close()
        assert (old._closed, new._closed) == (True, True)

    run(body())


def test_an_answerer_that_ignores_it_is_noticed_and_all_goes_on_as_before(run):
    async def body():
        offerer, answerer, channel, heard = await connected_pair()
        old, gatherer = transport_of(offerer)._connection, transport_of(offerer).iceGatherer
        restart, offer = await offer_restart(offerer, asyncio.Queue())
        assert gatherer._connection is not old
        told = await answer(answerer, offer)
        assert not restart.is_answered_by(told.sdp)
        await restart.roll_back()
        assert (gatherer._connection, transport_of(offerer)._connection) == (old, old)
        channel.send("still there")
        assert await asyncio.wait_for(heard.get(), 5) == "still there"
        await offerer.close()
        await answerer.close()
        assert old._closed

    run(body())


def test_an_ordinary_offer_restarts_nothing(run):
    async def body():
        offerer, answerer, _, _ = await connected_pair()
        restarting = Answerer(answerer, lambda _: None)
        await offerer.setLocalDescription(await offerer.createOffer())
        assert not await restarting.offered(offerer.localDescription.sdp)
        assert not await Answerer(RTCPeerConnection(), lambda _: None).offered(offerer.localDescription.sdp)
        await offerer.close()
        await answerer.close()

    run(body())


@pytest.mark.parametrize("who_closes", ["offerer", "answerer"])
def test_closing_in_the_middle_of_a_restart_frees_both_connections(run, who_closes):
    async def body():
        offerer, answerer, _, _ = await connected_pair()
        old = transport_of(offerer)._connection
        restart, offer = await offer_restart(offerer, asyncio.Queue())
        new = restart.new
        restarting = Answerer(answerer, lambda _: None)
        await restarting.offered(offer)
        await answer(answerer, offer)
        first, second = (offerer, answerer) if who_closes == "offerer" else (answerer, offerer)
        await first.close()
        await second.close()
        await restart.roll_back()
        await restarting.close()
        await asyncio.sleep(0.1)
        assert (old._closed, new._closed) == (True, True)

    run(body())


def test_a_restart_that_never_connects_ends_the_connection_as_lost_consent_does(run):
    async def body():
        offerer, answerer, _, _ = await connected_pair()
        restart, _ = await offer_restart(offerer, asyncio.Queue())
        # Credentials that nobody answers to.
        restart.start(answerer.localDescription.sdp.replace("a=ice-pwd:", "a=ice-pwd:zzzz"))
        await asyncio.sleep(ice_restart.CONNECT_TIMEOUT_S - 1)
        assert offerer.connectionState == "connected"
        await asyncio.sleep(2)
        assert offerer.connectionState == "closed"
        await answerer.close()

    run(body())


def test_in_a_session_the_server_keeps_its_connection_and_both_ways_live():
    timeline = run_text(TROUBLE)
    found = metrics(timeline)
    assert (found["attempts"]["ice_restarts"], found["attempts"]["recreations"]) == (1, 0)
    assert found["server"]["connections_opened"] == 1
    assert [e["state"] for e in timeline.select("client", "ice_restart")] == ["begun", "connected"]
    assert [e["state"] for e in timeline.select("server", "ice_restart")] == ["begun", "connected"]
    assert len([e for e in timeline.select("client", "dtls_state") if e["state"] == "connected"]) == 1
    assert all(way["alive_at_end"] for way in found["media"].values())
    assert violations(timeline) == ()


def test_after_a_handover_a_restart_finds_the_way_that_the_old_pair_cannot():
    text = TROUBLE.replace('kind = "blackout"', 'kind = "handover"').replace('"12s"', '"1s"')
    found = {name: metrics(run_text(text, policy__name=name)) for name in ("twilio", "never")}
    assert [outage["outcome"] for outage in found["twilio"]["outages"]] == ["reconnected"]
    assert [outage["outcome"] for outage in found["never"]["outages"]] == ["open"]
    assert found["twilio"]["attempts"]["recreations"] == 0


def test_a_restart_whose_offer_fails_is_rolled_back_and_tried_again():
    dead = '[[fault]]\nkind = "signalling"\nat = "5s"\nfor = "7s"\nhow = "status 503"\n'
    timeline = run_text(TROUBLE + dead)
    found = metrics(timeline)
    assert found["attempts"]["ice_restarts"] > 1
    assert found["attempts"]["offers_failed"] == found["attempts"]["ice_restarts"] - 1
    assert [outage["outcome"] for outage in found["outages"]] == ["reconnected"]
    assert violations(timeline) == ()
