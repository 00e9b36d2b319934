"""Count the sound that code sends and takes, frame by frame, on tracks that know nothing of simlab."""

from collections.abc import Callable
from typing import Any

from aiortc import MediaStreamTrack
from av import AudioFrame

from simlab.own_server.uncaught import uncaught_told
from simlab.webrtc.media import is_audible
from simlab.webrtc.quiet import Quiet

_FRAME_S = 0.02  # what a session counts media in


def count_spoken(track: Any, spoken: Callable[[], None], quiet: Callable[[], Quiet | None]) -> None:
    """Call ``spoken`` for every 20 ms of sound that are taken from a track to be sent.

    What a track raises, of sound or of pictures, is told: aiortc sends no more of it without a word.

    Parameters
    ----------
    quiet
        Returns who is told of each frame whether it can be heard, if anybody.
    """
    if not isinstance(track, MediaStreamTrack) or hasattr(track, "_simlab_counted"):
        return
    track._simlab_counted = True  # type: ignore[attr-defined]
    receive, spoken_s = track.recv, 0.0

    async def receive_and_tell() -> Any:
        with uncaught_told(f"the {track.kind} track that is sent"):
            return await receive()

    async def receive_and_count() -> Any:
        nonlocal spoken_s
        frame = await receive_and_tell()
        told = quiet()
        if told is not None:
            told.sent(not isinstance(frame, AudioFrame) or is_audible(frame))
        spoken_s += getattr(frame, "samples", 0) / (getattr(frame, "sample_rate", 0) or 1)
        while spoken_s >= _FRAME_S - 1e-9:
            spoken_s -= _FRAME_S
            spoken()
        return frame

    track.recv = receive_and_count if track.kind == "audio" else receive_and_tell  # type: ignore[method-assign]


def count_heard(track: Any, heard: Callable[[], None]) -> None:
    """Call ``heard`` for each audible frame that is taken from a track that is received."""
    if track.kind != "audio":
        return
    receive = track.recv

    async def receive_and_count() -> Any:
        frame = await receive()
        if is_audible(frame):
            heard()
        return frame

    track.recv = receive_and_count
