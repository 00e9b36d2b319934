"""What the compiled loop shares with Python: NumPy records, and the structures of Linux's system calls."""

import platform

import numpy as np

from simlab.core.packet import PacketClass

KINDS = tuple(PacketClass)
SLOTS = 4096
"""How many packets may be under way in each direction; a power of 2."""
SLOT_BYTES = 2048
"""The largest of them; one that is larger goes Python's way, and all others with it for up to a second."""
DRAWS = 8192
"""How many numbers for losses are drawn ahead, for each class; a power of 2."""
AT_ONCE = 16
MOST_EVENTS = 64
MOST_FDS = 1 << 16
MOST_FLOWS = 1 << 16
TABLE_BITS = 18
TABLE = 1 << TABLE_BITS

WAY = np.dtype(
    [
        ("zero_s", "f8"),
        ("rate_bytes_per_s", "f8"),  # less than 0: none
        ("delay_s", "f8"),
        ("loss_chance", "f8"),
        ("queue_bytes", "i8"),  # less than 0: any
        ("queue_packets", "i8"),
        ("queue_s", "f8"),
        ("held_until_s", "f8"),
        ("busy_until_s", "f8"),
        ("offered", "i8"),
        ("delivered", "i8"),
        ("delivered_bytes", "i8"),
        ("lost", "i8"),
        ("dropped_queue", "i8"),
        ("dropped_relay", "i8"),
        ("dropped_nat", "i8"),
        ("seq", "i8"),
        ("seen", "i8", len(KINDS)),
        ("draws_from", "i8", len(KINDS)),  # the ``nth`` of the first number drawn ahead
        ("head", "i8"),  # of the packets under way, counted from the beginning
        ("tail", "i8"),
        ("held_head", "i8"),  # of those in the bottleneck
        ("held_bytes", "i8"),
        ("no_room", "i8"),  # 1 when a packet did not fit in
    ]
)
"""One direction: its settings, what it counted since it was last asked, and where its packets are."""

PACKET = np.dtype(
    [
        ("due_s", "f8"),
        ("arrived_s", "f8"),
        ("start_s", "f8"),  # when the bottleneck begins and ends to send it
        ("sent_s", "f8"),
        ("size", "i8"),
        ("flow", "i8"),
        ("kind", "i8"),
        ("seq", "i8"),
        ("nth", "i8"),
        ("lost", "i8"),
    ]
)

SOCKADDR_BYTES = 16
"""Of a sockaddr_in."""

FLOW = np.dtype(
    [
        ("upstream", "i4"),
        ("listening", "i4"),
        ("leads", "i4"),
        ("refreshes", "i4"),  # whether packets from the target keep it alive
        ("up", "i8"),
        ("down", "i8"),
        ("used_s", "f8"),
        ("client", "u1", SOCKADDR_BYTES),
    ]
)

CONTROL = np.dtype(
    [
        ("fd", "i8"),
        ("next", "i8"),
        ("count", "i8"),
        ("error", "i8"),
        ("ready", "i8"),
        ("watched", "i8"),
        ("has_epoll", "i8"),
        ("have_waited", "i8"),
        ("most", "i8", 2),
    ]
)
"""What has been read and not taken in yet, from where; how many others can be read, and how many at once."""

MESSAGE = np.dtype(
    [
        ("name", "u8"),
        ("name_bytes", "u8"),
        ("vector", "u8"),
        ("vectors", "u8"),
        ("control", "u8"),
        ("control_bytes", "u8"),
        ("flags", "u8"),
        ("size", "u8"),
    ]
)
"""struct mmsghdr, recvmmsg(2), on machines of 64 bits; the upper halves of shorter fields are padding."""

VECTOR = np.dtype([("base", "u8"), ("size", "u8")])

# struct epoll_event is packed on x86-64 alone: epoll_ctl(2).
EVENT = np.dtype(
    [("events", "u4"), ("fd", "i4"), ("more", "u4")]
    if platform.machine() == "x86_64"
    else [("events", "u4"), ("padding", "u4"), ("fd", "i4"), ("more", "u4")]
)

WATCHED = np.dtype([("fd", "i4"), ("events", "i2"), ("happened", "i2")])
"""struct pollfd."""

UP, DOWN = 0, 1
NOWHERE, TO_TARGET, BOTH_WAYS = 0, 1, 2
"""Where a flow leads: one that was rebound leads to the target, for what is under way, and back no more."""
IS_LISTENING, IS_UPSTREAM = 1, 2
"""What a file descriptor is to the compiled loop; 0 for one that is Python's."""
