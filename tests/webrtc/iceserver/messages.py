"""What clients and peers send to a server, and what they read in its answers, by aioice's codec."""

import struct

from aioice import stun, turn

from simlab.webrtc.iceserver.outputs import Happened, Open, Send
from simlab.webrtc.iceserver.relaying import TurnSpec
from simlab.webrtc.iceserver.turn_server import TurnServer

PASSWORDS = {"anna": "right", "bert": "too"}
CLIENT, OTHER = ("198.51.100.1", 4000), ("198.51.100.2", 4000)
PEER, STRANGER = ("203.0.113.1", 5000), ("203.0.113.9", 5000)
RELAYED = ("192.0.2.15", 50000)
UDP, TCP = turn.UDP_TRANSPORT, turn.TCP_TRANSPORT


def of_kind(outputs, kind):
    return [output for output in outputs if isinstance(output, kind)]


def answer_in(outputs):
    """Return the only datagram, read, and where it goes."""
    (sent,) = of_kind(outputs, Send)
    return stun.parse_message(sent.payload), sent.to


def code_in(outputs):
    return answer_in(outputs)[0].error_code


def happened(outputs):
    return [(event.kind, dict(event.data)) for event in of_kind(outputs, Happened)]


class Client:
    """A client of a TURN server that is asked directly; the time is what the test says."""

    def __init__(self, server, address=CLIENT, username="anna", password="right"):
        self.server = server
        self.address = address
        self.username, self.password = username, password
        self.realm = self.nonce = None
        self.now_s = 0.0

    @property
    def key(self):
        return turn.make_integrity_key(self.username, self.realm, self.password)

    def send(self, method, kind=stun.Class.REQUEST, sign=True, transaction_id=None, **attributes):
        message = stun.Message(method, kind, transaction_id)
        message.attributes |= {name.replace("_", "-"): value for name, value in attributes.items()}
        if sign and self.nonce is not None:
            message.attributes |= {"USERNAME": self.username, "REALM": self.realm, "NONCE": self.nonce}
            message.add_message_integrity(self.key)
        return self.server.receive(bytes(message), self.address, self.now_s)

    def send_with(self, method, kind, value, **attributes):
        """Sign and send a request with an attribute that aioice does not know, or one more of a kind."""
        message = stun.Message(method, stun.Class.REQUEST, b"x" * 12)
        message.attributes = {"USERNAME": self.username, "REALM": self.realm, "NONCE": self.nonce}
        message.attributes |= {name.replace("_", "-"): value for name, value in attributes.items()}
        data = bytes(message) + struct.pack("!HH", kind, len(value)) + value
        data += struct.pack("!HH", 8, 20) + stun.message_integrity(data, self.key)
        return self.server.receive(stun.set_body_length(data, len(data) - 20), self.address, self.now_s)

    def challenged(self):
        """Learn realm and nonce from the 401 that a first request is answered with."""
        answer, _ = answer_in(self.send(stun.Method.ALLOCATE, sign=False, REQUESTED_TRANSPORT=UDP))
        assert answer.error_code == 401
        self.realm, self.nonce = answer.attributes["REALM"], answer.attributes["NONCE"]
        return self

    def ask(self, **attributes):
        """Ask for an allocation."""
        return self.send(stun.Method.ALLOCATE, **{"REQUESTED_TRANSPORT": UDP, **attributes})

    def allocate(self, relayed=RELAYED, **attributes):
        """Return the outputs of a whole Allocate, behind the opening of the port."""
        assert self.ask(**attributes) == [Open(self.address)]
        return self.server.opened(self.address, relayed, self.now_s)

    def refresh(self, **attributes):
        return self.send(stun.Method.REFRESH, **attributes)

    def permit(self, peer=PEER):
        return self.send(stun.Method.CREATE_PERMISSION, XOR_PEER_ADDRESS=peer)

    def bind(self, number=0x4000, peer=PEER):
        return self.send(stun.Method.CHANNEL_BIND, CHANNEL_NUMBER=number, XOR_PEER_ADDRESS=peer)

    def say(self, payload=b"hello", peer=PEER):
        """Send data by an indication."""
        return self.send(
            stun.Method.SEND, stun.Class.INDICATION, sign=False, XOR_PEER_ADDRESS=peer, DATA=payload
        )

    def say_on(self, number, payload=b"hello"):
        """Send data on a channel."""
        datagram = struct.pack("!HH", number, len(payload)) + payload
        return self.server.receive(datagram, self.address, self.now_s)

    def told(self, peer=PEER, payload=b"hi", relayed=RELAYED):
        """Return what comes of a datagram of a peer."""
        return self.server.receive_from_peer(payload, peer, relayed, self.now_s)


def turn_server(secret=b"secret", **spec):
    return TurnServer(TurnSpec(passwords=PASSWORDS, **spec), secret)


def client_with_allocation(**spec):
    client = Client(turn_server(**spec)).challenged()
    client.allocate()
    return client
