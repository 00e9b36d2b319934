"""What ICE failures do to descriptions and candidates."""

import json
import re

import pytest

from simlab.core.packet import Direction
from simlab.profile.load import load
from simlab.webrtc.candidates import split_off
from simlab.webrtc.signalling_path import Path, Tampers
from simlab.webrtc.signalling_rewrite import NOBODY, Rewriter, parsed, split_offer

UP, DOWN = Direction.UP, Direction.DOWN
SDP = "\r\n".join(
    [
        "v=0",
        "s=-",
        "m=audio 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:0",
        "a=candidate:1 1 udp 2130706431 10.0.1.2 20000 typ host",
        "a=candidate:2 1 tcp 1518280447 10.0.1.2 9 typ host tcptype active",
        "a=end-of-candidates",
        "a=ice-ufrag:{}",
        "a=ice-pwd:{}",
        "m=video 9 UDP/TLS/RTP/SAVPF 97",
        "a=mid:1",
        "a=ice-ufrag:{}",
        "a=ice-pwd:{}",
        "",
    ]
)
FIRST = SDP.format(*("ufr1", "password-of-the-first-one") * 2)
SECOND = SDP.format(*("ufr2", "password-of-the-second-one") * 2)
CANDIDATE = "candidate:1 1 udp 2130706431 10.0.1.2 20000 typ host"


def tampers(*kinds):
    text = "".join(f'[[fault]]\nkind = "{kind}"\nat = "0s"\nfor = "1s"\n' for kind in kinds)
    return Path.of(load(text, "a.toml")).tampers_at(0.5)


@pytest.fixture
def rewritten(run):
    """Return what a rewriter of one direction makes of messages, one after the other."""

    async def relayed(address):
        return "127.0.0.5", address[1] + 1

    def rewritten(direction, kinds, *messages):
        rewriter = Rewriter(direction, relayed)
        out = []
        for message in messages:
            body, done = run(rewriter.rewritten(json.dumps(message).encode(), tampers(*kinds)))
            out.append((json.loads(body), done))
        return out

    return rewritten


def offer(sdp=FIRST):
    return {"sdp": sdp, "type": "offer", "pc_id": None}


def patch(*lines):
    return {"pc_id": "x", "candidates": [{"candidate": line, "sdp_mid": "0"} for line in lines]}


def test_without_failures_addresses_alone_are_changed(rewritten):
    [(message, done), (trickle, _)] = rewritten(UP, [], offer(), patch(CANDIDATE, ""))
    assert done == []
    assert "127.0.0.5 20001 typ host" in message["sdp"]
    assert "tcp" not in message["sdp"].replace("rtcp", "")
    assert "a=end-of-candidates" in message["sdp"]
    assert [one["candidate"] for one in trickle["candidates"]] == [
        CANDIDATE.replace("10.0.1.2 20000", "127.0.0.5 20001"),
        "",
    ]


@pytest.mark.parametrize("direction", [UP, DOWN])
def test_no_candidates(rewritten, direction):
    [(message, done), (trickle, trickled)] = rewritten(
        direction, ["no-candidates"], offer(), patch(CANDIDATE, "")
    )
    assert (done, trickled) == (["no-candidates"], ["no-candidates"])
    assert "candidate" not in message["sdp"]
    assert trickle == {"pc_id": "x", "candidates": []}


def test_wrong_candidates(rewritten):
    [(message, done)] = rewritten(UP, ["wrong-candidates"], offer())
    assert done == ["wrong-candidates"]
    assert re.findall("a=candidate:.*", message["sdp"]) == [
        f"a=candidate:1 1 udp 2130706431 {NOBODY} 20000 typ host\r"
    ]


def test_names_that_nobody_resolves(rewritten):
    [(message, _), (again, _)] = rewritten(UP, ["mdns-unresolvable"], offer(), offer())
    names = [re.findall(r"[0-9a-f-]{36}\.local", sdp["sdp"]) for sdp in (message, again)]
    assert [len(found) for found in names] == [1, 1]
    assert names[0] != names[1]


def test_stale_credentials_are_those_of_the_generation_before(rewritten):
    [(first, done), (second, _), (same, _)] = rewritten(
        UP, ["ufrag-stale"], offer(FIRST), offer(SECOND), offer(SECOND)
    )
    assert done == ["ufrag-stale"]
    assert "ufr1" not in first["sdp"]
    assert second["sdp"].count("a=ice-ufrag:ufr1\r\n") == same["sdp"].count("a=ice-ufrag:ufr1\r\n") == 2
    assert second["sdp"].count("a=ice-pwd:password-of-the-first-one\r\n") == 2
    assert "second" not in second["sdp"]


def test_a_role_conflict_calls_the_client_lite(rewritten):
    [(message, done)] = rewritten(UP, ["role-conflict"], offer())
    assert done == ["role-conflict"]
    session, _, _ = message["sdp"].partition("\r\nm=")
    assert session.splitlines()[-1] == "a=ice-lite"
    assert message["sdp"].count("ice-lite") == 1
    assert rewritten(DOWN, ["role-conflict"], offer())[0][1] == []


def test_what_is_neither_description_nor_candidates_is_left_alone(run):
    async def never(address):
        raise AssertionError(address)

    rewriter = Rewriter(UP, never)
    for body in (b"", b"{", b"[1]", b"3", b'{"status": "success"}'):
        content, done = run(rewriter.rewritten(body, tampers("no-candidates", "ufrag-stale")))
        assert parsed(content) == parsed(body)
        assert done == []


def test_the_candidates_of_an_offer_can_be_split_off():
    body, candidates = split_offer(json.dumps(offer()).encode())
    assert json.loads(body)["sdp"] == split_off(FIRST)[0]
    assert candidates[0]["candidate"] == CANDIDATE
    answer = json.dumps({"sdp": FIRST, "type": "answer"}).encode()
    assert split_offer(answer) == (answer, [])
    assert split_offer(b"{") == (b"{", [])


def test_no_failure_is_none_at_all():
    assert not Tampers().has("no-candidates")
