from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simlab.core.impair import HEADER_BYTES, RateSpec, RateStage
from tests.core.passing import transit

# 72 bytes of payload and 28 of headers make 100 on the wire: 0.1 s at 1000 bytes/s.
PAYLOAD = bytes(72)


def due(stage, seq, at_s, payload=PAYLOAD):
    out = stage.apply(transit(seq, at_s, payload))
    return out[0].due_s if out else None


def test_headers_count():
    stage = RateStage(RateSpec(1000.0, 0))
    assert due(stage, 0, 5.0, b"") == 5.0 + HEADER_BYTES / 1000


def test_packets_are_sent_one_after_the_other():
    stage = RateStage(RateSpec(800.0, 1000))  # 0.125 s each
    assert [due(stage, n, 1.0) for n in range(4)] == [1.125, 1.25, 1.375, 1.5]
    assert due(stage, 4, 1.5) == 1.625  # idle again exactly then
    assert due(stage, 5, 2.0) == 2.125


def test_drop_tail_does_not_count_the_packet_in_service():
    stage = RateStage(RateSpec(800.0, 200))
    assert [due(stage, n, 0.0) for n in range(5)] == [0.125, 0.25, 0.375, None, None]
    assert stage.waiting_bytes == 200
    # At 0.125 the second packet is being sent, and room is left for one.
    assert due(stage, 5, 0.125) == 0.5
    assert due(stage, 6, 0.125) is None
    assert stage.name == "queue"


def test_no_queue_means_one_at_a_time():
    stage = RateStage(RateSpec(800.0, 0))
    assert [due(stage, n, at_s) for n, at_s in enumerate([0.0, 0.0625, 0.125])] == [0.125, None, 0.25]


def test_a_small_packet_fits_where_a_large_one_does_not():
    stage = RateStage(RateSpec(1000.0, 50))
    assert due(stage, 0, 0.0) == 0.1
    assert due(stage, 1, 0.0) is None
    assert due(stage, 2, 0.0, bytes(22)) == 0.1 + 0.05


def test_throughput_is_the_rate():
    # 1000 packets of 0.125 s, one each 0.09375 s: 4/3 of the rate, for 93.75 s.
    stage = RateStage(RateSpec(800.0, 500))
    sent_s = [d for d in (due(stage, n, n * 0.09375) for n in range(1000)) if d is not None]
    assert {later - sooner for sooner, later in pairwise(sent_s)} == {0.125}
    assert sum(d <= 93.75 for d in sent_s) == 750
    # Five are left at 93.75 s: the one that is then being sent, and four behind it.
    assert (len(sent_s), sent_s[-1]) == (755, 94.375)


@given(
    st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 1400)), max_size=60),
    st.floats(100, 1e6),
    st.integers(0, 5000),
)
def test_never_faster_than_the_rate_and_never_more_than_the_queue(offers, rate_bytes_per_s, queue_bytes):
    stage = RateStage(RateSpec(rate_bytes_per_s, queue_bytes))
    now_s, last_s = 0.0, 0.0
    for seq, (wait_s, size) in enumerate(offers):
        now_s += wait_s
        due_s = due(stage, seq, now_s, bytes(size))
        assert 0 <= stage.waiting_bytes <= queue_bytes
        if due_s is None:
            continue
        service_s = (size + HEADER_BYTES) / rate_bytes_per_s
        assert due_s == max(now_s, last_s) + service_s
        # What waits plus what is being sent (1428 bytes at most) bounds the delay.
        assert due_s - now_s <= (queue_bytes + 1428 + 1428) / rate_bytes_per_s + 1e-9
        last_s = due_s
