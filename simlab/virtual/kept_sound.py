"""Do without encoders and decoders of sound in sessions in which all of it is known."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from aiortc import rtcrtpsender
from aiortc.codecs import get_decoder, get_encoder

from simlab.profile.scenario import Scenario
from simlab.virtual import decoding
from simlab.virtual.replace import replaced
from simlab.webrtc.kept_sound import KeptSoundDecoder

_OPUS = "audio/opus"


def is_kept(scenario: Scenario) -> bool:
    """Tell whether all sound of a session is the tone and the silence, in Opus, of simlab's own peers."""
    profile = scenario.profile
    return (
        profile.peers.client == profile.peers.server == "builtin"
        and profile.bot.voice == "tone"
        and profile.client.audio_codec in (None, "opus")
    )


class _Packer:
    """Stand in for aiortc's Opus encoder: what comes is encoded."""

    def pack(self, packet: Any) -> tuple[list[bytes], int]:
        return [packet.data], packet.pts  # in ticks of 48 kHz, which are those of Opus, too


def _encoder(codec: Any) -> Any:
    return _Packer() if codec.mimeType.lower() == _OPUS else get_encoder(codec)


def _decoder(codec: Any) -> Any:
    return KeptSoundDecoder() if codec.mimeType.lower() == _OPUS else get_decoder(codec)


@contextmanager
def kept_sound() -> Iterator[None]:
    """Send and hear the tone and the silence, and no other sound, for as long as the context lasts."""
    with ExitStack() as stack:
        stack.enter_context(replaced(rtcrtpsender, "get_encoder", _encoder))
        stack.enter_context(replaced(decoding, "get_decoder", _decoder))
        yield
