import os
import random
import secrets
import threading
import uuid

from aiortc import RTCCertificate

from simlab.virtual.entropy import seeded_entropy


def draw():
    return (
        os.urandom(7),
        random.random(),
        random.SystemRandom().random(),
        secrets.token_hex(8),
        secrets.randbits(64),
        uuid.uuid4(),
    )


def test_a_seed_repeats_every_source_of_entropy():
    with seeded_entropy(5):
        first = draw()
    with seeded_entropy(5):
        assert draw() == first
    with seeded_entropy(6):
        assert draw() != first


def test_what_was_there_before_is_back_afterwards():
    before = os.urandom, random.getstate(), RTCCertificate.__dict__["generateCertificate"]
    with seeded_entropy(5):
        draw()
    assert (os.urandom, random.getstate(), RTCCertificate.__dict__["generateCertificate"]) == before


def test_other_threads_neither_get_nor_shift_the_sessions_numbers():
    other = []
    with seeded_entropy(5):
        expected = [os.urandom(8), os.urandom(8)]
    with seeded_entropy(5):
        first = os.urandom(8)
        thread = threading.Thread(target=lambda: other.append(os.urandom(8)))
        thread.start()
        thread.join()
        assert [first, os.urandom(8)] == expected
    assert other[0] not in expected


def test_certificates_use_up_the_same_draws_and_have_the_same_size():
    after, sizes = set(), set()
    for _ in range(8):  # each has the wished-for length at the first try with a chance of a half
        with seeded_entropy(5):
            certificate = RTCCertificate.generateCertificate()
            sizes.add(len(certificate._cert.signature))
            after.add(os.urandom(8))
    assert sizes == {71}
    assert len(after) == 1
