"""Draw from the session's seed what the peers draw from the system's entropy."""

import os
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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


@contextmanager
def seeded_entropy(seed: int) -> Iterator[None]:
    """Make ``os.urandom``, ``random``, ``secrets`` and ``uuid`` repeat themselves, in this thread.

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
    with ExitStack() as stack:
        stack.callback(random.setstate, state)
        stack.enter_context(replaced(os, "urandom", urandom))
        stack.enter_context(replaced(random, "_urandom", urandom))
        stack.enter_context(replaced(RTCCertificate, "generateCertificate", classmethod(_certificate)))
        random.seed(generator.getrandbits(128))
        yield
