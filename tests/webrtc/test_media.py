import asyncio

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from hypothesis import given
from hypothesis import strategies as st

from simlab.webrtc.media import FRAME_S, Slot, Source, is_audible, opus_frames


def decoded(packets):
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout, decoder.format = 48000, "stereo", "s16"
    return [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]


def test_a_tone_can_be_told_from_silence_after_opus():
    tone, silence = decoded(opus_frames(8000)), decoded(opus_frames(0))
    assert len(tone) == len(silence) == 50
    assert all(is_audible(frame) for frame in tone[2:])  # the decoder fades in
    assert not any(is_audible(frame) for frame in silence)


def test_every_frame_has_the_same_size():
    assert {len(frame) for frame in opus_frames(8000) + opus_frames(0)} == {80}


async def take(slot, frames):
    loop = asyncio.get_running_loop()
    return [((await slot.recv()).pts, round(loop.time(), 6)) for _ in range(frames)]


def test_a_slot_gives_a_frame_every_20_ms(run):
    async def play():
        slot = Slot("audio")
        slot.plug(Source(lambda: None))
        return await take(slot, 4)

    assert run(play()) == [(0, 0.0), (960, 0.02), (1920, 0.04), (2880, 0.06)]


def test_an_empty_slot_waits_and_starts_when_something_is_plugged_in(run):
    async def play():
        slot = Slot("audio")
        asyncio.get_running_loop().call_later(5.0, slot.plug, Source(lambda: None))
        return await take(slot, 2)

    assert run(play()) == [(0, 5.0), (960, 5.02)]


def test_a_stopped_source_ends_every_slot_that_has_it(run):
    async def play():
        source, slots = Source(lambda: None), [Slot("audio"), Slot("audio")]
        for slot in slots:
            slot.plug(source)
            await slot.recv()
        source.stop()
        for slot in slots:
            with pytest.raises(MediaStreamError):
                await slot.recv()

    run(play())


def test_unplugging_leaves_the_source_alone(run):
    async def play():
        source, slot = Source(lambda: None), Slot("audio")
        slot.plug(source)
        await slot.recv()
        slot.unplug()
        slot.stop()
        return source.ended

    assert run(play()) is False


def test_only_the_newest_connection_counts_as_sent(run):
    async def play():
        sent = []
        source = Source(lambda: sent.append(None))
        old, new = Slot("audio"), Slot("audio")
        old.plug(source)
        new.plug(source)
        await asyncio.gather(take(old, 10), take(new, 7))
        return len(sent)

    assert run(play()) == 7


def test_the_pace_does_not_drift(run):
    async def play():
        slot = Slot("audio")
        slot.plug(Source(lambda: None))
        return (await take(slot, 501))[-1]

    assert run(play()) == (500 * 960, pytest.approx(500 * FRAME_S, abs=1e-6))


@given(st.integers(0, 959), st.integers(-32768, 32767), st.integers(-600, 600))
def test_one_loud_sample_anywhere_is_heard(at, level, elsewhere):
    samples = np.full(1920, elsewhere, dtype=np.int16)
    samples[2 * at] = level
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
    assert is_audible(frame) == (max(level, elsewhere) > 500)
