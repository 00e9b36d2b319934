"""What is done to STUN on its way, checked with aioice's own reading of it."""

from collections import namedtuple

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.ice import BadIntegrityStage, ConsentBlockStage, spoiled
from simlab.core.impair import BlockSpec
from simlab.core.link import Link

KEY = b"0123456789012345678901"
Tag = namedtuple("Tag", "flow")
ONE, OTHER = Tag("one"), Tag("other")
DTLS, RTP = b"\x16\xfe\xff" + bytes(20), b"\x80\x60" + bytes(20)
FAULT = [BlockSpec(10.0, 20.0)]


def check(message_class=stun.Class.REQUEST, integrity=True):
    message = stun.Message(stun.Method.BINDING, message_class, bytes(12))
    message.attributes["USERNAME"] = "abcde:fghij"  # padded by a byte
    message.attributes["PRIORITY"] = 7
    if integrity:
        message.add_message_integrity(KEY)
    else:
        message.add_fingerprint()
    return bytes(message)


CHECK = check()


def test_a_spoiled_message_is_stun_still_but_not_genuine():
    good, bad = stun.parse_message(CHECK), stun.parse_message(spoiled(CHECK))
    assert good.check_message_integrity(KEY)
    assert not bad.check_message_integrity(KEY)
    names = good.attributes.keys() - {"MESSAGE-INTEGRITY", "FINGERPRINT"}
    assert {name: bad.attributes[name] for name in names} == {name: good.attributes[name] for name in names}
    assert sum(a != b for a, b in zip(CHECK[:-8], spoiled(CHECK)[:-8], strict=True)) == 1


def test_spoiling_twice_makes_it_good_again():
    assert spoiled(spoiled(CHECK)) == CHECK


def test_what_has_no_integrity_stays_as_it_is():
    assert spoiled(check(integrity=False)) == check(integrity=False)


@given(st.binary(max_size=100))
def test_anything_can_be_looked_at(payload):
    assert len(spoiled(payload)) == len(payload)


def carried(stage, packets):
    """Send (time, payload, tag) through a stage, and return what comes out, and the causes of drops."""
    link = Link([stage])
    drops = [drop.cause for at_s, payload, tag in packets for drop in link.receive(payload, at_s, tag)]
    return [packet.payload for packet in link.release(1e9)], drops


def test_integrity_is_bad_during_the_fault_alone_and_of_stun_alone():
    packets = [
        (9.9, CHECK, ONE),
        (10.0, CHECK, ONE),
        (15.0, RTP, ONE),
        (19.9, CHECK, ONE),
        (20.0, CHECK, ONE),
    ]
    out, drops = carried(BadIntegrityStage(FAULT), packets)
    assert out == [CHECK, spoiled(CHECK), RTP, spoiled(CHECK), CHECK]
    assert drops == []


@pytest.mark.parametrize("kind", stun.Class)
def test_consent_is_blocked_on_a_flow_that_has_carried_dtls(kind):
    packets = [
        (1.0, DTLS, ONE),
        (9.9, CHECK, ONE),
        (10.0, check(kind), ONE),
        (11.0, RTP, ONE),
        (20.0, CHECK, ONE),
    ]
    out, drops = carried(ConsentBlockStage(FAULT), packets)
    assert out == [DTLS, CHECK, RTP, CHECK]
    assert drops == ["consent-blocked"]


def test_a_new_flow_can_connect_until_its_dtls_begins():
    packets = [(1.0, DTLS, ONE), (11.0, CHECK, OTHER), (12.0, DTLS, OTHER), (13.0, CHECK, OTHER)]
    out, drops = carried(ConsentBlockStage(FAULT), packets)
    assert out == [DTLS, CHECK, DTLS]
    assert drops == ["consent-blocked"]


def test_packets_without_a_flow_are_all_of_one():
    out, _ = carried(ConsentBlockStage(FAULT), [(1.0, DTLS, None), (11.0, CHECK, None)])
    assert out == [DTLS]
