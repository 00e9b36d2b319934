"""Linux's own TCP through simlab's links: two network namespaces, and a TUN device in each.

Needs root, ``ip`` and ``/dev/net/tun``. The links are simlab's, so this kernel needs no netem; what is
compared is the TCP at both ends.
"""

import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from simlab.core.impair import ConstantDelaySpec, UniformDelaySpec, make_stage
from simlab.core.link import Link
from simlab.core.packet import Direction, Transit

SERVER = "10.77.0.2"
CLIENT = "10.77.0.1"
FIRST_PORT = 9000
_TUNSETIFF, _IFF_TUN_NO_PI = 0x400454CA, 0x1001
_SYSCTLS = (
    "tcp_congestion_control=reno",
    "tcp_no_metrics_save=1",
    "tcp_syn_linear_timeouts=0",  # of Linux 6.5 and later; RFC 6298 doubles from the first
)
Delay = ConstantDelaySpec | UniformDelaySpec
IsLost = Callable[[Direction, int, int], bool]


class Case(NamedTuple):
    """How many bytes are asked and answered over a connection of its own."""

    request_bytes: int
    response_bytes: int


class Times(NamedTuple):
    """When a client had a connection, and when it had the whole response, since it began.

    What took too long has the limit.
    """

    connected_s: float
    answered_s: float


class _Losing:
    """Drop what ``is_lost`` says: by direction, the server's port, and the number in the connection."""

    name = "loss"

    def __init__(self, direction: Direction, is_lost: IsLost) -> None:
        self._direction = direction
        self._is_lost = is_lost
        self._seen: Counter[bytes] = Counter()

    def apply(self, transit: Transit) -> tuple[Transit, ...]:
        packet = transit.payload
        if len(packet) < 40 or packet[9] != 6:  # no IPv4, or no TCP
            return ()
        ports = packet[20:24]
        number = self._seen[ports]
        self._seen[ports] += 1
        port = int.from_bytes(ports[2:] if self._direction is Direction.UP else ports[:2])
        return () if self._is_lost(self._direction, port, number) else (transit,)


def _tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN_NO_PI))
    return device


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)


@contextmanager
def _host(namespace: str, address: str, peer: str) -> Iterator[int]:
    """Yield the other side of a host's only device."""
    _ip("netns", "add", namespace)
    device = _tun(namespace)
    try:
        _ip("link", "set", namespace, "netns", namespace)
        inside = ("-n", namespace)
        _ip(*inside, "addr", "add", address, "peer", peer, "dev", namespace)
        _ip(*inside, "link", "set", namespace, "up", "mtu", "1500")
        for setting in _SYSCTLS:
            command = ["sysctl", "-q", "-w", f"net.ipv4.{setting}"]
            _ip("netns", "exec", namespace, *command)
        yield device
    finally:
        os.close(device)
        _ip("netns", "del", namespace)


def _forward(ways: dict[int, tuple[Link, int]], end: int) -> None:
    """Carry packets until something can be read from ``end``."""
    while True:
        now_s = time.monotonic()
        due: list[float] = []
        for link, out in ways.values():
            for packet in link.release(now_s):
                os.write(out, packet.payload)
            if (due_s := link.next_due_s()) is not None:
                due.append(due_s)
        wait_s = max(0.0, min(due) - time.monotonic()) if due else None
        readable, _, _ = select.select([*ways, end], [], [], wait_s)
        if end in readable:
            return
        for device in readable:
            ways[device][0].receive(os.read(device, 65_536), time.monotonic())


@contextmanager
def _network(delay: Delay, is_lost: IsLost) -> Iterator[None]:
    def link(direction: Direction) -> Link:
        return Link([_Losing(direction, is_lost), make_stage(delay, 0, direction)])

    with ExitStack() as stack:
        near = stack.enter_context(_host("simtcp1", CLIENT, SERVER))
        far = stack.enter_context(_host("simtcp2", SERVER, CLIENT))
        ended, end = os.pipe()
        ways = {near: (link(Direction.UP), far), far: (link(Direction.DOWN), near)}
        thread = threading.Thread(target=_forward, args=(ways, ended))
        thread.start()
        stack.callback(thread.join)
        stack.callback(os.write, end, b".")
        yield


def measured(delay: Delay, cases: Sequence[Case], is_lost: IsLost, limit_s: float) -> list[Times]:
    """Run all cases at once, each with a port of its own from 9000 on."""
    peer = [sys.executable, "-m", "benchmarks.tcp_peer"]
    text = json.dumps(cases)
    with _network(delay, is_lost):
        command = ["ip", "netns", "exec", "simtcp2", *peer, "server", text]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
            try:
                assert server.stdout is not None
                server.stdout.readline()  # it listens
                asked = ["ip", "netns", "exec", "simtcp1", *peer, "client", text, str(limit_s)]
                told = subprocess.run(asked, check=True, stdout=subprocess.PIPE, timeout=limit_s + 30)
            finally:
                server.kill()
    return [Times(*times) for times in json.loads(told.stdout)]
