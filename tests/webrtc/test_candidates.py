import asyncio

from simlab.webrtc.candidates import rewrite_line, rewrite_sdp, split_off

SDP = "\r\n".join(
    [
        "v=0",
        "m=audio 20000 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 10.0.1.2",
        "a=mid:0",
        "a=candidate:1 1 udp 2130706431 10.0.1.2 20000 typ host",
        "a=candidate:2 1 tcp 1518280447 10.0.1.2 9 typ host tcptype active",
        "a=end-of-candidates",
        "m=application 20000 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:1",
        "a=candidate:1 1 udp 2130706431 10.0.1.2 20000 typ host",
        "",
    ]
)


async def to_the_relay(address):
    return ("127.0.0.4", address[1] + 1)


def test_an_offer_goes_out_without_candidates_and_these_go_out_by_themselves():
    bare, candidates = split_off(SDP)
    assert "candidate" not in bare
    assert bare.count("m=") == 2
    assert candidates[0] == {
        "candidate": "candidate:1 1 udp 2130706431 10.0.1.2 20000 typ host",
        "sdp_mid": "0",
        "sdp_mline_index": 0,
    }
    assert len(candidates) == 2  # those of the first section alone


def test_only_the_candidates_of_a_description_are_rewritten_and_tcp_is_left_out():
    rewritten = asyncio.run(rewrite_sdp(SDP, to_the_relay))
    assert rewritten.count("a=candidate:1 1 udp 2130706431 127.0.0.4 20001 typ host\r\n") == 2
    assert "tcptype" not in rewritten
    assert "c=IN IP4 10.0.1.2\r\n" in rewritten


def test_what_follows_the_address_stays_as_it_is():
    line = "candidate:3 1 udp 1694498815 203.0.113.7 5000 typ srflx raddr 10.0.1.2 rport 20000"
    rewritten = asyncio.run(rewrite_line(line, to_the_relay))
    assert rewritten == "candidate:3 1 udp 1694498815 127.0.0.4 5001 typ srflx raddr 10.0.1.2 rport 20000"


def test_a_line_that_is_no_candidate_is_left_out():
    assert asyncio.run(rewrite_line("candidate:", to_the_relay)) is None
