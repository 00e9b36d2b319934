"""The packets of a capture as a table: what became of each that a link took in."""

from array import array
from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl

from simlab.capture.blocks import Block, blocks
from simlab.capture.frames import Address, unframed
from simlab.capture.records import CLIENT_SIDE, DROPPED, INJECTED, MOST_PACKETS, SERVER_SIDE, WAYS
from simlab.core.packet import classify

_NEVER_NS = -(2**63)
_UNKNOWN, _WHOLE, _DAMAGED = -1, 0, 1


def table(path: Path) -> pl.DataFrame:
    """Return a row for each packet of a capture, in the order in which they were sent.

    docs/capture.md describes the columns. A file that breaks off has the packets before.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    rows = _Rows()
    for block in blocks(path):
        if block.number is not None:
            rows.take(block, block.number)
    return rows.frame()


class _Rows:
    """Collect what the records of each packet say. Of an hour there may be a million."""

    def __init__(self) -> None:
        self._row_of: dict[int, int] = {}
        self._numbers = array("Q")
        self._sent_ns, self._delivered_ns, self._dropped_ns = array("q"), array("q"), array("q")
        self._sizes, self._copies, self._sums = array("I"), array("I"), array("I")
        self._damage = array("b")
        self._classes: list[str] = []
        self._causes: list[str | None] = []
        self._injected: list[str | None] = []
        self._sources: list[str] = []
        self._destinations: list[str] = []
        self._names: dict[Address, str] = {}

    def take(self, block: Block, number: int) -> None:
        """Take in a record."""
        source, destination, payload = unframed(block.content)
        what = next((one.removeprefix(INJECTED) for one in block.comments if one.startswith(INJECTED)), None)
        row = self._row_of.get(number) if what is None else None
        if row is None:
            row = self._new(number, payload, self._name(source), self._name(destination))
            self._injected[row] = what
            if what is None:
                self._row_of[number] = row
        if block.inbound:
            self._sent_ns[row], self._sums[row] = block.t_ns, crc32(payload)
        elif block.interface in (CLIENT_SIDE, SERVER_SIDE):
            self._delivered(row, block.t_ns, payload)
        for comment in block.comments:
            if comment.startswith(DROPPED):
                self._dropped(row, block.t_ns, comment.removeprefix(DROPPED))

    def _new(self, number: int, payload: bytes, source: str, destination: str) -> int:
        self._numbers.append(number)
        for times in (self._sent_ns, self._delivered_ns, self._dropped_ns):
            times.append(_NEVER_NS)
        self._sizes.append(len(payload))
        for counts in (self._copies, self._sums):
            counts.append(0)
        self._damage.append(_UNKNOWN)
        self._classes.append(classify(payload))
        self._causes.append(None)
        self._injected.append(None)
        self._sources.append(source)
        self._destinations.append(destination)
        return len(self._numbers) - 1

    def _delivered(self, row: int, t_ns: int, payload: bytes) -> None:
        if not self._copies[row]:
            self._delivered_ns[row] = t_ns
        self._copies[row] += 1
        if self._sent_ns[row] != _NEVER_NS and self._damage[row] != _DAMAGED:
            self._damage[row] = _WHOLE if crc32(payload) == self._sums[row] else _DAMAGED

    def _dropped(self, row: int, t_ns: int, cause: str) -> None:
        before = self._causes[row]
        if before is None:
            self._dropped_ns[row] = t_ns
        self._causes[row] = cause if before is None else f"{before},{cause}"

    def _name(self, address: Address) -> str:
        name = self._names.get(address)
        if name is None:
            host, port = address
            name = self._names[address] = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return name

    def frame(self) -> pl.DataFrame:
        """Return the table."""
        link, seq = np.divmod(_numpy(self._numbers), MOST_PACKETS)
        times = {
            name: _seconds(at_ns)
            for name, at_ns in (
                ("sent_s", self._sent_ns),
                ("delivered_s", self._delivered_ns),
                ("dropped_s", self._dropped_ns),
            )
        }
        damage = pl.Series(_numpy(self._damage))
        frame = pl.DataFrame(
            {
                "client_id": pl.Series(link // 2 + 1).cast(pl.Int64),
                "direction": pl.Series([str(way) for way in WAYS], dtype=pl.String).gather(link % 2),
                "seq": pl.Series(seq).cast(pl.Int64),
                "sent_s": times["sent_s"],
                "delivered_s": times["delivered_s"],
                "class": pl.Series(self._classes, dtype=pl.String),
                "size": pl.Series(_numpy(self._sizes)).cast(pl.Int64),
                "copies": pl.Series(_numpy(self._copies)).cast(pl.Int64),
                "damaged": (damage == _DAMAGED).set(damage == _UNKNOWN, None),
                "cause": pl.Series(self._causes, dtype=pl.String),
                "dropped_s": times["dropped_s"],
                "injected": pl.Series(self._injected, dtype=pl.String),
                "source": pl.Series(self._sources, dtype=pl.String),
                "destination": pl.Series(self._destinations, dtype=pl.String),
            }
        )
        return frame.sort(pl.coalesce("sent_s", "delivered_s", "dropped_s"), maintain_order=True)


def _numpy(values: "array[int]") -> np.ndarray:
    return np.frombuffer(values, dtype=values.typecode)


def _seconds(at_ns: "array[int]") -> pl.Series:
    ticks = _numpy(at_ns)
    return pl.Series(ticks / 1e9).set(pl.Series(ticks == _NEVER_NS), None)
