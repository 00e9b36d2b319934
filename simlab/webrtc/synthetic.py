"""Media without devices: a tone and a test picture, a file, or none."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from simlab.webrtc.clips import TEST_PICTURE, TONE, Clip
from simlab.webrtc.files import clips_of_file
from simlab.webrtc.media import Source


def _ignore(_: str) -> None:
    return None


class ClipMedia:
    """Media that play clips in a loop.

    A microphone that is off sends silence; a camera that is off sends nothing.

    Parameters
    ----------
    clips
        By kind: ``"audio"``, ``"video"``, ``"screen"``.
    sent
        Called with the kind of each frame that is handed to the newest connection.
    """

    is_sharing_screen = False
    is_mic_enabled = False
    is_cam_enabled = False

    def __init__(self, clips: Mapping[str, Clip], sent: Callable[[str], None] = _ignore) -> None:
        self._clips = dict(clips)
        self._sent = sent
        self._sources: dict[str, Source] = {}
        self._replaced: Callable[[str], None] = _ignore

    @property
    def has_media(self) -> bool:
        """Whether there is anything to send, ever."""
        return bool(self._clips)

    @property
    def supports_screen_share(self) -> bool:
        """Whether there is a screen."""
        return "screen" in self._clips

    def begin(self, mic: bool, cam: bool, replaced: Callable[[str], None]) -> None:
        """Take in what is on at first."""
        self.is_mic_enabled = mic and "audio" in self._clips
        self.is_cam_enabled = cam and "video" in self._clips
        self._replaced = replaced

    async def initialize(self) -> Collection[str]:
        """Get the microphone, and the camera if it is on."""
        mic, cam = "audio" in self._clips, self.is_cam_enabled
        return [device for device, got in (("mic", mic), ("cam", cam)) if got]

    async def connect(self) -> None:
        """Make the microphone, and the camera and the screen if they are on."""
        on = {"audio": True, "video": self.is_cam_enabled, "screen": self.is_sharing_screen}
        self._sources = {kind: self._new(kind) for kind in self._clips if on[kind]}

    async def disconnect(self) -> None:
        """End them."""
        for source in self._sources.values():
            source.stop()

    def source(self, kind: str) -> Source | None:
        """Return what is to be sent."""
        return self._sources.get(kind)

    def enable_mic(self, enable: bool) -> None:
        """Let the microphone send its sound, or silence."""
        self.is_mic_enabled = enable and "audio" in self._clips

    def enable_cam(self, enable: bool) -> None:
        """Let the camera send its picture, or nothing."""
        self.is_cam_enabled = enable and "video" in self._clips
        self._switch("video", self.is_cam_enabled)

    def enable_screen_share(self, enable: bool) -> None:
        """Let the screen send its picture, or nothing."""
        self.is_sharing_screen = enable and "screen" in self._clips
        self._switch("screen", self.is_sharing_screen)

    def _switch(self, kind: str, on: bool) -> None:
        if on == (kind in self._sources):
            return
        if on:
            self._sources[kind] = self._new(kind)
        else:
            del self._sources[kind]
        self._replaced(kind)

    def _new(self, kind: str) -> Source:
        speaks = (lambda: self.is_mic_enabled) if kind == "audio" else (lambda: True)
        return Source(lambda: self._sent(kind), speaks, self._clips[kind])


class SyntheticMedia(ClipMedia):
    """A tone of 440 Hz, and a test picture, 30 times a second, that is not black and never stands still.

    Parameters
    ----------
    kinds
        Which there are at all; ``"screen"`` offers a third transceiver, for the picture of a screen.
    """

    def __init__(
        self, kinds: Collection[str] = ("audio", "video"), sent: Callable[[str], None] = _ignore
    ) -> None:
        all_clips = {"audio": TONE, "video": TEST_PICTURE, "screen": TEST_PICTURE}
        super().__init__({kind: clip for kind, clip in all_clips.items() if kind in kinds}, sent)


class FileMedia(ClipMedia):
    """The sound and the picture of a file, whatever PyAV can read, over and over.

    Raises
    ------
    InvalidInputError
        If it can't be read, or has neither sound nor picture.
    """

    def __init__(self, path: str | Path, sent: Callable[[str], None] = _ignore) -> None:
        super().__init__(clips_of_file(str(path)), sent)


class NoMedia(ClipMedia):
    """Nothing to send: a session of messages only."""

    def __init__(self) -> None:
        super().__init__({})
