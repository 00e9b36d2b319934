"""Encode pictures on one thread.

Encoders cut a picture up among threads, and have as many as there are processors: so its size would differ.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiortc.codecs import h264, vpx

from simlab.virtual.replace import replaced
from simlab.webrtc.later import av


class _CodecContext:
    """Stand in for PyAV's class, of whose contexts x264 takes as many threads as there are processors."""

    @staticmethod
    def create(name: str, mode: str) -> Any:
        codec_context: Any = av.CodecContext
        made = codec_context.create(name, mode)
        made.thread_count = 1
        return made


class _AvModule:
    CodecContext = _CodecContext

    def __getattr__(self, name: str) -> Any:
        return getattr(av, name)


@contextmanager
def encoding_on_one_thread() -> Iterator[None]:
    """Let aiortc's encoders of H.264 and VP8 know of one processor alone for as long as the context lasts."""
    with (
        replaced(h264, "av", _AvModule()),
        replaced(vpx, "number_of_threads", lambda pixels, cpus: 1),
    ):
        yield
