"""The virtual clock: the real aiortc stack in one process, in no time, the same bytes from the same seed."""

from simlab.webrtc.later import import_aiortc

import_aiortc()
