"""The same HTTP requests to the published server and to ours: the same status, shape and words."""

import json

import pytest

from tests.parity.clients import OFFER, Client, Names, clients

CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host"
END = {"candidate": "", "sdp_mid": "0", "sdp_mline_index": 0}
NO_MEDIA = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"


def same(answers):
    published, ours = answers
    assert ours == published
    return ours


def asking(*requests, settings=None):
    """Return steps that send requests after a first offer, whose name stands for PC, its offer for SDP."""

    async def steps(server):
        names, told = Names(), []
        async with clients(Client(), Client()) as (first, second):
            response = await server.client.post(OFFER, json={"sdp": await first.offer(), "type": "offer"})
            told.append(names.seen(response))
            replaced = {"PC": response.json()["pc_id"], "SDP": await second.offer()}

            def filled(value):
                if isinstance(value, dict):
                    return {key: filled(inner) for key, inner in value.items()}
                return replaced.get(value, value) if isinstance(value, str) else value

            for method, path, body in requests:
                given = {"content": body} if isinstance(body, (str, bytes)) else {"json": filled(body)}
                headers = {"content-type": "application/json"}
                response = await server.client.request(method, path, headers=headers, **given)
                told.append(names.seen(response))
            bodies, known = server.bodies, len(server.names)
        return told, bodies, known

    return steps


VALID = {"sdp": "SDP", "type": "offer"}
DIRECT = {
    "another": ("POST", OFFER, VALID),
    "unknown name": ("POST", OFFER, {**VALID, "pc_id": "nobody"}),
    "empty name": ("POST", OFFER, {**VALID, "pc_id": ""}),
    "restart": ("POST", OFFER, {**VALID, "pc_id": "PC", "restart_pc": True}),
    "snake case data": ("POST", OFFER, {**VALID, "request_data": {"a": 1}}),
    "camel case data is dropped": ("POST", OFFER, {**VALID, "requestData": {"a": 1}}),
    "no sdp": ("POST", OFFER, {"type": "offer"}),
    "nothing": ("POST", OFFER, {}),
    "no body": ("POST", OFFER, ""),
    "no JSON": ("POST", OFFER, "not json"),
    "half of JSON": ("POST", OFFER, '{"sdp": '),
    "a list": ("POST", OFFER, [1]),
    "text": ("POST", OFFER, '"text"'),
    "no UTF-8": ("POST", OFFER, b'{"sdp": "\xff"}'),
    "null name": ("POST", OFFER, {**VALID, "pc_id": None, "restart_pc": None}),
    "wrong types": ("POST", OFFER, {"sdp": 5, "type": None, "pc_id": 7, "restart_pc": "perhaps"}),
    "restart as text": ("POST", OFFER, {**VALID, "pc_id": "PC", "restart_pc": "true"}),
    "broken sdp": ("POST", OFFER, {"sdp": "m=nonsense", "type": "offer"}),
    "empty sdp": ("POST", OFFER, {"sdp": "", "type": "offer"}),
    "no media": ("POST", OFFER, {"sdp": NO_MEDIA, "type": "offer"}),
    "an answer": ("POST", OFFER, {"sdp": "SDP", "type": "answer"}),
    "no type of description": ("POST", OFFER, {"sdp": "SDP", "type": "nonsense"}),
    "broken restart": ("POST", OFFER, {"sdp": "m=", "type": "offer", "pc_id": "PC", "restart_pc": True}),
    "no candidates": ("PATCH", OFFER, {"pc_id": "PC", "candidates": []}),
    "end of candidates": ("PATCH", OFFER, {"pc_id": "PC", "candidates": [END]}),
    "a candidate": ("PATCH", OFFER, {"pc_id": "PC", "candidates": [{**END, "candidate": CANDIDATE}]}),
    "garbage candidate": ("PATCH", OFFER, {"pc_id": "PC", "candidates": [{**END, "candidate": "garbage"}]}),
    "candidate of no port": (
        "PATCH",
        OFFER,
        {"pc_id": "PC", "candidates": [{**END, "candidate": "candidate:1 1 udp 1 192.0.2.7 x typ host"}]},
    ),
    "candidate lacks mid": ("PATCH", OFFER, {"pc_id": "PC", "candidates": [{"candidate": CANDIDATE}]}),
    "candidate of unknown mid": (
        "PATCH",
        OFFER,
        {"pc_id": "PC", "candidates": [{"candidate": CANDIDATE, "sdp_mid": "9", "sdp_mline_index": 9}]},
    ),
    "candidates of nobody": ("PATCH", OFFER, {"pc_id": "nobody", "candidates": []}),
    "candidates of null": ("PATCH", OFFER, {"pc_id": None, "candidates": []}),
    "candidates lack": ("PATCH", OFFER, {"pc_id": "PC"}),
    "candidates no tables": ("PATCH", OFFER, {"pc_id": "PC", "candidates": [5]}),
    "patch of text": ("PATCH", OFFER, '"text"'),
    "candidates no list": ("PATCH", OFFER, {"pc_id": "PC", "candidates": {}}),
    "patch no JSON": ("PATCH", OFFER, "not json"),
    "wrong method": ("GET", OFFER, ""),
    "deleted": ("DELETE", OFFER, ""),
    "no such path": ("GET", "/nothing", ""),
    "unknown session": ("POST", "/sessions/nobody/api/offer", VALID),
    "status": ("GET", "/status", ""),
    "started": ("POST", "/start", {}),
    "started with no body": ("POST", "/start", ""),
    "started with no JSON": ("POST", "/start", "not json"),
    "started with a list": ("POST", "/start", [1]),
    "started for webrtc": ("POST", "/start", {"transport": "webrtc", "body": {"a": 1}}),
    "started for daily": ("POST", "/start", {"transport": "daily"}),
    "started with a room": ("POST", "/start", {"createDailyRoom": True}),
    "started with ICE servers": ("POST", "/start", {"enableDefaultIceServers": True}),
    "got start": ("GET", "/start", ""),
}


@pytest.mark.parametrize("name", DIRECT)
def test_a_request(both, name):
    (first, *_), *_ = same(both(asking(DIRECT[name])))
    assert first[0] == 200


@pytest.mark.parametrize("name", ["another", "unknown name", "restart", "null name", "empty name"])
def test_in_single_mode(both, name):
    same(both(asking(DIRECT[name]), mode="single"))


def test_the_answers_for_an_esp32(both):
    told, *_ = same(both(asking(DIRECT["another"]), esp32=True, host="10.0.0.1"))
    assert [line for line in told[0][1]["sdp"] if "sha-" in line] == ["a=fingerprint:sha-256"] * 3
    told, *_ = same(both(asking(DIRECT["another"]), esp32=True, host="192.0.2.1"))
    assert not [line for line in told[0][1]["sdp"] if "candidate:" in line]


def test_restarts_leave_names_behind(both):
    restart = DIRECT["restart"]
    told, _, known = same(both(asking(restart, restart, restart)))
    assert known == 4
    assert [status for status, *_ in told] == [200] * 4


def in_session(*requests, start=None, ends=False):
    """Return steps that send requests below the path of a session that was started."""

    async def steps(server):
        names, told = Names(), []
        async with clients(Client()) as (client,):
            sdp = await client.offer()
            started = await server.client.post("/start", json=start if start is not None else {})
            path = f"/sessions/{started.json()['sessionId']}"
            name = None
            for method, below, body in requests:
                text = body if isinstance(body, str) else json.dumps(body)
                text = text.replace('"SDP"', json.dumps(sdp)).replace('"PC"', json.dumps(name))
                response = await server.client.request(method, path + below, content=text)
                told.append(names.seen(response))
                name = name or (response.text.startswith("{") and response.json().get("pc_id")) or None
            if ends:
                server.over.set()
                told.append(names.seen(await server.client.get(f"{path}/anything")))
                told.append(names.seen(await server.client.get(f"{path}/anything")))
            return told, server.bodies

    return steps


IN_SESSION = {
    "offer": [("POST", OFFER, VALID)],
    "longer path": [("POST", "/bot/v1" + OFFER, VALID)],
    "restart": [("POST", OFFER, VALID), ("POST", OFFER, {**VALID, "pc_id": "PC", "restart_pc": True})],
    "candidates": [("POST", OFFER, VALID), ("PATCH", OFFER, {"pc_id": "PC", "candidates": [END]})],
    "candidates lack": [("POST", OFFER, VALID), ("PATCH", OFFER, {"pc_id": "PC"})],
    "candidates of nobody": [("PATCH", OFFER, {"pc_id": "nobody", "candidates": []})],
    "candidates of null": [("PATCH", OFFER, {"pc_id": None, "candidates": []})],
    "no sdp": [("POST", OFFER, {"type": "offer"})],
    "broken sdp": [("POST", OFFER, {"sdp": "m=nonsense", "type": "offer"})],
    "no JSON": [("POST", OFFER, "not json")],
    "a list": [("POST", OFFER, [1])],
    "got": [("GET", OFFER, "")],
    "put": [("PUT", OFFER, VALID)],
    "other path": [("GET", "/anything", "")],
    "other path posted": [("POST", "/anything/else", "not json")],
    "camel case data": [("POST", OFFER, {**VALID, "requestData": {"b": 2}})],
    "snake case data": [("POST", OFFER, {**VALID, "request_data": {"b": 2}})],
}


@pytest.mark.parametrize("name", IN_SESSION)
def test_a_request_in_a_session(both, name):
    same(both(in_session(*IN_SESSION[name])))


def test_a_session_without_data_falls_back_to_that_of_start(both):
    _, bodies = same(both(in_session(*IN_SESSION["offer"], start={"body": {"a": 1}})))
    assert bodies == [{"a": 1}]


def test_a_session_ends_with_its_bot(both):
    told, _ = same(both(in_session(*IN_SESSION["offer"], ends=True)))
    assert told[-1] == (404, "Invalid or not-yet-ready session_id")


def test_a_body_of_null_makes_a_session_that_is_not_there(both):
    same(both(in_session(*IN_SESSION["offer"], start={"body": None})))
