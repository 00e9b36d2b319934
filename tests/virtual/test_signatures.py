import contextlib

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTP_PROFILES
from OpenSSL import SSL

from simlab.virtual.entropy import seeded_entropy
from simlab.virtual.signatures import missing_bytes


def handshake():
    """Return the datagrams of a real DTLS handshake between two of aiortc's certificates."""
    certificates = [RTCCertificate.generateCertificate() for _ in range(2)]
    server, client = (SSL.Connection(c._create_ssl_context(SRTP_PROFILES)) for c in certificates)
    server.set_accept_state()
    client.set_connect_state()
    datagrams = []
    for _ in range(3):
        for sender, receiver in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                sender.do_handshake()
            try:
                datagrams.append(sender.bio_read(1500))
                receiver.bio_write(datagrams[-1])
            except SSL.WantReadError:
                pass
    return datagrams


def test_every_handshake_has_the_same_sizes_with_what_is_missing():
    bare, padded = set(), set()
    with seeded_entropy(1):
        for _ in range(20):
            datagrams = handshake()
            bare.add(tuple(map(len, datagrams)))
            padded.add(tuple(len(d) + missing_bytes(d) for d in datagrams))
    assert len(bare) > 1  # 20 of one size: below 1 in 10^6, since a signature has the commonest in half
    assert len(padded) == 1


def test_on_a_channel_of_turn_it_is_the_same():
    for datagram in handshake():
        header = b"\x40\x00" + len(datagram).to_bytes(2)
        assert missing_bytes(header + datagram) == missing_bytes(datagram)
        assert missing_bytes(b"\x50" + header[1:] + datagram) == 0


def test_what_is_not_a_handshake_lacks_nothing():
    assert missing_bytes(b"") == 0
    assert missing_bytes(b"\x16") == 0
    assert missing_bytes(b"\x17\xfe\xfd" + bytes(40)) == 0
    assert missing_bytes(b"\x80" + bytes(100)) == 0
    assert missing_bytes(b"\x40\x00\x00\x64" + bytes(100)) == 0


def test_a_truncated_handshake_does_no_harm():
    for datagram in handshake():
        for end in range(len(datagram)):
            assert 0 <= missing_bytes(datagram[:end]) <= 144
