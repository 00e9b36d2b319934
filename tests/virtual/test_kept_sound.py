"""Sessions without a codec for sound, beside the same ones with aiortc's own."""

import pytest

from simlab.virtual import ahead, session
from simlab.virtual.kept_sound import is_kept
from tests.virtual.sessions import run_text, scenario

LINK = 'duration = "12s"\n[link]\ndelay = "40ms"\njitter = "5ms"\nloss = "4%"\n'
BLACKOUT = '[[fault]]\nkind = "blackout"\nat = "3s"\nfor = "6s"\n'
MUTED = '[[action]]\ndo = "mute"\nat = "4s"\n[[action]]\ndo = "unmute"\nat = "7s"\n'
TURNS = '[bot]\ntalks_for = "1300ms"\npauses_for = "700ms"\n'


@pytest.mark.parametrize("more", [BLACKOUT, MUTED, TURNS, '[peers]\nmedia = ["audio", "video"]\n'])
def test_the_timeline_is_that_of_encoding_and_decoding(monkeypatch, more):
    kept = run_text(LINK + more).to_text()
    for module in (ahead, session):
        monkeypatch.setattr(module, "is_kept", lambda _: False)
    assert run_text(LINK + more).to_text() == kept


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", True),
        ('[client]\naudio_codec = "opus"\n', True),
        ('[client]\naudio_codec = "PCMU"\n', False),
        ('[bot]\nvoice = "echo"\n', False),
        ('[peers]\nserver = "pipecat"\n', False),
        ('[peers]\nserver = "tests.apps.aiohttp_bot:app"\n', False),
        ('[peers]\nclient = "tests.apps.someone:call"\n', False),
    ],
)
def test_only_the_tone_between_simlabs_own_peers_does_without(more, expected):
    assert is_kept(scenario(LINK + more)) is expected
