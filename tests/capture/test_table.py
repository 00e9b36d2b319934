"""The table of a capture's packets."""

from simlab.capture.pcapng import CaptureFile
from simlab.capture.records import (
    CLIENT_SIDE,
    INSIDE_DOWN,
    MOST_PACKETS,
    SERVER_SIDE,
    Record,
)
from simlab.capture.table import table

CLIENT, SERVER = ("10.0.1.2", 20000), ("10.0.2.2", 443)
SECOND = ("fd00::1", 5), ("fd00::2", 6)
RTP, STUN = b"\x80\x60" + bytes(30), bytes.fromhex("000100002112a442") + bytes(12)
EPOCH_NS = 1_750_000_000_123_456_789
DOWN, SECOND_UP = MOST_PACKETS, 2 * MOST_PACKETS
RECORDS = [
    Record(CLIENT_SIDE, True, 0.000000001, CLIENT, SERVER, RTP, (), 0),
    Record(CLIENT_SIDE, True, 0.01, CLIENT, SERVER, STUN, ("dropped: loss",), 1),
    Record(SERVER_SIDE, True, 0.02, SERVER, CLIENT, RTP, (), DOWN),
    Record(CLIENT_SIDE, True, 0.03, *SECOND, RTP, (), SECOND_UP),
    Record(SERVER_SIDE, False, 0.04, CLIENT, SERVER, RTP, (), 0),
    Record(SERVER_SIDE, False, 0.05, CLIENT, SERVER, b"\x17\xfe", ("injected: alert",), 0),
    Record(SERVER_SIDE, False, 0.06, CLIENT, SERVER, RTP[:-1] + b"!", (), 0),
    Record(INSIDE_DOWN, False, 0.07, SERVER, CLIENT, RTP, ("dropped: nat",), DOWN),
    Record(CLIENT_SIDE, True, 0.08, CLIENT, SERVER, b"", ("dropped: loss", "dropped: queue"), 2),
    Record(CLIENT_SIDE, True, 0.09, CLIENT, SERVER, RTP, ("dropped: relay",)),
]
HERE, THERE = "10.0.1.2:20000", "10.0.2.2:443"
ROWS = [
    (1, "up", 0, 1e-9, 0.04, "rtp", 32, 2, True, None, None, None, HERE, THERE),
    (1, "up", 1, 0.01, None, "stun.request", 20, 0, None, "loss", 0.01, None, HERE, THERE),
    (1, "down", 0, 0.02, None, "rtp", 32, 0, None, "nat", 0.07, None, THERE, HERE),
    (2, "up", 0, 0.03, None, "rtp", 32, 0, None, None, None, None, "[fd00::1]:5", "[fd00::2]:6"),
    (1, "up", 0, None, 0.05, "dtls.data", 2, 1, None, None, None, "alert", HERE, THERE),
    (1, "up", 2, 0.08, None, "other", 0, 0, None, "loss,queue", 0.08, None, HERE, THERE),
]


def written(path, records=RECORDS):
    file = CaptureFile(path)
    file.begin(EPOCH_NS)
    file.write_all(records)
    file.finish(1.0, 0)
    return path


def test_each_packet_of_a_link_has_a_row_of_what_became_of_it(tmp_path):
    found = table(written(tmp_path / "c.pcapng"))
    assert found.columns == [
        "client_id",
        "direction",
        "seq",
        "sent_s",
        "delivered_s",
        "class",
        "size",
        "copies",
        "damaged",
        "cause",
        "dropped_s",
        "injected",
        "source",
        "destination",
    ]
    assert found.rows() == ROWS


def test_a_capture_without_packets_has_the_same_columns_and_types(tmp_path):
    empty = table(written(tmp_path / "none.pcapng", []))
    assert empty.height == 0
    assert empty.schema == table(written(tmp_path / "c.pcapng")).schema


def test_a_file_that_breaks_off_anywhere_has_the_packets_before(tmp_path):
    path = written(tmp_path / "c.pcapng", RECORDS[:4])
    content, rows = path.read_bytes(), table(path).rows()
    found = []
    for size in range(0, len(content), 4):
        path.write_bytes(content[:size])
        found.append(table(path).rows())
    assert all(some == rows[: len(some)] for some in found)
    assert sorted({len(some) for some in found}) == [0, 1, 2, 3, 4]
