"""The promise of ``make determinism``, with fewer sessions: every pair is identical, whatever ran before."""

import pytest

from benchmarks.determinism import KINDS, digest, late, pairs
from tests.needs import needs_pipecat

SEEDS = 20
SESSIONS = 20


@pytest.mark.timeout(400)
def test_twenty_seeds_of_flaky_are_identical_in_two_processes():
    assert pairs("flaky", SEEDS).differing == ()


@pytest.mark.timeout(400)
def test_a_session_late_in_a_process_is_as_the_first_of_another():
    needs_pipecat()
    found = list(late(SESSIONS, "short"))
    assert [one.kind for one in found] == [f"{kind}, after {SESSIONS} sessions" for kind in KINDS]
    assert [one.differing for one in found] == [()] * len(KINDS)


def test_another_seed_is_another_session():
    text = 'duration = "2s"\n[peers]\nmedia = []\n'
    assert digest("flaky", 1, text) == digest("flaky", 1, text) != digest("flaky", 2, text)
