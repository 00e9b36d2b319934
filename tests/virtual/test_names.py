"""Whose names are known inside: nobody asks the machine's name servers."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from simlab.virtual.names import names_unknown_outside
from tests.virtual.sessions import run_text

# A bot with ``RTCPeerConnection()``, for which aiortc takes a STUN server of Google's.
OWN = 'duration = "4s"\n[peers]\nserver = "tests.apps.aiohttp_bot:app"\nmedia = []\n'


def test_an_offer_takes_as_long_whatever_the_name_servers_say(monkeypatch):
    asked, found = [], []

    def known(name):
        asked.append(name)
        return "192.0.2.7"

    def unknown(name):
        asked.append(name)
        raise socket.gaierror(socket.EAI_NONAME, "nobody is there")

    for answer in (known, unknown):
        monkeypatch.setattr(socket, "gethostbyname", answer)
        found.append(run_text(OWN).to_text())
    assert found[0] == found[1]
    assert asked == []


def test_hosts_own_names_and_addresses_are_known():
    with names_unknown_outside():
        assert socket.gethostbyname("localhost") == "127.0.0.1"
        assert socket.gethostbyname("10.0.3.2") == "10.0.3.2"
        with pytest.raises(socket.gaierror, match="not known"):
            socket.gethostbyname("stun.example.org")


def test_another_thread_asks_as_ever(monkeypatch):
    monkeypatch.setattr(socket, "gethostbyname", lambda name: f"address of {name}")
    with names_unknown_outside(), ThreadPoolExecutor(1) as executor:
        assert executor.submit(socket.gethostbyname, "a").result() == "address of a"
