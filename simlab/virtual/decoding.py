"""Decode received media at once, in the loop, instead of in a thread for each receiver."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import aiortc.rtcrtpreceiver as receiver
from aiortc.codecs import get_decoder

from simlab.virtual.replace import replaced
from simlab.webrtc.later import av

logger = logging.getLogger(__name__)


class _Decoder:
    """Stand in for the queue to a decoder thread: what is put in is decoded at once.

    The frames would otherwise differ in number and time from run to run.
    """

    def __init__(self) -> None:
        self._frames: Any = None
        self._failed: Any = None
        self._decoder: Any = None
        self._codec: Any = None
        self._codec_name = ""

    def attach(self, frames: Any, failed: Any) -> None:
        """Say where decoded frames go, and what to set when decoding fails."""
        self._frames, self._failed = frames, failed

    def put(self, task: Any) -> None:
        """Decode an encoded frame, or end the track."""
        if self._frames is None:
            return
        if task is None:
            self._frames.put_nowait(None)
            return
        codec, encoded = task
        if codec is not self._codec:
            if codec.name != self._codec_name:
                self._decoder, self._codec_name = get_decoder(codec), codec.name
            self._codec = codec
        try:
            for frame in self._decoder.decode(encoded):
                self._frames.put_nowait(frame)
        except av.FFmpegError as error:
            logger.debug("could not decode a frame: %s", error)
            self._failed.set()


class _DecoderThread:
    """Stand in for the thread: it has nothing to do."""

    def __init__(self, *, args: tuple[Any, ...], **_: Any) -> None:
        _, self._decoder, self._frames, self._failed = args

    def start(self) -> None:
        self._decoder.attach(self._frames, self._failed)

    def join(self) -> None:
        return None


class _QueueModule:
    Queue = _Decoder


class _ThreadingModule:
    Thread = _DecoderThread
    Event = threading.Event


@contextmanager
def inline_decoding() -> Iterator[None]:
    """Decode inline for as long as the context lasts."""
    with ExitStack() as stack:
        stack.enter_context(replaced(receiver, "queue", _QueueModule))
        stack.enter_context(replaced(receiver, "threading", _ThreadingModule))
        yield
