"""The relay beside socat's plain UDP relay, in one run: what sockperf measures through each, in turn.

Everything runs on this machine, so all share its cores: the load average stands with each figure, and of a
few rounds the best counts, for both alike.
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
from typing import Any

import simlab
from benchmarks.figure import Figure, MissingToolError
from benchmarks.processor import children, cpu_s

ROUNDS = 3
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
    relays: list[Measured] = []
    socats: list[Measured] = []
    for _ in range(ROUNDS):
        socats.append(_through(_socat, server_port, FAST_PER_S))
        relays.append(_through(lambda to: _relay(to, _ALL_STAGES), server_port, FAST_PER_S))
    relay, plain = (min(rows, key=lambda row: row.rtt_us[99.0]) for rows in (relays, socats))
    at = f"at {FAST_PER_S:,}/s each way"
    own = min(_own_losses(row.summary) for row in relays)
    yield Figure(f"relay: packets that it lost {at}", own, _beside("packets", relay), at_most=0)
    for name, row in (("relay", relay), ("socat", plain)):
        yield Figure(f"{name}: round trips without an end {at}", row.lost, _beside("packets", row))
        for rank in (50.0, 99.0):
            yield Figure(f"{name}: round trip, p{rank:.0f} {at}", row.rtt_us[rank], _beside("us", row))
    for name, rows in (("relay", relays), ("socat", socats)):
        least = min(rows, key=lambda row: row.cpu_us)
        yield Figure(f"{name}: of a core for each packet {at}", least.cpu_us, _beside("us", least))
    ratio = relay.rtt_us[99.0] / plain.rtt_us[99.0]
    yield Figure(f"relay: round trip, p99 {at}, by socat's", ratio, "x", at_most=1.0)


def _delayed(server_port: int) -> Iterator[Figure]:
    """Measure the error of a delay: half of what a round trip takes beyond twice the delay."""
    settings = {"link.delay": f"{DELAY_S * 1000:g}ms"}
    rows = [_through(lambda to: _relay(to, settings), server_port, SLOW_PER_S) for _ in range(ROUNDS)]
    best = min(rows, key=lambda row: row.rtt_us[99.0])
    for rank, most_ms in ((50.0, 0.2), (99.0, 1.0)):
        error_ms = (best.rtt_us[rank] / 1e6 - 2 * DELAY_S) / 2 * 1000
        name = f"relay: error of {DELAY_S * 1000:g} ms at {SLOW_PER_S:,}/s, p{rank:.0f}"
        yield Figure(name, error_ms, _beside("ms", best), at_most=most_ms)
    own = min(_own_losses(row.summary) for row in rows)
    yield Figure(f"relay: packets that it lost at {SLOW_PER_S:,}/s", own, "packets", at_most=0)


def _throughput(server_port: int) -> Iterator[Figure]:
    """Find how many packets a second go through without any that never comes back."""
    ways: dict[str, Callable[[int], AbstractContextManager[Hop]]] = {
        "relay": lambda to: _relay(to, _ALL_STAGES),
        "socat": _socat,
    }
    for name, way in ways.items():
        most, load = 0, 0.0
        for rate_per_s in LADDER_PER_S:
            rows = [_through(way, server_port, rate_per_s) for _ in range(2)]
            load = rows[-1].load
            if min(row.lost for row in rows):
                break
            most = rate_per_s
        yield Figure(f"{name}: each way without loss", most, f"packets/s, load {load:.1f}")


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
def _relay(to: int, settings: Mapping[str, str]) -> Iterator[Hop]:
    relay = simlab.Relay.start(to=f"127.0.0.1:{to}", set=settings)
    hop = Hop(int(relay.listen.rpartition(":")[2]))
    try:
        yield hop
    finally:
        hop.summary = relay.stop()


@contextlib.contextmanager
def _socat(to: int) -> Iterator[Hop]:
    port = _free_port()
    buffers = f"rcvbuf={_BUFFER_BYTES},sndbuf={_BUFFER_BYTES}"
    command = ["socat", "-b", "65535", f"UDP4-LISTEN:{port},bind=127.0.0.1,{buffers}"]
    with _process([*command, f"UDP4:127.0.0.1:{to},{buffers}"]):
        time.sleep(0.3)
        yield Hop(port)


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
