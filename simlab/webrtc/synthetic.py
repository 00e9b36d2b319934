"""A microphone that is a tone: media made of nothing."""

from collections.abc import Callable, Collection

from simlab.webrtc.media import Source


class SyntheticMedia:
    """Media that need no device.

    Parameters
    ----------
    kinds
        Which there are at all: ``"audio"``, ``"video"``; none makes a session of messages only.
    sent
        Called for each frame that is handed to the newest connection, with its kind.
    """

    supports_screen_share = False
    is_sharing_screen = False

    def __init__(
        self, kinds: Collection[str] = ("audio", "video"), sent: Callable[[str], None] = lambda _: None
    ) -> None:
        self.is_mic_enabled = False
        self.is_cam_enabled = False
        self._kinds = tuple(kinds)
        self._sent = sent
        self._sources: dict[str, Source] = {}
        self._replaced: Callable[[str], None] = lambda _: None

    @property
    def has_media(self) -> bool:
        """Whether there is anything to send, ever."""
        return bool(self._kinds)

    def begin(self, mic: bool, cam: bool, replaced: Callable[[str], None]) -> None:
        """Take in what the client wants at first."""
        self.is_mic_enabled = mic and "audio" in self._kinds
        self.is_cam_enabled = cam and "video" in self._kinds
        self._replaced = replaced

    async def initialize(self) -> Collection[str]:
        """Get the devices: there is nothing to get."""
        names = {"audio": "mic", "video": "cam"}
        return [names[kind] for kind in self._kinds]

    async def connect(self) -> None:
        """Make a microphone, and a camera if it is on."""
        if "audio" in self._kinds:
            self._sources["audio"] = self._new("audio")

    async def disconnect(self) -> None:
        """End both."""
        for source in self._sources.values():
            source.stop()

    def source(self, kind: str) -> Source | None:
        """Return what is to be sent."""
        return self._sources.get(kind)

    def enable_mic(self, enable: bool) -> None:
        """Let the microphone send its tone, or silence."""
        self.is_mic_enabled = enable

    def enable_cam(self, enable: bool) -> None:
        """Let the camera send its picture, or a black one."""
        self.is_cam_enabled = enable

    def enable_screen_share(self, enable: bool) -> None:
        """Do nothing, since there is no screen."""

    def _new(self, kind: str) -> Source:
        return Source(lambda: self._sent(kind), lambda: self.is_mic_enabled)
