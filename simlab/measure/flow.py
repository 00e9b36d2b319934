"""A synthetic flow, much like a call's, for driving a link without peers."""

from collections.abc import Iterator
from itertools import accumulate, chain
from operator import itemgetter

from simlab.core.packet import Direction
from simlab.core.rng import stream

_AUDIO_EVERY_S, _AUDIO = 0.02, bytes([0x80, 111]) + bytes(114)
_FRAME_EVERY_S, _FRAGMENT_BYTES, _FRAME_BYTES = 1 / 15, 1200, 2400
_MESSAGE_EVERY_S, _MESSAGE = 0.1, bytes([23, 254, 253]) + bytes(107)
_REPORT_EVERY_S, _REPORT = 1.0, bytes([0x80, 200]) + bytes(72)
_CHECK_EVERY_S, _CHECK = 5.0, bytes([0, 1, 0, 88, 0x21, 0x12, 0xA4, 0x42]) + bytes(100)

Sent = tuple[float, bytes]


def flow(seed: int, direction: Direction, duration_s: float) -> Iterator[Sent]:
    """Yield the time and the payload of each packet, in order of time.

    Voice every 20 ms, video of 15 frames a second and some 300 kbit/s in fragments of 1200 bytes at most,
    messages every 100 ms, reports every 0.5-1.5 s and consent checks every 4-6 s, as aiortc sends them.
    """
    parts = (
        _regular(_AUDIO_EVERY_S, _AUDIO, duration_s),
        _video(seed, direction, duration_s),
        _regular(_MESSAGE_EVERY_S, _MESSAGE, duration_s),
        _irregular(seed, direction, "report", (_REPORT_EVERY_S, 0.5), _REPORT, duration_s),
        _irregular(seed, direction, "check", (_CHECK_EVERY_S, 0.2), _CHECK, duration_s),
    )
    return iter(sorted(chain(*parts), key=itemgetter(0)))


def _regular(every_s: float, payload: bytes, duration_s: float) -> Iterator[Sent]:
    # Multiplied, so that errors do not add up.
    return ((number * every_s, payload) for number in range(int(duration_s / every_s)))


def _irregular(
    seed: int, direction: Direction, name: str, every: tuple[float, float], payload: bytes, duration_s: float
) -> Iterator[Sent]:
    mean_s, share = every
    draws = stream(seed, "measure", direction, name)
    gaps_s = mean_s * draws.uniform(1 - share, 1 + share, int(duration_s / mean_s / (1 - share)) + 1)
    return ((at_s, payload) for at_s in accumulate(gaps_s.tolist()) if at_s < duration_s)


def _video(seed: int, direction: Direction, duration_s: float) -> Iterator[Sent]:
    frames = int(duration_s / _FRAME_EVERY_S)
    # Log-normal, as sizes of frames are more or less; its mean is e^(s²/2) = 1.05 medians with s = 0.3.
    sizes = _FRAME_BYTES * stream(seed, "measure", direction, "video").lognormal(0.0, 0.3, frames)
    for number, size_bytes in enumerate(sizes.astype(int).tolist()):
        for start in range(0, size_bytes, _FRAGMENT_BYTES):
            length = max(min(_FRAGMENT_BYTES, size_bytes - start), 12)
            yield number * _FRAME_EVERY_S, bytes([0x80, 96]) + bytes(length - 2)
