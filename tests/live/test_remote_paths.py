"""Which control socket is found without being named."""

import os
import socket

import pytest

from simlab.core.errors import InvalidInputError
from simlab.live.remote.paths import folder, the_only_one


@pytest.fixture
def sockets(tmp_path, monkeypatch):
    """The folder of the control sockets, with one of a relay that was killed; its number is another's now."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder().mkdir()
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(folder() / f"intercept-{os.getpid()}.sock"))
    return folder()


def test_the_socket_of_a_killed_relay_is_none(sockets):
    with pytest.raises(InvalidInputError, match="no relay of yours runs here"):
        the_only_one()


def test_one_that_answers_is_found_beside_those_of_killed_ones(sockets):
    (sockets / "relay-1.sock").touch()
    path = sockets / f"relay-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        assert the_only_one() == path
