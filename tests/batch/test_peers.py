"""What is said before a session runs, where a peer cannot be had or cannot do what the profile wants."""

import sys

import pytest

from simlab.batch import peers
from simlab.batch.peers import check_peers
from simlab.core.errors import InvalidInputError
from tests.virtual.sessions import scenario


def faults(text, **overrides):
    try:
        check_peers([scenario(text, **overrides)])
    except InvalidInputError as error:
        return list(error.faults)
    return []


@pytest.fixture
def installed(monkeypatch):
    """Say which modules are installed."""

    def install(*modules):
        monkeypatch.setattr(peers, "find_spec", lambda name: sys if name in modules else None)

    return install


@pytest.fixture
def bare(tmp_path, monkeypatch, installed):
    """A machine without programs and without a page, but with the packages."""
    installed("pipecat", "fastapi", "playwright")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SIMLAB_CACHE", str(tmp_path))

    def have(*programs):
        for program in programs:
            (tmp_path / program).touch(mode=0o755)

    return have


CHROMIUM = 'clock = "real"\n[peers]\nclient = "chromium"\n'
PIPECAT = '[peers]\nserver = "pipecat"\n'
NO_NPM = (
    'test: peers.client is "chromium", but the published client is not there yet, and npm, with which to '
    "fetch and bundle it, is missing; on Debian or Ubuntu: apt install npm"
)
NO_CHROMIUM = (
    'test: peers.client is "chromium", but there is no Chromium in PATH; '
    "on Debian or Ubuntu: apt install chromium"
)


def test_built_in_peers_need_nothing(installed):
    installed()
    assert faults("") == []


def test_pipecat_is_named_with_what_is_missing(installed):
    installed()
    assert faults(PIPECAT) == [
        'test: peers.server is "pipecat", but pipecat and fastapi are not installed: '
        'pip install "simlab[pipecat]"'
    ]
    installed("pipecat")
    assert faults(PIPECAT) == [
        'test: peers.server is "pipecat", but fastapi is not installed: pip install "simlab[pipecat]"'
    ]
    installed("pipecat", "fastapi")
    assert faults(PIPECAT) == []


def test_a_browser_needs_the_real_clock(bare):
    assert faults(CHROMIUM, clock="virtual") == [
        'test: peers.client is "chromium", but no browser runs under the virtual clock: --clock real'
    ]


@pytest.mark.parametrize(
    ("programs", "missing"),
    [
        ((), [NO_CHROMIUM, NO_NPM]),
        (("chromium",), [NO_NPM]),
        (("npm", "node"), [NO_CHROMIUM]),
        (("chromium", "npm", "node"), []),
    ],
)
def test_a_browser_needs_programs(bare, programs, missing):
    bare(*programs)
    assert faults(CHROMIUM) == missing


def test_a_browser_needs_what_drives_it(installed):
    installed()
    assert faults(CHROMIUM) == [
        'test: peers.client is "chromium", but playwright is not installed: pip install "simlab[browser]"'
    ]


def test_a_browser_follows_no_wish_for_another_client(bare):
    bare("chromium", "npm", "node")
    text = CHROMIUM + '[policy]\nname = "never"\n[client.behaviour]\nstop_shared_tracks = false\n'
    text += '[[fault]]\nkind = "handover"\nat = "3s"\nfor = "1s"\n'
    assert faults(text) == [
        'test: policy: want "pipecat" alone for a browser, whose client has that one of its own',
        "test: client: of this table, nothing means anything to a browser",
        'test: fault[0].kind is "handover", but a browser has the addresses of its machine',
    ]


def test_only_the_built_in_server_can_be_exhausted(installed):
    installed("pipecat", "fastapi")
    text = '[peers]\nserver = "pipecat"\n[[fault]]\nkind = "blackout"\nat = "1s"\nfor = "1s"\n'
    text += '[[fault]]\nkind = "server-exhausted"\nat = "3s"\nfor = "1s"\n'
    assert faults(text) == [
        'test: fault[1].kind is "server-exhausted", but a server that is not built in opens its own sockets'
    ]


def test_relayed_candidates_alone_are_for_the_built_in_peers(installed):
    installed("pipecat", "fastapi")
    text = PIPECAT + '[ice]\npolicy = "relay"\nused_by = ["client", "server"]\n'
    assert faults(text) == [
        'test: ice.policy is "relay", but the server is "pipecat", which takes all candidates'
    ]
    assert faults(text, ice__policy="all") == []
    assert faults(text, ice__used_by='["client"]') == []


def test_published_peers_have_no_pictures_and_no_actions(bare):
    bare("chromium", "npm")
    pictures = 'media = ["video"]\n'
    assert faults(PIPECAT + pictures) == [
        'test: peers.media has "video", but "pipecat" sends and shows no pictures here'
    ]
    found = faults(CHROMIUM + pictures + '[[action]]\nat = "1s"\ndo = "mute"\n')
    assert found[0] == 'test: peers.media has "video", but "chromium" sends and shows no pictures here'
    assert found[-1] == "test: action: nothing of these tables means anything to a browser"


def test_an_own_server_needs_uvicorn_only_if_it_is_an_asgi_application(installed):
    def told(name):
        return faults(f'[peers]\nserver = "{name}"\n')

    installed()
    assert told("tests.apps.aiohttp_bot:app") == []
    [fault] = told("tests.apps.plain_asgi:app")
    assert "uvicorn, which serves it, is missing" in fault
    installed("uvicorn")
    assert told("tests.apps.plain_asgi:app") == []
