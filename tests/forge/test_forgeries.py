"""Forged packets, as the libraries read them that are to be taken in."""

import socket

import pytest
from aioice import stun
from scapy.layers.inet import ICMP, IP

from simlab.core.packet import Packet, PacketClass, classify
from simlab.forge import FORGERIES
from simlab.forge.unreachable import port_unreachable
from simlab.profile.faults_inject import InjectFault
from tests.needs import needs

KEY = b"password"


def message(kind):
    made = stun.Message(stun.Method.BINDING, kind, transaction_id=b"transaction!")
    made.attributes["USERNAME"] = "here:there"
    made.add_message_integrity(KEY)
    return bytes(made)


REQUEST, RESPONSE = message(stun.Class.REQUEST), message(stun.Class.RESPONSE)


def forge(what, carrier):
    return FORGERIES[what].begin()(Packet(0, 0.0, carrier, classify(carrier)), carrier)


def test_a_profile_can_name_them_all_and_no_others():
    assert set(InjectFault.model_fields["what"].annotation.__args__) == set(FORGERIES)


@pytest.mark.parametrize(("code", "reason"), [(401, "Unauthorized"), (487, "Role Conflict")])
def test_an_error_response_answers_the_request_and_is_not_authenticated(code, reason):
    found = stun.parse_message(forge(f"stun-error-{code}", RESPONSE))
    assert found.message_class == stun.Class.ERROR
    assert found.transaction_id == b"transaction!"
    assert found.attributes["ERROR-CODE"] == (code, reason)
    assert not found.check_message_integrity(KEY)


@pytest.mark.parametrize("genuine", [REQUEST, RESPONSE])
def test_a_wrong_integrity_is_all_that_is_wrong(genuine):
    found = stun.parse_message(forge("stun-bad-integrity", genuine))
    assert stun.parse_message(genuine).check_message_integrity(KEY)
    assert not found.check_message_integrity(KEY)
    assert found.transaction_id == b"transaction!"
    assert found.attributes["USERNAME"] == "here:there"
    assert forge("stun-bad-integrity", message_without_integrity()) is None


def message_without_integrity():
    return bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST))


def test_a_truncated_message_is_still_taken_for_stun_and_is_none():
    found = forge("stun-truncated", REQUEST)
    assert REQUEST.startswith(found)
    assert classify(found) is PacketClass.STUN_REQUEST
    with pytest.raises(ValueError, match="STUN"):
        stun.parse_message(found)


def test_an_oversized_message_is_genuine_stun_and_fills_a_frame():
    found = forge("stun-oversized", b"anything")
    assert len(found) == 1472
    assert stun.parse_message(found).message_class == stun.Class.REQUEST


def test_an_alert_is_a_record_in_the_clear():
    found = forge("dtls-alert", b"anything")
    assert classify(found) is PacketClass.DTLS_HANDSHAKE
    assert found == bytes.fromhex("15fefd 0000 000100000000 0002 0228")


def test_icmp_says_nobody_is_there_to_a_port_that_is_connected():
    """Source of what Linux does: RFC 1122 section 4.1.3.3, udp(7)."""
    content = port_unreachable(("127.0.0.2", 1000), ("127.0.0.4", 2000))
    icmp = ICMP(content)
    assert (icmp.type, icmp.code) == (3, 3)
    quoted = IP(bytes(icmp.payload))
    assert (quoted.src, quoted.dst, quoted.sport, quoted.dport) == ("127.0.0.2", "127.0.0.4", 1000, 2000)
    needs("the right to send ICMP", may_send_icmp())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.settimeout(10)
        port.bind(("127.0.0.2", 0))
        port.connect(("127.0.0.4", 2000))
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
            raw.sendto(port_unreachable(port.getsockname(), ("127.0.0.4", 2000)), ("127.0.0.2", 0))
        with pytest.raises(ConnectionRefusedError):
            port.recv(100)


def may_send_icmp():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True
