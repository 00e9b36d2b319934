"""The tone and the silence in Opus, kept as files: sent and heard without an encoder and a decoder.

``make opus-packets`` writes the files; ``tests/webrtc/test_kept_sound.py`` compares what is heard with what
a decoder gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PACKET_BYTES = 80
FOLDER = Path(__file__).parent / "opus"


@cache
def kept_packets(name: str) -> tuple[bytes, ...]:
    """Return a second of ``"tone"`` or ``"silence"``: 50 packets of 80 bytes."""
    data = (FOLDER / f"{name}.packets").read_bytes()
    return tuple(data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES))


@dataclass(frozen=True, slots=True)
class Heard:
    """What stands in for a decoded frame of 20 ms.

    Parameters
    ----------
    is_audible
        Whether it is more than silence.
    """

    is_audible: bool


_SOUND, _SILENCE = Heard(True), Heard(False)


class KeptSoundDecoder:
    """Stand in for aiortc's Opus decoder where nothing but the tone and the silence comes.

    A frame of the tone is audible whatever was lost before it. So is the silence just after one, as a decoder
    goes over from the one to the other within it; but not after the tone's last frame, which fades out.
    """

    def __init__(self) -> None:
        self._lingers = False

    def decode(self, encoded: Any) -> list[Heard]:
        """Return what is heard.

        Raises
        ------
        KeyError
            If it is neither the tone nor the silence.
        """
        is_tone, lingers = _sounds()[encoded.data]
        heard = _SOUND if is_tone or self._lingers else _SILENCE
        self._lingers = lingers
        return [heard]


@cache
def _sounds() -> Mapping[bytes, tuple[bool, bool]]:
    """Return for each packet whether it is of the tone, and whether silence after it is audible."""
    *tone, last = kept_packets("tone")
    return {
        **dict.fromkeys(kept_packets("silence"), (False, False)),
        **dict.fromkeys(tone, (True, True)),
        last: (True, False),
    }
