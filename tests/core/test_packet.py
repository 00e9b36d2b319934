import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.packet import PacketClass, classes_named, classify

COOKIE = b"\x21\x12\xa4\x42" + bytes(12)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "other"),
        (b"\x00\x01\x00\x00" + COOKIE, "stun.request"),
        (b"\x01\x01\x00\x00" + COOKIE, "stun.response"),
        (b"\x01\x11\x00\x00" + COOKIE, "stun.error"),
        (b"\x00\x11\x00\x00" + COOKIE, "stun.indication"),
        (b"\x00\x03\x00\x00" + COOKIE, "turn"),  # Allocate
        (b"\x00\x16\x00\x00" + COOKIE, "turn"),  # Send indication
        (b"\x00\x01\x00\x00" + bytes(16), "other"),  # no magic cookie
        (b"\x00\x01", "other"),
        (b"\x10", "zrtp"),
        (b"\x14\xfe\xfd", "dtls.handshake"),
        (b"\x16\xfe\xfd", "dtls.handshake"),
        (b"\x17\xfe\xfd", "dtls.data"),
        (b"\x2f", "dtls.data"),
        (b"\x40\x00", "turn"),
        (b"\x80\x60", "rtp"),
        (b"\x80\xe0", "rtp"),  # marker bit and payload type 96
        (b"\x80\xc8", "rtcp"),
        (b"\xbf\xdf", "rtcp"),
        (b"\x80", "rtp"),
        (b"\xff", "other"),
    ],
)
def test_classes(payload, expected):
    assert classify(payload) == expected


@given(st.binary(max_size=64))
def test_anything_has_a_class(payload):
    assert classify(payload) in PacketClass


def test_a_family_covers_its_classes():
    assert classes_named(["stun"]) == {c for c in PacketClass if c.startswith("stun.")}
    assert classes_named(["rtp", "dtls.data"]) == {PacketClass.RTP, PacketClass.DTLS_DATA}
    with pytest.raises(ValueError, match="'st'"):
        classes_named(["st"])
