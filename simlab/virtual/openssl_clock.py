"""Let OpenSSL's DTLS timer run on the virtual clock.

OpenSSL reads the wall clock itself, through the C library's ``gettimeofday``, to decide when a lost
handshake flight is sent again. The ``cryptography`` package links OpenSSL statically but imports that
one function, so its address stands in one slot of the module's global offset table. The slot is
pointed at a function that answers with the virtual time: on Linux, on x86-64 and aarch64, whose wheels
have one relocation of that symbol each. Elsewhere ``openssl_timer`` does without.

Source of the layout: ELF-64 specification, "File Header", "Sections", "Symbol Table", "Relocation".
"""

import ctypes
import mmap
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simlab.virtual.openssl_timer import timer_in_virtual_time

_FUNCTION = b"gettimeofday\0"
# Where the file's header says where those of the sections are, how long each is, and how many there are.
_SECTIONS = ((slice(40, 48), "<u8"), (slice(58, 60), "<u2"), (slice(60, 62), "<u2"))
_SECTION = np.dtype(
    {
        "names": ["type", "offset", "size", "link"],
        "formats": ["<u4", "<u8", "<u8", "<u4"],
        "offsets": [4, 24, 32, 40],
        "itemsize": 64,
    }
)
_SYMBOL = np.dtype({"names": ["name"], "formats": ["<u4"], "itemsize": 24})
_RELA = np.dtype([("offset", "<u8"), ("info", "<u8"), ("addend", "<i8")])
_SHT_RELA = 4
_Bytes = npt.NDArray[np.uint8]
_Records = npt.NDArray[np.void]
_PROT_READ_WRITE = 3
_PAGE = mmap.PAGESIZE

REDIRECTED = "redirected"
SLEEPS = "sleeps"


class _Timeval(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("microseconds", ctypes.c_long))


_Gettimeofday = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Timeval), ctypes.c_void_p)


def _module_base(path: str) -> int | None:
    """Return where a shared object is loaded: the lowest address that it is mapped to."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(path):
            return int(line.split("-")[0], 16)
    return None


def _slot_offsets(path: str) -> list[int]:
    """Return the offsets of the table slots that hold the address of ``gettimeofday``."""
    image = np.memmap(path, np.uint8, "r")
    sections = _sections(image)
    offsets: list[int] = []
    for section in sections[sections["type"] == _SHT_RELA]:
        if section["link"] == 0:  # without symbols
            continue
        symbols = _table(image, sections[section["link"]], _SYMBOL)
        names = _table(image, sections[sections[section["link"]]["link"]], np.dtype(np.uint8)).tobytes()
        numbers = [n for n, at in enumerate(symbols["name"]) if names.startswith(_FUNCTION, at)]
        relocations = _table(image, section, _RELA)
        # A relocation without a symbol has the number 0, which `numbers` never contains.
        found = relocations[np.isin(relocations["info"] >> 32, numbers)]
        offsets += found["offset"].tolist()
    return offsets


def _sections(image: _Bytes) -> _Records:
    at, size, count = (int(image[place].view(kind)[0]) for place, kind in _SECTIONS)
    return image[at : at + size * count].view(_SECTION)


def _table(image: _Bytes, section: Any, kind: "np.dtype[Any]") -> _Records:
    at, size = int(section["offset"]), int(section["size"])
    return image[at : at + size].view(kind)


@cache
def _slots() -> tuple[int, ...]:
    """Return the addresses of the slots in this process; none where they can't be found."""
    if platform.system() != "Linux" or platform.machine() not in {"x86_64", "aarch64"}:
        return ()
    from cryptography.hazmat.bindings import _rust

    path = str(Path(_rust.__file__).resolve())
    base = _module_base(path)
    return () if base is None else tuple(base + offset for offset in _slot_offsets(path))


def _made_writable(address: int) -> bool:
    """Let a slot be written to, for the table is read-only by then. False where that is not allowed."""
    page = address & ~(_PAGE - 1)
    return bool(ctypes.CDLL(None).mprotect(ctypes.c_void_p(page), _PAGE, _PROT_READ_WRITE) == 0)


def _write_slot(address: int, value: int) -> None:
    ctypes.c_uint64.from_address(address).value = value


@contextmanager
def _redirected(wall_time_s: Callable[[], float]) -> Iterator[None]:
    owner = threading.get_ident()

    def answer(timeval: "ctypes._Pointer[_Timeval]", _: int | None) -> int:
        now_s = wall_time_s() if threading.get_ident() == owner else time.clock_gettime(time.CLOCK_REALTIME)
        timeval[0].seconds, timeval[0].microseconds = int(now_s), int(now_s % 1 * 1e6)
        return 0

    callback = _Gettimeofday(answer)  # must live as long as the slot points at it
    target = ctypes.cast(callback, ctypes.c_void_p).value or 0
    before = [ctypes.c_uint64.from_address(slot).value for slot in _slots()]
    for slot in _slots():
        _write_slot(slot, target)
    try:
        yield
    finally:
        for slot, value in zip(_slots(), before, strict=True):
            _write_slot(slot, value)


@contextmanager
def openssl_on_virtual_time(wall_time_s: Callable[[], float], redirect: bool = True) -> Iterator[str]:
    """Make DTLS retransmit in virtual time, and say how: ``"redirected"`` or ``"sleeps"``.

    Parameters
    ----------
    wall_time_s
        Returns the virtual time as seconds since 1970.
    redirect
        False forces the slower way, which lets the real time pass that OpenSSL waits for: slower, with the
        same result. It is also what happens where the slot can't be found, or not be written to.
    """
    if redirect and _slots() and all(map(_made_writable, _slots())):
        with _redirected(wall_time_s):
            yield REDIRECTED
    else:
        with timer_in_virtual_time(wall_time_s):
            yield SLEEPS
