"""Loss and jitter of RTP streams, against a second method."""

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.rtp import RTP

from simlab.capture.streams import RtpStream


def stream_of(packets, rate_hz=48000):
    stream = RtpStream(96)
    for number, at_s in packets:
        stream.take(RTP(sequence=number % 2**16, timestamp=number * rate_hz // 50 % 2**32), at_s, 100)
    return stream


def test_a_whole_stream_has_no_jitter_and_misses_nothing_though_its_numbers_start_over():
    stream = stream_of([(65500 + n, n * 0.02) for n in range(100)])
    found = stream.summary()
    assert (found["expected"], found["missing"], found["duplicated"]) == (100, 0, 0)
    assert found["clock_hz"] == 48000
    assert found["jitter_s"] == 0


def test_what_is_missing_late_or_double_is_counted():
    numbers = [0, 1, 3, 2, 2, 6]
    found = stream_of([(number, index * 0.02) for index, number in enumerate(numbers)]).summary()
    assert (found["packets"], found["expected"], found["missing"], found["duplicated"]) == (6, 7, 2, 1)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=50))
def test_the_jitter_is_that_of_the_integer_algorithm(delays_ms):
    """Source: the code of RFC 3550 appendix A.8, which keeps 16 times the jitter, in units of the clock."""
    rate_hz = 8000
    arrivals = [(n, (20 * n + delay) / 1000) for n, delay in enumerate(delays_ms)]
    transit, scaled = None, 0.0
    for number, at_s in arrivals:
        here = at_s * rate_hz - number * rate_hz // 50
        if transit is not None:
            scaled += abs(here - transit) - scaled / 16
        transit = here
    stream = stream_of(arrivals, rate_hz)
    assert abs(stream.jitter_s(rate_hz) - scaled / 16 / rate_hz) < 1e-9
