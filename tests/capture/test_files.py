"""The file itself: frames, blocks, comments, torn ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.utils import RawPcapNgReader, wrpcap

from simlab.capture.frames import frame, unframed
from simlab.capture.pcapng import CaptureFile
from simlab.capture.reading import look_at, packets
from simlab.capture.records import CLIENT_SIDE, INSIDE_UP, SERVER_SIDE, Record
from simlab.capture.secrets import master_secrets
from simlab.core.errors import InvalidInputError

CLIENT, SERVER = ("10.0.1.2", 20000), ("10.0.2.2", 443)
RECORDS = [
    Record(CLIENT_SIDE, True, 0.0, CLIENT, SERVER, b"\x80\x60" + bytes(30), (), 0),
    Record(
        SERVER_SIDE, False, 0.020000001, CLIENT, SERVER, b"\x80\x60" + bytes(31), ("injected: replay",), 0
    ),
    Record(CLIENT_SIDE, True, 1.5, CLIENT, SERVER, b"", ("dropped: loss", "dropped: loss")),
    Record(INSIDE_UP, False, 2.25, CLIENT, SERVER, b"\x16\xfe\xff", ("dropped: nat",)),
]
EPOCH_NS = 1_750_000_000_123_456_789
ports = st.integers(0, 65535)
hosts = st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)


@given(st.data(), st.sampled_from((0, 1)), ports, ports, st.binary(max_size=1500))
def test_a_frame_is_what_scapy_makes(data, version, here, there, payload):
    source, destination = data.draw(hosts[version]), data.draw(hosts[version])
    layer = (IP, IPv6)[version]
    options = {"flags": "DF", "id": 0} if layer is IP else {}
    wanted = layer(src=source, dst=destination, **options) / UDP(sport=here, dport=there) / payload
    made = frame((source, here), (destination, there), payload)
    assert made == bytes(wanted)
    assert unframed(made) == ((source, here), (destination, there), payload)


@pytest.mark.parametrize(
    "packet", [b"", b"\x45", b"\x60" * 20, b"\x45" + bytes(8) + b"\x06" + bytes(30), b"\x10" * 40]
)
def test_what_is_no_datagram_is_refused(packet):
    with pytest.raises(ValueError, match="not "):
        unframed(packet)


def written(path, lost=0):
    file = CaptureFile(path, "a session")
    file.begin(EPOCH_NS)
    file.write_all(RECORDS)
    file.finish(3.0, lost)
    return path


def test_what_is_written_is_read_back(tmp_path):
    path = written(tmp_path / "c.pcapng", lost=7)
    found = list(packets(path))
    for record, packet in zip(RECORDS, found, strict=True):
        assert (packet.interface, packet.inbound) == (record.interface, record.inbound)
        assert (packet.source, packet.destination) == (record.source, record.destination)
        assert packet.payload == record.payload
        # A float holds the time since 1970 to a quarter of a microsecond.
        assert packet.at_s == pytest.approx(EPOCH_NS / 1e9 + record.t_s, abs=5e-7)
    assert [packet.dropped for packet in found] == [(), (), ("loss", "loss"), ("nat",)]
    assert [packet.injected for packet in found] == [(), ("replay",), (), ()]
    about = look_at(path)
    assert (about.comment, about.lost, about.is_cut) == ("a session", 7, False)


def test_times_are_exact_to_the_nanosecond(tmp_path):
    with RawPcapNgReader(str(written(tmp_path / "c.pcapng"))) as reader:
        about = [metadata for _, metadata in reader]
    assert {one.tsresol for one in about} == {10**9}
    assert [one.tshigh << 32 | one.tslow for one in about] == [
        EPOCH_NS + after_ns for after_ns in (0, 20_000_001, 1_500_000_000, 2_250_000_000)
    ]


def test_a_file_cut_anywhere_holds_the_packets_before(tmp_path):
    content = written(tmp_path / "whole.pcapng").read_bytes()
    path, counts = tmp_path / "cut.pcapng", []
    for size in range(12, len(content)):
        path.write_bytes(content[:size])
        about = look_at(path)
        assert about.is_cut == (about.whole_bytes != size)
        if about.whole_bytes > 28:
            counts.append(len(list(packets(path))))
    assert counts == sorted(counts)
    assert set(counts) == set(range(len(RECORDS) + 1))


@pytest.mark.parametrize("at", [4, 30, 400])
def test_a_damaged_file_is_refused_by_name_and_place(tmp_path, at):
    content = bytearray(written(tmp_path / "c.pcapng").read_bytes())
    starts, start = [], 0
    while start < len(content):
        starts.append(start)
        start += int.from_bytes(content[start + 4 : start + 8], "little")
    block = max(one for one in starts if one <= at)
    content[block + 4] ^= 8
    path = tmp_path / "damaged.pcapng"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=rf"damaged\.pcapng: damaged at byte {block}: "):
        look_at(path)


def test_a_foreign_file_is_refused(tmp_path):
    text = tmp_path / "text"
    text.write_text("nothing of the kind, but long enough")
    old = tmp_path / "old.pcap"
    wrpcap(str(old), [IP() / UDP()])
    for path in (text, old, tmp_path):
        with pytest.raises(InvalidInputError):
            look_at(path)


@pytest.mark.parametrize(
    "text", ["CLIENT_RANDOM 00", "CLIENT_RANDOM 00 0g", "nonsense", "CLIENT_RANDOM 00 11 22"]
)
def test_a_wrong_key_log_is_refused_with_its_line(tmp_path, text):
    path = tmp_path / "dtls.keys"
    path.write_text(f"# a comment\n\n{text}\n")
    with pytest.raises(InvalidInputError, match=r"dtls\.keys: line 3: not a line of a key log"):
        master_secrets(path)


def test_a_key_log_is_read(tmp_path):
    path = tmp_path / "dtls.keys"
    path.write_text("CLIENT_RANDOM 0102 0304\nSERVER_TRAFFIC_SECRET_0 05 06\n")
    assert master_secrets(path) == {b"\x01\x02": b"\x03\x04"}
