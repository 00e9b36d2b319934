"""What a TURN server answers, request by request, and when what it gave expires."""

import struct

import pytest
from aioice import stun

from simlab.webrtc.iceserver.outputs import Close, Open, Send
from simlab.webrtc.iceserver.stun_server import StunServer
from tests.webrtc.iceserver.messages import (
    CLIENT,
    OTHER,
    PEER,
    RELAYED,
    STRANGER,
    TCP,
    UDP,
    Client,
    answer_in,
    client_with_allocation,
    code_in,
    happened,
    of_kind,
    turn_server,
)

NAME = {"relayed": "192.0.2.15:50000"}
UNUSED = {"to_peers": 0, "to_client": 0, "denied": 0}


def message(method, kind):
    return bytes(stun.Message(method, kind, b"t" * 12))


def binding():
    return message(stun.Method.BINDING, stun.Class.REQUEST)


@pytest.mark.parametrize("make", [StunServer, turn_server])
def test_a_binding_is_answered_with_where_it_came_from_and_needs_no_credentials(make):
    outputs = make().receive(binding(), CLIENT, 0.0)
    answer, to = answer_in(outputs)
    assert (answer.message_class, answer.transaction_id, to) == (stun.Class.RESPONSE, b"t" * 12, CLIENT)
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == CLIENT
    assert happened(outputs) == [("binding", {"client": "198.51.100.1:4000"})]


BROKEN_LIFETIME = b"\0\1\0\4\x21\x12\xa4\x42" + bytes(12) + b"\0\x0d\0\0"


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\0",
        binding()[:19],
        binding() + b"x",
        b"\0\1\0\0" + bytes(16),  # no magic cookie: RFC 3489
        BROKEN_LIFETIME,
        message(stun.Method.BINDING, stun.Class.INDICATION),
        message(stun.Method.BINDING, stun.Class.RESPONSE),
        message(stun.Method.ALLOCATE, stun.Class.INDICATION),
        binding().replace(b"\0\1", b"\0\x0a", 1),  # a method that nobody has
        b"\x40\x00\x00\x05abcd",  # a channel's data, cut off
        b"\x40\x00\x00\x02ab",  # on a channel of nobody
        b"\x80\x60" + bytes(20),  # RTP
    ],
)
def test_what_is_no_request_is_not_answered(datagram):
    for server in (StunServer(), turn_server()):
        assert server.receive(datagram, CLIENT, 0.0) == []


def test_a_stun_server_has_no_allocations():
    server = StunServer()
    assert Client(server).ask() == []
    assert server.next_timer_s() is None
    assert server.end("lost") == []


def test_an_allocation_is_made_with_the_credentials_that_the_401_asked_for():
    client = Client(turn_server()).challenged()
    outputs = client.allocate()
    answer, to = answer_in(outputs)
    assert to == CLIENT
    assert answer.message_class is stun.Class.RESPONSE
    assert answer.check_message_integrity(client.key)
    assert answer.attributes["XOR-RELAYED-ADDRESS"] == RELAYED
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == CLIENT
    assert answer.attributes["LIFETIME"] == 600
    assert happened(outputs) == [("allocated", {"client": "198.51.100.1:4000", **NAME, "lifetime_s": 600})]
    assert client.server.next_timer_s() == 600.0


def test_the_first_401_is_no_refusal():
    assert happened(Client(turn_server()).ask()) == []


@pytest.mark.parametrize(("username", "password"), [("anna", "wrong"), ("carl", "right"), ("bert", "right")])
def test_wrong_credentials_are_refused(username, password):
    client = Client(turn_server(), username=username, password=password).challenged()
    outputs = client.ask()
    answer, _ = answer_in(outputs)
    assert answer.error_code == 401
    assert "MESSAGE-INTEGRITY" not in answer.attributes
    assert answer.attributes["REALM"] == "simlab"
    assert happened(outputs) == [
        ("refused", {"client": "198.51.100.1:4000", "method": "allocate", "code": 401})
    ]
    assert client.server.next_timer_s() is None


@pytest.mark.parametrize("missing", ["USERNAME", "REALM", "NONCE"])
def test_integrity_without_the_rest_is_a_bad_request(missing):
    client = Client(turn_server()).challenged()
    request = stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)
    said = {"USERNAME": "anna", "REALM": "simlab", "NONCE": client.nonce, "REQUESTED-TRANSPORT": UDP}
    request.attributes = {name: value for name, value in said.items() if name != missing}
    request.add_message_integrity(client.key)
    assert code_in(client.server.receive(bytes(request), CLIENT, 0.0)) == 400


def test_a_nonce_goes_stale_and_so_does_the_next_one():
    client = client_with_allocation(nonce_lifetime_s=100.0)
    client.now_s = 99.999
    assert code_in(client.refresh()) is None
    client.now_s = 100.0
    outputs = client.refresh()
    answer, _ = answer_in(outputs)
    assert answer.error_code == 438
    assert happened(outputs)[0][1]["code"] == 438
    client.nonce = answer.attributes["NONCE"]
    assert code_in(client.refresh()) is None
    client.now_s = 200.0
    assert code_in(client.refresh()) == 438


@pytest.mark.parametrize("nonce", [b"0.000000-0123456789abcdef", b"x", b"-", b"\xff-\xff"])
def test_a_nonce_that_was_not_made_here_is_stale(nonce):
    client = client_with_allocation()
    client.nonce = nonce
    assert code_in(client.refresh()) == 438


def test_another_server_takes_no_nonce_of_this_one():
    client = client_with_allocation()
    client.server = turn_server(secret=b"another")
    assert code_in(client.refresh()) == 438


@pytest.mark.parametrize(("transport", "code"), [(TCP, 442), (0xFF000000, 442), (0, 442)])
def test_an_allocation_is_for_udp(transport, code):
    client = Client(turn_server()).challenged()
    assert code_in(client.ask(REQUESTED_TRANSPORT=transport)) == code
    assert code_in(client.send(stun.Method.ALLOCATE)) == 400


@pytest.mark.parametrize("kind", [0x0018, 0x001A, 0x0022, 0x7FFF])  # EVEN-PORT, DONT-FRAGMENT, a token, ?
def test_what_must_be_understood_and_is_not_is_named(kind):
    client = Client(turn_server()).challenged()
    (sent, _) = client.send_with(stun.Method.ALLOCATE, kind, bytes(4), REQUESTED_TRANSPORT=UDP)
    answer = stun.parse_message(sent.payload)
    assert answer.error_code == 420
    assert answer.check_message_integrity(client.key)
    assert struct.pack("!HHH", 0x000A, 2, kind) in sent.payload


def test_what_need_not_be_understood_is_passed_over():
    client = Client(turn_server()).challenged()
    outputs = client.send_with(stun.Method.ALLOCATE, 0xC057, bytes(4), REQUESTED_TRANSPORT=UDP)
    assert outputs == [Open(CLIENT)]


@pytest.mark.parametrize(("family", "code"), [(1, None), (2, 440)])
def test_an_allocation_is_for_ipv4(family, code):
    client = Client(turn_server()).challenged()
    value = bytes([family, 0, 0, 0])
    outputs = client.send_with(stun.Method.ALLOCATE, 0x0017, value, REQUESTED_TRANSPORT=UDP)
    assert outputs == [Open(CLIENT)] if code is None else code_in(outputs) == code


def test_there_is_one_allocation_a_client():
    client = client_with_allocation()
    outputs = client.ask()
    assert code_in(outputs) == 437
    assert answer_in(outputs)[0].check_message_integrity(client.key)


def test_a_repeated_request_gets_the_same_answer_and_no_second_port():
    client = Client(turn_server()).challenged()
    same = {"transaction_id": b"a" * 12}
    assert client.ask(**same) == [Open(CLIENT)]
    assert client.ask(**same) == []  # the port is not open yet
    (first, _) = client.server.opened(CLIENT, RELAYED, 0.1)
    assert client.ask(**same) == [first]


def test_nothing_can_be_done_before_the_port_is_open():
    client = Client(turn_server()).challenged()
    client.ask()
    assert code_in(client.refresh()) == 437
    assert client.say() == []


def test_a_port_that_cannot_be_had():
    client = Client(turn_server()).challenged()
    client.ask()
    assert code_in(client.server.not_opened(CLIENT, 0.1)) == 508
    assert client.server.not_opened(CLIENT, 0.1) == []
    client.allocate()


def test_a_port_that_comes_too_late_is_closed():
    client = Client(turn_server(lifetime_s=5, longest_s=5)).challenged()
    client.ask()
    assert client.server.handle_timer(5.0) == []
    assert client.server.opened(CLIENT, RELAYED, 5.0) == [Close(RELAYED)]
    assert client.server.not_opened(CLIENT, 5.0) == []


def test_the_lifetime_in_an_answer_begins_with_the_answer():
    client = Client(turn_server(lifetime_s=5, longest_s=5)).challenged()
    client.ask()
    client.server.opened(CLIENT, RELAYED, 0.25)
    assert client.server.next_timer_s() == 5.25
    assert client.server.handle_timer(5.0) == []
    assert len(of_kind(client.server.handle_timer(5.25), Close)) == 1


def test_the_quota_is_each_users_own():
    server = turn_server(quota=2)
    for port in (1, 2):
        Client(server, ("198.51.100.1", port)).challenged().allocate(("192.0.2.15", port))
    third = Client(server, ("198.51.100.1", 3)).challenged()
    assert code_in(third.ask()) == 486
    Client(server, OTHER, "bert", "too").challenged().allocate(("192.0.2.15", 3))
    server.handle_timer(600.0)
    third.allocate(("192.0.2.15", 4))


@pytest.mark.parametrize(
    ("asked_s", "granted_s"), [(None, 600), (1, 600), (600, 600), (601, 601), (3600, 3600), (3601, 3600)]
)
def test_lifetimes(asked_s, granted_s):
    client = Client(turn_server()).challenged()
    asked = {} if asked_s is None else {"LIFETIME": asked_s}
    answer, _ = answer_in(client.allocate(**asked))
    assert answer.attributes["LIFETIME"] == granted_s
    assert client.server.next_timer_s() == granted_s
    client.now_s = 10.0
    answer, _ = answer_in(client.refresh(**asked))
    assert answer.attributes["LIFETIME"] == granted_s
    assert client.server.next_timer_s() == 10.0 + granted_s


def test_an_allocation_is_there_until_its_very_last_moment():
    client = client_with_allocation()
    client.now_s = 400.0
    client.permit()
    client.now_s = 599.999
    assert client.server.handle_timer(599.999) == []
    assert of_kind(client.say(), Send)
    assert of_kind(client.told(), Send)
    outputs = client.server.handle_timer(600.0)
    assert outputs[0] == Close(RELAYED)
    assert happened(outputs) == [("expired", {**NAME, "to_peers": 1, "to_client": 1, "denied": 0})]
    assert client.server.next_timer_s() is None


@pytest.mark.parametrize("act", [Client.say, Client.told, lambda client: client.say_on(0x4000)])
def test_it_expires_though_nobody_calls_in_time(act):
    client = client_with_allocation(nonce_lifetime_s=1000)
    client.now_s = 599.0
    client.bind()
    client.now_s = 600.0
    outputs = act(client)
    assert outputs[0] == Close(RELAYED)
    assert happened(outputs) == [("expired", {**NAME, **UNUSED})]
    assert not of_kind(outputs, Send)
    assert code_in(client.refresh()) == 437


def test_a_refresh_of_0_s_releases_it():
    client = client_with_allocation()
    outputs = client.refresh(LIFETIME=0)
    assert answer_in(outputs)[0].attributes["LIFETIME"] == 0
    assert outputs[1] == Close(RELAYED)
    assert happened(outputs) == [("released", {**NAME, **UNUSED})]
    assert code_in(client.refresh()) == 437


def test_an_allocation_is_its_users_alone():
    server = client_with_allocation().server
    other = Client(server, CLIENT, "bert", "too").challenged()
    assert code_in(other.refresh(LIFETIME=0)) == 441
    assert code_in(other.permit()) == 441


@pytest.mark.parametrize(
    ("number", "code"), [(0x3FFF, 400), (0x4000, None), (0x4FFF, None), (0x5000, 400), (None, 400)]
)
def test_numbers_of_channels(number, code):
    client = client_with_allocation()
    named = {} if number is None else {"CHANNEL_NUMBER": number}
    assert code_in(client.send(stun.Method.CHANNEL_BIND, XOR_PEER_ADDRESS=PEER, **named)) == code
    assert code_in(client.send(stun.Method.CHANNEL_BIND, **named)) == 400


def test_a_channel_is_one_peers_and_a_peer_has_one_channel():
    client = client_with_allocation(lifetime_s=2000)
    assert code_in(client.bind(0x4000, PEER)) is None
    assert code_in(client.bind(0x4000, PEER)) is None  # to keep it
    assert code_in(client.bind(0x4000, STRANGER)) == 400
    assert code_in(client.bind(0x4001, PEER)) == 400
    client.now_s = 599.999
    assert code_in(client.bind(0x4000, STRANGER)) == 400
    client.nonce = answer_in(_at(client, 600.0).refresh())[0].attributes["NONCE"]
    assert code_in(client.bind(0x4000, STRANGER)) is None
    assert code_in(client.bind(0x4001, PEER)) is None


def _at(client, now_s):
    client.now_s = now_s
    return client


@pytest.mark.parametrize("request_of", [Client.permit, lambda client, peer: client.bind(peer=peer)])
def test_peers_are_of_ipv4(request_of):
    assert code_in(request_of(client_with_allocation(), peer=("2001:db8::1", 5000))) == 443


def test_a_permission_names_somebody():
    assert code_in(client_with_allocation().send(stun.Method.CREATE_PERMISSION)) == 400


def test_several_peers_are_permitted_at_once():
    client = client_with_allocation()
    second = stun.pack_xor_address(STRANGER, b"x" * 12)
    outputs = client.send_with(stun.Method.CREATE_PERMISSION, 0x0012, second, XOR_PEER_ADDRESS=PEER)
    assert happened(outputs) == [("permitted", {**NAME, "peer": host}) for host, _ in (PEER, STRANGER)]
    assert of_kind(client.told(PEER), Send)
    assert of_kind(client.told(STRANGER), Send)


def test_the_end_of_a_server():
    client = client_with_allocation()
    outputs = client.server.end("lost")
    assert outputs[0] == Close(RELAYED)
    assert happened(outputs) == [("lost", {**NAME, **UNUSED})]
    assert client.server.end("lost") == []
