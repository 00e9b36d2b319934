"""What a TURN server passes on, to whom and until when; and the laws that it never breaks."""

from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from simlab.webrtc.iceserver.outputs import Close, Open, Send, text
from tests.webrtc.iceserver.messages import (
    CLIENT,
    PEER,
    RELAYED,
    STRANGER,
    Client,
    client_with_allocation,
    happened,
    of_kind,
    turn_server,
)


def test_without_a_permission_nothing_passes():
    client = client_with_allocation()
    assert client.say() == []
    assert client.told() == []
    (kind, denied), (_, over) = happened(client.server.end("lost"))
    assert (kind, denied["datagrams"], denied["expired"], over["denied"]) == ("denied", 2, False, 2)


def test_an_indication_takes_data_to_a_peer_and_another_brings_them_back():
    client = client_with_allocation()
    client.permit()
    assert client.say(b"to you") == [Send(b"to you", PEER, RELAYED)]
    (back,) = client.told(payload=b"to me")
    message = stun.parse_message(back.payload)
    assert (message.message_method, message.message_class) == (stun.Method.DATA, stun.Class.INDICATION)
    assert message.attributes["DATA"] == b"to me"
    assert message.attributes["XOR-PEER-ADDRESS"] == PEER
    assert (back.to, back.via) == (CLIENT, None)


def test_a_permission_is_a_hosts_whatever_its_port():
    client = client_with_allocation()
    client.permit((PEER[0], 1))
    assert of_kind(client.told(PEER), Send)
    assert client.told(STRANGER) == []


def test_a_permission_lasts_300_s_and_is_refreshed_by_its_request_alone():
    client = client_with_allocation()
    client.permit()
    client.now_s = 299.999
    assert of_kind(client.say(), Send)
    assert of_kind(client.told(), Send)
    client.now_s = 300.0
    assert client.say() == []
    assert client.told() == []
    client.permit()
    client.now_s = 599.999
    assert of_kind(client.told(), Send)


def test_what_an_expired_permission_denies_is_told_when_there_is_another():
    client = client_with_allocation()
    client.permit()
    client.now_s = 300.0
    client.say()
    client.now_s = 305.5
    client.told()
    client.now_s = 310.0
    named = {"relayed": text(RELAYED), "peer": PEER[0]}
    counted = {"expired": True, "datagrams": 2, "from_s": 300.0, "until_s": 305.5}
    assert happened(client.permit()) == [("denied", {**named, **counted})]
    assert [kind for kind, _ in happened(client.server.end("open"))] == ["open"]


def test_a_channel_takes_data_both_ways():
    client = client_with_allocation()
    client.bind(0x4ABC)
    assert client.say_on(0x4ABC, b"") == [Send(b"", PEER, RELAYED)]
    assert client.say_on(0x4ABC, b"to you") == [Send(b"to you", PEER, RELAYED)]
    assert client.told(payload=b"to me") == [Send(b"\x4a\xbc\x00\x05to me", CLIENT)]
    # Another port of that host has no channel, but the permission that came with it.
    (back,) = client.told((PEER[0], 1))
    assert stun.parse_message(back.payload).attributes["XOR-PEER-ADDRESS"] == (PEER[0], 1)


def test_padding_behind_a_channels_data_is_no_data():
    client = client_with_allocation()
    client.bind()
    assert client.server.receive(b"\x40\x00\x00\x01a\0\0\0", CLIENT, 0.0) == [Send(b"a", PEER, RELAYED)]


def test_a_channel_lasts_600_s_and_its_permission_300_s():
    client = client_with_allocation(lifetime_s=2000, nonce_lifetime_s=2000)
    client.bind()
    client.now_s = 300.0
    assert client.say_on(0x4000) == []  # the channel is there, the permission is not
    assert client.told() == []
    client.permit()
    assert of_kind(client.say_on(0x4000), Send)
    client.now_s = 599.999
    assert client.told()[0].payload.startswith(b"\x40\x00")
    client.now_s = 600.0
    client.permit()
    assert client.say_on(0x4000) == []
    assert not client.told()[0].payload.startswith(b"\x40\x00")


def test_binding_again_keeps_channel_and_permission():
    client = client_with_allocation(lifetime_s=2000)
    client.bind()
    client.now_s = 250.0
    client.bind()
    client.now_s = 549.999
    assert of_kind(client.say_on(0x4000), Send)
    client.now_s = 550.0
    assert client.say_on(0x4000) == []


def test_an_indication_that_lacks_something_is_lost():
    client = client_with_allocation()
    client.permit()
    indication = {"kind": stun.Class.INDICATION, "sign": False}
    assert client.send(stun.Method.SEND, **indication, DATA=b"x") == []
    assert client.send(stun.Method.SEND, **indication, XOR_PEER_ADDRESS=PEER) == []


def test_each_allocation_has_permissions_of_its_own():
    client = client_with_allocation()
    client.permit()
    other = Client(client.server, ("198.51.100.1", 4001)).challenged()
    other.allocate(("192.0.2.15", 50001))
    assert other.say() == []
    assert other.told(relayed=("192.0.2.15", 50001)) == []
    assert of_kind(client.told(), Send)


PEERS = st.tuples(st.sampled_from(["203.0.113.1", "203.0.113.2"]), st.sampled_from([1, 2]))
NUMBERS = st.sampled_from([0x4000, 0x4001])
ACTS = st.one_of(
    st.tuples(st.just("permit"), PEERS),
    st.tuples(st.just("bind"), NUMBERS, PEERS),
    st.tuples(st.just("refresh"), st.sampled_from([0, 600, 700])),
    st.tuples(st.just("ask")),
    st.tuples(st.just("say"), st.just(b"x"), PEERS),
    st.tuples(st.just("say_on"), NUMBERS),
    st.tuples(st.just("told"), PEERS),
)
# Whole seconds, so that things happen in the very moment in which others expire.
STEPS = st.lists(st.tuples(st.sampled_from([0, 1, 100, 299, 300, 301]), ACTS), max_size=40)


class Book:
    """A server, a client, and what the client may do by the answers it got, in the plainest terms."""

    def __init__(self):
        self.client = Client(turn_server(nonce_lifetime_s=1e9)).challenged()
        self.until_s = 0.0
        self.permitted_s = {}
        self.opened = self.closed = 0

    def may_meet(self, host):
        now_s = self.client.now_s
        return now_s < self.until_s and now_s < self.permitted_s.get(host, 0.0)

    def act(self, name, values):
        """Do something, write down what was granted, and return what is sent."""
        client = self.client
        named = {"LIFETIME": values.pop()} if name == "refresh" else {}
        outputs = getattr(client, name)(*values, **named)
        self.closed += len(of_kind(outputs, Close))
        if Open(CLIENT) in outputs:
            self.opened += 1
            self.until_s, self.permitted_s = client.now_s + 600, {}
            outputs = client.server.opened(CLIENT, RELAYED, client.now_s)
        sent = of_kind(outputs, Send)
        if name in {"permit", "bind", "refresh"} and stun.parse_message(sent[0].payload).error_code is None:
            self.until_s = client.now_s + named.get("LIFETIME", self.until_s - client.now_s)
            self.permitted_s |= {host: client.now_s + 300 for host, _ in values[-1:]}
        return sent


@given(STEPS)
def test_nothing_passes_without_permission_or_after_the_lifetime(steps):
    book = Book()
    for after_s, (name, *values) in steps:
        book.client.now_s += after_s
        sent = book.act(name, values.copy())
        if name in {"say", "told"}:
            assert bool(sent) == book.may_meet(values[-1][0])
        if name == "say_on":
            assert all(book.may_meet(packet.to[0]) for packet in sent)
        assert all((packet.via is None) != (name in {"say", "say_on"}) for packet in sent)


@given(STEPS)
def test_every_port_that_is_opened_is_closed_once(steps):
    book = Book()
    for after_s, (name, *values) in steps:
        book.client.now_s += after_s
        book.act(name, values)
        assert book.opened - book.closed in {0, 1}
    assert book.closed + len(of_kind(book.client.server.end("lost"), Close)) == book.opened


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x00\x03", b"\x40\x00", b"\x00\x08", b"\x00\x16"]))
def test_no_datagram_makes_it_fail(rest, start):
    client = client_with_allocation()
    header = start + len(rest).to_bytes(2) + b"\x21\x12\xa4\x42" + bytes(12)
    for datagram in (start + rest, header + rest):
        client.server.receive(datagram, CLIENT, 1.0)
