"""aiortc's wall clock, which each RTP packet asks four times, straight from the virtual time, and kept."""

import datetime
from collections.abc import Callable

from aiortc import clock

from simlab.virtual.fast.piece import Piece

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NTP_EPOCH_S = -2_208_988_800  # 1900 on the scale of 1970 (RFC 5905, figure 4)


def piece(time_ns: Callable[[], int]) -> Piece:
    """Return the piece for a session.

    Parameters
    ----------
    time_ns
        Returns the virtual wall time in nanoseconds since 1970.
    """

    moment_ns, moment = -1, _EPOCH
    stamp_ns, stamp = -1, 0

    def current_datetime() -> datetime.datetime:
        nonlocal moment_ns, moment
        now_ns = time_ns()
        if now_ns != moment_ns:
            moment_ns, moment = now_ns, _EPOCH + datetime.timedelta(microseconds=now_ns // 1000)
        return moment

    def current_ntp_time() -> int:
        nonlocal stamp_ns, stamp
        now_ns = time_ns()
        if now_ns != stamp_ns:
            seconds, microseconds = divmod(now_ns // 1000, 1_000_000)
            stamp_ns, stamp = now_ns, (seconds - _NTP_EPOCH_S) << 32 | (microseconds << 32) // 1_000_000
        return stamp

    return Piece(
        "the time of RTP packets",
        ((clock, "27a9af89fb0a1597"),),
        ((clock, "current_datetime", current_datetime), (clock, "current_ntp_time", current_ntp_time)),
    )
