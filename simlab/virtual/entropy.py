"""Draw from the session's seed what the peers draw from the system's entropy."""

import os
import random
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
from aiortc import RTCCertificate

from simlab.core.rng import stream
from simlab.virtual.replace import replaced

_SIGNATURE_BYTES = 71  # the commonest length of a P-256 signature in DER

_generate = RTCCertificate.generateCertificate


def _certificate(_: type[RTCCertificate]) -> RTCCertificate:
    # OpenSSL's own randomness cannot be seeded, and the length of an ECDSA signature depends on it.
    # About every second certificate has the commonest length, so all get that one. However many it
    # takes, they are made of the same draws from the session's seed, and use them up but once.
    seed = int.from_bytes(os.urandom(16))
    while True:
        with replaced(os, "urandom", random.Random(seed).randbytes):
            certificate = _generate()
        if len(certificate._cert.signature) == _SIGNATURE_BYTES:
            return certificate


def _seeds(urandom: Callable[[int], bytes]) -> Callable[..., None]:
    """Make a ``random.Random.seed`` that draws a seed where it is given none; C asks the system."""
    seed_with = random.Random.seed

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        seed_with(self, int.from_bytes(urandom(16)) if a is None else a, version)

    return seed


@contextmanager
def _seeded_numpy(seed: int) -> Iterator[None]:
    """Give the functions of ``numpy.random``, which have one generator for all, a seed."""
    state = np.random.get_state()
    np.random.seed(stream(seed, "entropy", "numpy").integers(2**32))
    try:
        yield
    finally:
        np.random.set_state(state)


@contextmanager
def _seeded_uuid(seed: int) -> Iterator[None]:
    """Let ``uuid1`` know neither this machine, whose address it asks a process for, nor earlier sessions."""
    drawn = int(stream(seed, "entropy", "node").integers(2**48))
    node = drawn | 1 << 40  # as no machine's address has it (RFC 9562 section 6.10)
    last = [name for name in vars(uuid) if name.startswith("_last_timestamp")]
    with ExitStack() as stack:
        stack.enter_context(replaced(uuid, "_node", node))
        for name in last:
            stack.enter_context(replaced(uuid, name, None))
        yield


@contextmanager
def seeded_entropy(seed: int) -> Iterator[None]:
    """Make ``os.urandom``, ``random``, ``secrets``, ``uuid`` and ``numpy.random`` repeat themselves.

    All but ``numpy.random`` do so in this thread alone.

    Other threads go on drawing from the system, so that they neither get predictable numbers nor
    shift this session's.
    """
    # random.Random, since the bytes of a numpy generator cost ten times as much for a few at a time.
    generator = random.Random(int.from_bytes(stream(seed, "entropy").bytes(16)))
    owner = threading.get_ident()
    system_urandom = os.urandom

    def urandom(size: int, /) -> bytes:
        return generator.randbytes(size) if threading.get_ident() == owner else system_urandom(size)

    state = random.getstate()
    with suppress(FileNotFoundError):
        tempfile.gettempdir()  # looks for it once in a process, and draws names for that
    with ExitStack() as stack:
        stack.callback(random.setstate, state)
        stack.enter_context(replaced(os, "urandom", urandom))
        stack.enter_context(replaced(random, "_urandom", urandom))
        stack.enter_context(replaced(RTCCertificate, "generateCertificate", classmethod(_certificate)))
        random.seed(generator.getrandbits(128))
        stack.enter_context(replaced(random.Random, "seed", _seeds(urandom)))
        stack.enter_context(replaced(random, "seed", random.seed.__self__.seed))  # type: ignore[attr-defined]
        stack.enter_context(replaced(tempfile, "_name_sequence", None))
        stack.enter_context(_seeded_numpy(seed))
        stack.enter_context(_seeded_uuid(seed))
        yield
