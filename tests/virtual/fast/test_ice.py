"""aioice takes the same datagrams for STUN with the faster piece and without."""

import pytest
from aioice import stun
from aioice.ice import StunProtocol
from hypothesis import given
from hypothesis import strategies as st

from simlab.virtual.fast import ice
from simlab.virtual.fast.piece import in_place

pytestmark = pytest.mark.skipif(not ice.PIECE.fits, reason="written for another version of aioice")


class Receiver:
    def __init__(self):
        self.log = []

    def data_received(self, data, component):
        self.log.append(("data", data, component))

    def request_received(self, message, addr, protocol):
        self.log.append(("request", bytes(message), addr))


class Protocol(StunProtocol):
    def __init__(self):
        self.receiver = Receiver()
        self.transactions = {}
        self.id = 1

    class local_candidate:  # noqa: N801 - an attribute of aioice
        component = 1


def _log(datagram, pieces):
    with in_place(pieces):
        protocol = Protocol()
        try:
            protocol.datagram_received(datagram, ("10.0.0.1", 5))
        except Exception as error:
            return type(error)
        return protocol.receiver.log


def _request():
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, transaction_id=bytes(12))
    message.attributes["USERNAME"] = "a:b"
    message.add_message_integrity(b"key")
    return bytes(message)


REQUEST = _request()
# As long as its header says, whatever it holds: what only the parser can tell from STUN.
measured = st.binary(max_size=40).map(lambda body: b"\x80\x60" + len(body).to_bytes(2) + bytes(16) + body)
damaged = st.integers(0, len(REQUEST) - 1).map(lambda at: REQUEST[:at] + b"\xff" + REQUEST[at + 1 :])
cut = st.integers(0, len(REQUEST)).map(lambda size: REQUEST[:size])


@given(st.one_of(st.binary(max_size=64), measured, damaged, cut))
def test_any_datagram_goes_the_same_way(datagram):
    assert _log(datagram, [ice.PIECE]) == _log(datagram, [])


def test_a_request_is_one_and_a_record_is_none():
    assert _log(REQUEST, [ice.PIECE])[0][0] == "request"
    assert _log(b"\x17\xfe\xfd" + bytes(40), [ice.PIECE]) == [("data", b"\x17\xfe\xfd" + bytes(40), 1)]
