"""The relay beside socat's plain UDP relay, in one run: what sockperf measures through each, in turn.

Everything runs on this machine, so all share its cores: the load average stands with each figure. Rounds of
the same hop differ by where the system puts the threads, by a factor of ten and more for the 99th percentile:
of those that are compared the median counts, for all alike; of the others the best.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import simlab
from benchmarks.figure import Figure, MissingToolError
from benchmarks.processor import children, cpu_s

ROUNDS, COMPARED_ROUNDS = 3, 7
SECONDS = 4
PAYLOAD_BYTES = 200
FAST_PER_S, SLOW_PER_S = 20_000, 5_000
LADDER_PER_S = (25_000, 30_000, 35_000, 40_000, 50_000, 60_000)
DELAY_S = 0.040
_BUFFER_BYTES = 4_000_000
_ALL_STAGES = {"link.loss": "0%", "link.delay": "0ms", "link.rate": "10Gbit/s", "link.queue": "4MB"}
_RANK = re.compile(r"percentile ([\d.]+) = +([\d.]+)")
_LOST = re.compile(r"# dropped messages = (\d+)")


@dataclass
class Hop:
    """Something between sockperf's client and its server."""

    port: int
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What sockperf saw through something, and what that said of itself at its end."""

    lost: int
    rtt_us: Mapping[float, float]
    load: float
    cpu_us: float = float("inf")  # of the hop, for each packet that went through, either way
    summary: Mapping[str, Any] = field(default_factory=dict)


def measure() -> Iterator[Figure]:
    """Yield what is lost and how late packets are, of the relay and of socat."""
    _check_tools()
    with _server() as server_port:
        yield from _compared(server_port)
        yield from _delayed(server_port)
        yield from _throughput(server_port)


def _check_tools() -> None:
    missing = [tool for tool in ("sockperf", "socat") if shutil.which(tool) is None]
    if missing:
        raise MissingToolError(f"the relay is not measured: apt install {' '.join(missing)}")


def _compared(server_port: int) -> Iterator[Figure]:
    """Compare the relay with all of its stages, doing nothing, with socat."""
    rows: dict[str, list[Measured]] = {name: [] for name in _HOPS}
    for _ in range(COMPARED_ROUNDS):
        for name, hop in _HOPS.items():
            rows[name].append(_through(partial(hop, settings=_ALL_STAGES), server_port, FAST_PER_S))
    at = f"at {FAST_PER_S:,}/s each way"
    median = {name: sorted(some, key=_p99)[COMPARED_ROUNDS // 2] for name, some in rows.items()}
    for name, row in median.items():
        if name != SOCAT:
            own = min(_own_losses(one.summary) for one in rows[name])
            yield Figure(f"{name}: packets that it lost {at}", own, _beside("packets", row), at_most=0)
        yield Figure(f"{name}: round trips without an end {at}", row.lost, _beside("packets", row))
        for rank in (50.0, 99.0):
            yield Figure(f"{name}: round trip, p{rank:.0f} {at}", row.rtt_us[rank], _beside("us", row))
        least = min(rows[name], key=lambda one: one.cpu_us)
        yield Figure(f"{name}: of a core for each packet {at}", least.cpu_us, _beside("us", least))
    for name, wanted in ((RELAY, None), (COMPILED, 1.0)):
        ratio = _p99(median[name]) / _p99(median[SOCAT])
        yield Figure(f"{name}: round trip, p99 {at}, by socat's", ratio, "x", at_most=wanted)


def _delayed(server_port: int) -> Iterator[Figure]:
    """Measure the error of a delay: half of what a round trip takes beyond twice the delay."""
    settings = {"link.delay": f"{DELAY_S * 1000:g}ms"}
    for name in (RELAY, COMPILED):
        hop = _HOPS[name]
        rows = [_through(partial(hop, settings=settings), server_port, SLOW_PER_S) for _ in range(ROUNDS)]
        best = min(rows, key=_p99)
        for rank, most_ms in ((50.0, 0.2), (99.0, 1.0)):
            error_ms = (best.rtt_us[rank] / 1e6 - 2 * DELAY_S) / 2 * 1000
            what = f"{name}: error of {DELAY_S * 1000:g} ms at {SLOW_PER_S:,}/s, p{rank:.0f}"
            yield Figure(what, error_ms, _beside("ms", best), at_most=most_ms)
        own = min(_own_losses(row.summary) for row in rows)
        yield Figure(f"{name}: packets that it lost at {SLOW_PER_S:,}/s", own, "packets", at_most=0)


def _throughput(server_port: int) -> Iterator[Figure]:
    """Find how many packets a second go through without any that never comes back."""
    for name, hop in _HOPS.items():
        most, load = 0, 0.0
        for rate_per_s in LADDER_PER_S:
            rows = [_through(partial(hop, settings=_ALL_STAGES), server_port, rate_per_s) for _ in range(2)]
            load = rows[-1].load
            if min(row.lost for row in rows):
                break
            most = rate_per_s
        yield Figure(f"{name}: each way without loss", most, f"packets/s, load {load:.1f}")


def _p99(row: Measured) -> float:
    return row.rtt_us[99.0]


def _beside(unit: str, row: Measured) -> str:
    return f"{unit}, load {row.load:.1f}"


def _own_losses(summary: Mapping[str, Any]) -> int:
    ways = [summary["up"], summary["down"]]
    return sum(sum(way["dropped"].values()) + way["kernel_dropped"] for way in ways)


def _through(
    way: Callable[[int], AbstractContextManager[Hop]], server_port: int, rate_per_s: int
) -> Measured:
    before = children(os.getpid())
    with way(server_port) as hop:
        hops = children(os.getpid()) - before
        began_s = cpu_s(hops)
        arguments = ["-i", "127.0.0.1", "-p", hop.port, "-t", SECONDS, "--mps", rate_per_s]
        arguments += ["-m", PAYLOAD_BYTES, "--reply-every", 1, "--full-rtt", "--buffer-size", _BUFFER_BYTES]
        command = ["sockperf", "under-load", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 30, check=False)
        took_s = cpu_s(hops) - began_s
        load = os.getloadavg()[0]
    lost, ranks = _LOST.search(done.stdout), dict(_RANK.findall(done.stdout))
    if lost is None or not ranks:
        # Nothing came back: the worst that there is.
        worst = {50.0: float("inf"), 99.0: float("inf")}
        return Measured(rate_per_s * SECONDS, worst, load, summary=hop.summary)
    rtt_us = {float(rank): float(value) for rank, value in ranks.items()}
    packets = 2 * rate_per_s * SECONDS - int(lost[1])
    return Measured(int(lost[1]), rtt_us, load, took_s / packets * 1e6, hop.summary)


@contextlib.contextmanager
def _server() -> Iterator[int]:
    port = _free_port()
    command = ["sockperf", "server", "-i", "127.0.0.1", "-p", str(port), "--buffer-size", str(_BUFFER_BYTES)]
    with _process(command):
        time.sleep(0.5)
        yield port


@contextlib.contextmanager
def _relay(to: int, settings: Mapping[str, str], *, compiled: bool = False) -> Iterator[Hop]:
    relay = simlab.Relay.start(to=f"127.0.0.1:{to}", set=settings, compiled=compiled)
    hop = Hop(int(relay.listen.rpartition(":")[2]))
    try:
        yield hop
    finally:
        hop.summary = relay.stop()


@contextlib.contextmanager
def _socat(to: int, settings: Mapping[str, str]) -> Iterator[Hop]:
    port = _free_port()
    buffers = f"rcvbuf={_BUFFER_BYTES},sndbuf={_BUFFER_BYTES}"
    command = ["socat", "-b", "65535", f"UDP4-LISTEN:{port},bind=127.0.0.1,{buffers}"]
    with _process([*command, f"UDP4:127.0.0.1:{to},{buffers}"]):
        time.sleep(0.3)
        yield Hop(port)


RELAY, COMPILED, SOCAT = "relay", "relay --compiled", "socat"
_HOPS = {SOCAT: _socat, RELAY: _relay, COMPILED: partial(_relay, compiled=True)}
"""What can be measured, with the settings of a link; socat has none."""


@contextlib.contextmanager
def _process(command: list[str]) -> Iterator[None]:
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
