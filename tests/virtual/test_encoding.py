"""What a picture is encoded to, whatever the number of processors."""

import fractions
import multiprocessing
import os

import av
import numpy as np
import pytest
from aiortc.codecs import h264, vpx

from simlab.virtual.encoding import encoding_on_one_thread
from simlab.virtual.world import virtual_world

WIDTH, HEIGHT, PICTURES = 704, 512, 3  # from 640 x 480 on, VP8 has threads


def encoded_sizes(encoder):
    noise = np.random.default_rng(1).integers(0, 128, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    sizes_bytes = []
    for number in range(PICTURES):
        frame = av.VideoFrame.from_ndarray(np.roll(noise, 3 * number, axis=1), format="rgb24")
        frame.pts, frame.time_base = 3000 * number, fractions.Fraction(1, 90_000)
        sizes_bytes.append([len(payload) for payload in encoder.encode(frame)[0]])
    return sizes_bytes, encoder.codec.thread_count


@pytest.mark.parametrize("encoder", [vpx.Vp8Encoder, h264.H264Encoder])
def test_pictures_are_encoded_alike_on_any_number_of_processors(encoder, monkeypatch):
    found = []
    for processors in (1, 16):
        monkeypatch.setattr(multiprocessing, "cpu_count", lambda number=processors: number)
        with virtual_world(1):
            found.append(encoded_sizes(encoder()))
    assert found[0] == found[1]
    assert found[0][1] == 1


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2, reason="wants two processors"
)
def test_x264_does_not_ask_how_many_processors_it_may_use():
    allowed = os.sched_getaffinity(0)
    found = []
    try:
        for processors in ({min(allowed)}, allowed):
            os.sched_setaffinity(0, processors)
            with encoding_on_one_thread():
                found.append(encoded_sizes(h264.H264Encoder()))
    finally:
        os.sched_setaffinity(0, allowed)
    assert found[0] == found[1]
