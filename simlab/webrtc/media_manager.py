"""Who owns the client's microphone and camera."""

from collections.abc import Callable, Collection
from typing import Protocol

from simlab.webrtc.media import Source

KINDS = ("audio", "video", "screen")


class MediaManager(Protocol):
    """What the client asks of whoever gives it media.

    Any object with these members will do. Kinds are ``"audio"``, ``"video"`` and ``"screen"``.
    """

    is_sharing_screen: bool
    is_mic_enabled: bool
    is_cam_enabled: bool

    @property
    def supports_screen_share(self) -> bool:
        """Whether offers have a third transceiver, for the picture of a screen."""

    @property
    def has_media(self) -> bool:
        """Whether there is anything to send, ever; if not, offers say so, and neither side sends any."""

    def begin(self, mic: bool, cam: bool, replaced: Callable[[str], None]) -> None:
        """Take in what is on at first, and whom to call when the source of a kind is another one."""

    async def initialize(self) -> Collection[str]:
        """Get the devices, and return which: ``"mic"``, ``"cam"``."""

    async def connect(self) -> None:
        """Make the sources ready to be sent."""

    async def disconnect(self) -> None:
        """Let go of the sources."""

    def source(self, kind: str) -> Source | None:
        """Return what is to be sent of a kind; None for nothing."""

    def enable_mic(self, enable: bool) -> None:
        """Switch the microphone on or off."""

    def enable_cam(self, enable: bool) -> None:
        """Switch the camera on or off."""

    def enable_screen_share(self, enable: bool) -> None:
        """Begin or end to share the screen."""
