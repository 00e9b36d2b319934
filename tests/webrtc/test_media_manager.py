"""Where media come from, and that they arrive as what they are."""

import asyncio
import itertools
import wave
from fractions import Fraction

import av
import numpy as np
import pytest

from simlab.core.errors import InvalidInputError
from simlab.webrtc.clips import BLACK, TEST_PICTURE, TONE, bar_of, is_audible
from simlab.webrtc.synthetic import FileMedia, NoMedia, SyntheticMedia
from tests.webrtc.clients import Log, bot_server, client

DECODERS = {
    "VP8": "libvpx",
    "H264": "h264",
    "opus": "libopus",
    "PCMU": "pcm_mulaw",
    "PCMA": "pcm_alaw",
    "G722": "g722",
}


def decoded(clip, codec):
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    if clip.kind == "audio":
        rate_hz = {"opus": 48000, "G722": 16000}.get(codec, 8000)
        decoder.sample_rate, decoder.layout, decoder.format = rate_hz, "mono", "s16"
    frames = [frame for data in clip.encoded(codec) for frame in decoder.decode(av.Packet(data))]
    return frames + list(decoder.decode(None))


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_the_test_picture_moves_and_black_is_black(codec):
    assert [bar_of(frame) for frame in decoded(TEST_PICTURE, codec)] == list(range(30))
    assert {bar_of(frame) for frame in decoded(BLACK, codec)} == {None}


def test_a_frozen_picture_always_shows_the_same():
    first = decoded(TEST_PICTURE, "VP8")[0]
    assert {bar_of(first) for _ in range(30)} == {0}


def test_the_test_picture_begins_with_its_one_key_frame_and_needs_about_300_kbit_s():
    data = TEST_PICTURE.encoded("VP8")
    # The first bit of a VP8 frame is 0 in a key frame alone (RFC 6386, section 9.1).
    assert [n for n, frame in enumerate(data) if not frame[0] & 1] == [0]
    assert 200_000 < 8 * sum(map(len, data)) < 400_000


@pytest.mark.parametrize(("codec", "size"), [("opus", 80), ("PCMU", 160), ("PCMA", 160), ("G722", 160)])
def test_the_tone_is_50_frames_of_one_size_in_every_codec(codec, size):
    assert [len(frame) for frame in TONE.encoded(codec)] == [size] * 50


def wav_file(path, seconds, amplitude, rate_hz=16000):
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((amplitude * np.sin(2 * np.pi * 300 * at)).astype("<i2").tobytes())
    return path


def video_file(path, pictures):
    """Write pictures of the test picture's shape at 15 a second, whatever the codec of the container is."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=15)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number, frame in enumerate(pictures):
            frame.pts, frame.time_base = number, Fraction(1, 15)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_wav_file_is_resampled_and_cut_into_frames(tmp_path):
    media = FileMedia(wav_file(tmp_path / "sound.wav", 0.505, 9000))
    media.begin(True, True, lambda _: None)
    asyncio.run(media.connect())
    assert list(media._sources) == ["audio"]
    frames = decoded(media.source("audio").clip, "PCMU")
    assert len(frames) == 26  # 0.505 s; the last frame is filled up with silence
    assert all(is_audible(frame) for frame in frames[:-1])


def test_a_video_file_is_played_30_times_a_second(tmp_path):
    path = video_file(tmp_path / "video.mp4", TEST_PICTURE.frames())
    media = FileMedia(path)
    media.begin(True, True, lambda _: None)
    asyncio.run(media.connect())
    assert list(media._sources) == ["video"]
    bars = [bar_of(frame) for frame in decoded(media.source("video").clip, "VP8")]
    # 30 pictures at 15 a second: each is shown twice, the last one once.
    assert bars == [n for n in range(30) for _ in range(2)][:-1]


@pytest.mark.parametrize("content", [None, b"", b"not a video", b"RIFF\x00\x00\x00\x00WAVE"])
def test_a_file_that_can_not_be_played_is_named(tmp_path, content):
    path = tmp_path / "broken.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"broken\.wav"):
        FileMedia(path)


def received(run, kind, media, seconds=2.0, decode=True, before=lambda transport: None):
    """Return the frames of a kind that the server gets within some seconds, with their times."""

    async def play():
        frames = []

        async def read(connection):
            track = connection.track(0 if kind == "audio" else 1)
            while True:
                frame = await track.recv()
                if frame is not None:
                    frames.append((asyncio.get_running_loop().time(), frame))
                else:  # the camera is off
                    await asyncio.sleep(0.01)

        async with bot_server(connected=read), client(media_manager=media, enable_cam=True) as transport:
            before(transport)
            await transport.connect()
            since_s = asyncio.get_running_loop().time()
            await asyncio.sleep(seconds)
            return [(at_s - since_s, frame) for at_s, frame in frames]

    return run(play())


def test_the_camera_arrives_as_the_picture_that_moves(run):
    frames = received(run, "video", SyntheticMedia(), seconds=3.0)
    bars = [bar_of(frame) for _, frame in frames]
    assert len(bars) > 80
    assert all(later == (earlier + 1) % 30 for earlier, later in itertools.pairwise(bars))


def test_a_video_file_arrives(run, tmp_path):
    media = FileMedia(video_file(tmp_path / "video.mp4", TEST_PICTURE.frames()))
    bars = {bar_of(frame) for _, frame in received(run, "video", media, seconds=3.0)}
    assert bars >= set(range(30))


def test_a_wav_file_arrives(run, tmp_path):
    media = FileMedia(wav_file(tmp_path / "sound.wav", 1, 9000))
    heard = [is_audible(frame) for _, frame in received(run, "audio", media)]
    assert len(heard) > 80
    assert all(heard[5:])


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_no_media_sends_nothing(run, kind):
    assert received(run, kind, NoMedia()) == []


def test_a_microphone_that_is_off_is_silent_and_a_camera_that_is_off_sends_nothing(run):
    def off(transport):
        asyncio.get_running_loop().call_later(1.0, transport.enable_mic, False)
        asyncio.get_running_loop().call_later(1.0, transport.enable_cam, False)

    # Heard until 1 s, and what the jitter buffer holds: 4 frames of 20 ms.
    heard_s = [
        at_s for at_s, frame in received(run, "audio", SyntheticMedia(), before=off) if is_audible(frame)
    ]
    assert 0.9 < max(heard_s) < 1.1
    seen_s = [at_s for at_s, _ in received(run, "video", SyntheticMedia(), before=off)]
    assert 0.9 < max(seen_s) < 1.1


def test_a_camera_that_is_switched_on_later_begins_with_a_key_frame(run):
    def on(transport):
        transport.enable_cam(False)
        asyncio.get_running_loop().call_later(1.5, transport.enable_cam, True)

    frames = received(run, "video", SyntheticMedia(), before=on)
    assert 1.4 < frames[0][0] < 1.6
    assert bar_of(frames[0][1]) == 0


def test_a_screen_has_a_transceiver_of_its_own(run):
    log = Log()

    async def play():
        media = SyntheticMedia(("audio", "video", "screen"))
        async with bot_server() as connections, client(log, media_manager=media) as transport:
            await transport.connect()
            transport.enable_screen_share(True)
            await asyncio.sleep(1)
            directions = [t.currentDirection for t in connections[0].pc.getTransceivers()]
            return directions, transport.is_sharing_screen, connections[0].is_enabled(2)

    assert run(play()) == (["sendrecv", "sendrecv", "recvonly"], True, True)
    assert "unsupported_feature" not in log.names()
