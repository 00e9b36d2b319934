"""Whole sessions, byte for byte the same with the pieces and without."""

import pytest

from simlab.virtual import world
from simlab.virtual.replace import replaced
from tests.virtual.sessions import run_text

CALL = """
duration = "20s"
[link]
delay = "30ms"
loss = "5%"
duplicate = "2%"
corrupt = "1%"
[[fault]]
kind = "blackout"
at = "8s"
for = "6s"
[[fault]]
kind = "inject"
what = "replay"
at = "1s"
every = "100ms"
count = 60
"""


@pytest.mark.parametrize("media", ['["audio"]', "[]", '["audio", "video"]'])
def test_a_call_with_losses_replays_and_a_blackout(media):
    fast = run_text(CALL, peers__media=media).to_text()
    with replaced(world, "pieces", lambda _: ()):
        assert run_text(CALL, peers__media=media).to_text() == fast
