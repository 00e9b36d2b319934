import os
import random
import secrets
import tempfile
import threading
import uuid

import numpy as np
import pytest
from aiortc import RTCCertificate

from simlab.virtual.entropy import seeded_entropy
from simlab.virtual.world import virtual_world


def draw():
    return (
        os.urandom(7),
        random.random(),
        random.SystemRandom().random(),
        secrets.token_hex(8),
        secrets.randbits(64),
        uuid.uuid4(),
        random.Random().random(),
        np.random.random(),
        np.random.default_rng().random(),
        os.path.basename(tempfile.mktemp()),
        _drawn_after_seed(),
    )


def _drawn_after_seed():
    random.seed()
    return random.random()


def test_a_seed_repeats_every_source_of_entropy():
    with seeded_entropy(5):
        first = draw()
    with seeded_entropy(5):
        assert draw() == first
    with seeded_entropy(6):
        assert draw() != first


def test_what_was_there_before_is_back_afterwards():
    def there():
        return (
            os.urandom,
            random.getstate(),
            random.Random.seed,
            random.seed,
            list(np.random.get_state()[1]),
            RTCCertificate.__dict__["generateCertificate"],
        )

    before = there()
    with seeded_entropy(5):
        draw()
    assert there() == before


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


# uuid6 and uuid7 are there from Python 3.14 on.
@pytest.mark.parametrize("name", [name for name in ("uuid1", "uuid6", "uuid7") if hasattr(uuid, name)])
def test_a_uuid_of_the_time_is_the_same_in_the_next_session_of_a_process(name):
    make = getattr(uuid, name)
    drawn = []
    for seed in (5, 5, 6):
        with virtual_world(seed):
            drawn.append([make(), make()])
    assert drawn[0] == drawn[1]
    assert len({*drawn[0], *drawn[2]}) == 4


def test_uuid1_asks_no_process_for_the_address_of_the_machine():
    with seeded_entropy(5):
        node = uuid.getnode()
    assert node >> 40 & 1, "no network card has this bit"
    with seeded_entropy(6):
        assert uuid.getnode() != node


def test_the_first_temporary_name_of_a_process_shifts_nothing(monkeypatch):
    tempfile.gettempdir()
    drawn = []
    for _ in range(2):
        with seeded_entropy(5):
            drawn.append((os.path.basename(tempfile.mktemp()), uuid.uuid4()))
        monkeypatch.setattr(tempfile, "tempdir", None)  # as before the first one
    assert drawn[0] == drawn[1]
