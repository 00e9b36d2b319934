"""What a packet is, compiled."""

from typing import Any

import numpy as np

from simlab.live.udp.compiled.compiling import part


@part
def kind_of(payload: Any, size: int) -> int:
    """Return the place in ``KINDS`` of what ``simlab.core.packet.classify`` says."""
    if size == 0:
        return 10
    first = payload[0]
    if 128 <= first <= 191:
        return 9 if size > 1 and 192 <= payload[1] <= 223 else 8
    if 20 <= first <= 63:
        return 7 if first == 23 or first >= 32 else 6
    if first <= 3:
        if size < 20 or not (
            payload[4] == 0x21 and payload[5] == 0x12 and payload[6] == 0xA4 and payload[7] == 0x42
        ):
            return 10
        kind = np.int64(first) << 8 | np.int64(payload[1])
        method = (kind & 0x000F) | (kind & 0x00E0) >> 1 | (kind & 0x3E00) >> 2
        if method != 1:
            return 4
        code = (kind & 0x0100) >> 7 | (kind & 0x0010) >> 4
        return 0 if code == 0 else 3 if code == 1 else 1 if code == 2 else 2
    if 16 <= first <= 19:
        return 5
    return 4 if 64 <= first <= 79 else 10
