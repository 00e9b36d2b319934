"""Write the tone and the silence in Opus into the package: ``make opus-packets``."""

from simlab.webrtc.clips import SILENCE, TONE
from simlab.webrtc.encoders import encode_loop
from simlab.webrtc.kept_sound import FOLDER

CLIPS = {"tone": TONE, "silence": SILENCE}


def encoded(name):
    """Return the packets that the encoder makes now."""
    return encode_loop(list(CLIPS[name].frames()), "opus")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in CLIPS:
        (FOLDER / f"{name}.packets").write_bytes(b"".join(encoded(name)))
