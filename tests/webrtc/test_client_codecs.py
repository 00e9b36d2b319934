import re

import pytest

from simlab.webrtc.errors import TransportStartError
from simlab.webrtc.sdp_codecs import only_codecs
from tests.webrtc.clients import Log, bot_server, client

OFFER = """v=0
m=audio 9 UDP/TLS/RTP/SAVPF 96 0 8
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
m=video 9 UDP/TLS/RTP/SAVPF 97 98 99 100 101
a=rtcp-fb:* transport-cc
a=rtpmap:97 VP8/90000
a=rtcp-fb:97 nack
a=rtpmap:98 rtx/90000
a=fmtp:98 apt=97
a=rtpmap:99 H264/90000
a=rtcp-fb:99 nack
a=fmtp:99 profile-level-id=42e01f
a=rtpmap:100 rtx/90000
a=fmtp:100 apt=99
a=rtpmap:101 rtx/90000
a=fmtp:101 apt=99;x=1
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
""".replace("\n", "\r\n")


def lines(sdp, start):
    return [line for line in sdp.splitlines() if line.startswith(start)]


def test_null_and_default_leave_the_offer_as_it_is():
    assert only_codecs(OFFER, {"audio": None, "video": "default"}) == OFFER


def test_one_codec_and_what_retransmits_it_are_left():
    sdp = only_codecs(OFFER, {"audio": "PCMU", "video": "H264"})
    assert lines(sdp, "m=") == [
        "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        "m=video 9 UDP/TLS/RTP/SAVPF 99 100",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    ]
    assert lines(sdp, "a=rtpmap") == [
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:99 H264/90000",
        "a=rtpmap:100 rtx/90000",
    ]
    # Of a retransmission that has more parameters than `apt` the published client takes no notice.
    assert lines(sdp, "a=fmtp") == ["a=fmtp:99 profile-level-id=42e01f", "a=fmtp:100 apt=99"]
    assert lines(sdp, "a=rtcp-fb") == ["a=rtcp-fb:* transport-cc", "a=rtcp-fb:99 nack"]


@pytest.mark.parametrize("codec", ["pcmu", "nothing", "G.22"])
def test_the_name_counts_to_the_letter_and_an_unknown_one_leaves_nothing(codec):
    sdp = only_codecs(OFFER, {"audio": codec})
    assert lines(sdp, "m=audio") == ["m=audio 9 UDP/TLS/RTP/SAVPF "]
    assert len(lines(sdp, "a=rtpmap")) == 5


@pytest.mark.parametrize(("kind", "codec"), [("audio", "PCMU"), ("audio", "G722"), ("video", "H264")])
def test_the_peers_agree_on_the_codec_that_is_left(run, kind, codec):
    async def play():
        async with bot_server() as connections, client(**{f"{kind}_codec": codec}) as transport:
            await transport.connect()
            return connections[0].pc.remoteDescription.sdp, transport.peer.pc.remoteDescription.sdp

    for sdp in run(play()):
        (section,) = re.findall(f"m={kind}.*?(?=m=)", sdp, re.DOTALL)
        assert set(re.findall("a=rtpmap:[0-9]+ ([^/]+)", section)) - {"rtx"} == {codec}


def test_a_codec_that_is_set_later_counts_from_the_next_offer_on(run):
    async def play():
        async with bot_server() as connections, client() as transport:
            transport.set_audio_codec("PCMA")
            transport.set_video_codec("VP8")
            await transport.connect()
            return connections[0].pc.remoteDescription.sdp

    assert set(re.findall("a=rtpmap:[0-9]+ ([^/]+)", run(play()))) == {"PCMA", "VP8", "rtx"}


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_an_unknown_codec_is_the_servers_error_and_is_given_up_after_four_offers(run, kind):
    log = Log()

    async def play():
        async with bot_server() as connections, client(log, **{f"{kind}_codec": "nothing"}) as transport:
            with pytest.raises(TransportStartError):
                await transport.connect()
            return connections, [e for e in transport.record.events if e.kind == "offer_failed"]

    connections, failed = run(play())
    assert connections == []
    assert [event["status"] for event in failed] == [500] * 4
    assert log.states()[-3:] == ["error", "disconnecting", "disconnected"]
