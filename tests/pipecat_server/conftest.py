"""The virtual world of tests/webrtc."""

from tests.webrtc.conftest import record, run, world

__all__ = ["record", "run", "world"]
