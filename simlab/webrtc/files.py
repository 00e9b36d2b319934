"""Sound and pictures from a file, in the shape in which they are sent."""

from __future__ import annotations

import fractions
from collections.abc import Iterator
from typing import Any

import numpy as np

from simlab.core.errors import InvalidInputError
from simlab.webrtc.clips import Clip, audio_frame
from simlab.webrtc.encoders import FRAME_SAMPLES, PICTURES_PER_S, SAMPLE_RATE_HZ
from simlab.webrtc.later import av

_LONGEST_S = 600
_WIDEST = 640


def clips_of_file(path: str) -> dict[str, Clip]:
    """Return the clips of a file, by kind; it is read here, and encoded when it is first sent.

    Raises
    ------
    InvalidInputError
        If it can't be read, has neither sound nor picture, or lasts longer than 10 min.
    """
    try:
        with av.open(path) as container:
            lasts_s = (container.duration or 0) / av.time_base
            kinds = [kind for kind in ("audio", "video") if getattr(container.streams, kind)]
    except (OSError, ValueError) as error:  # PyAV's own errors are both
        raise InvalidInputError([f"{path}: can't be read as sound or video: {error}"]) from error
    if lasts_s > _LONGEST_S:
        raise InvalidInputError([f"{path}: lasts {lasts_s:.0f} s, want {_LONGEST_S} s or less"])
    frames = {"audio": _sound, "video": _pictures}
    clips = {kind: list(frames[kind](path)) for kind in kinds}
    if not any(clips.values()):
        raise InvalidInputError([f"{path}: has neither sound nor pictures"])
    return {
        kind: Clip(kind, f"{kind} of {path}", lambda found=found: found)  # type: ignore[misc]
        for kind, found in clips.items()
        if found
    }


def _decoded(path: str, kind: str) -> Iterator[Any]:
    try:
        with av.open(path) as container:
            yield from container.decode(getattr(container.streams, kind)[0])
    except (OSError, ValueError) as error:
        raise InvalidInputError([f"{path}: {error}"]) from error


def _sound(path: str) -> Iterator[av.AudioFrame]:
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE_HZ)
    pieces = [r.to_ndarray().ravel() for frame in _decoded(path, "audio") for r in resampler.resample(frame)]
    pieces += [r.to_ndarray().ravel() for r in resampler.resample(None)]
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    for number in range(-(-samples.size // FRAME_SAMPLES)):
        piece = samples[number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES]
        yield audio_frame(np.pad(piece, (0, FRAME_SAMPLES - piece.size)), number)


def _pictures(path: str) -> Iterator[av.VideoFrame]:
    """Yield 30 pictures a second, each the last one before its time."""
    number = 0
    shown: av.VideoFrame | None = None
    for frame in _decoded(path, "video"):
        while shown is not None and number / PICTURES_PER_S < float(frame.time or 0.0):
            yield _scaled(shown, number)
            number += 1
        shown = frame
    if shown is not None:
        yield _scaled(shown, number)


def _scaled(frame: av.VideoFrame, number: int) -> av.VideoFrame:
    width = min(frame.width, _WIDEST) // 2 * 2
    height = int(frame.height * width / frame.width) // 2 * 2
    scaled = frame.reformat(width, height, format="yuv420p")
    scaled.pts, scaled.time_base = number, fractions.Fraction(1, PICTURES_PER_S)
    return scaled
