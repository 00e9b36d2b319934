"""Which control socket is found without being named."""

import os
import socket
import subprocess
import sys

import pytest

from simlab.core.errors import InvalidInputError
from simlab.live.remote.paths import default_path, folder, the_only_one


@pytest.fixture
def sockets(tmp_path, monkeypatch):
    """The folder of the control sockets, with one of a relay that was killed; its number is another's now."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder().mkdir(mode=0o700)
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


def test_of_several_it_is_told_which_there_are(sockets):
    names = ("intercept-2", "relay-3", "relay-4")
    listening = [socket.socket(socket.AF_UNIX) for _ in names]
    for one, name in zip(listening, names, strict=True):
        one.bind(str(sockets / f"{name}.sock"))
        one.listen()
    with pytest.raises(InvalidInputError) as refused:
        the_only_one()
    which = [f"--socket {sockets / f'{name}.sock'}" for name in names]
    assert list(refused.value.faults) == [f"1 intercept and 2 relays run, say which: {one}" for one in which]
    for one in listening:
        one.close()


def test_the_sockets_of_the_dead_are_cleared_away_and_no_others(sockets):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    for name in (f"relay-{process.pid}.sock", "relay-mine.sock"):
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(sockets / name))
    (sockets / "notes").touch()
    with socket.socket(socket.AF_UNIX) as listening:
        # By its number it is nobody's here, as in another container, and it answers.
        listening.bind(str(sockets / f"intercept-{process.pid}.sock"))
        listening.listen()
        assert default_path("relay") == sockets / f"relay-{os.getpid()}.sock"
    # That of this process could be about to listen, and that of a name could be anybody's.
    assert sorted(path.name for path in sockets.iterdir()) == sorted(
        [f"intercept-{process.pid}.sock", f"intercept-{os.getpid()}.sock", "relay-mine.sock", "notes"]
    )


def test_a_folder_in_which_others_can_put_sockets_is_not_trusted(sockets):
    sockets.chmod(0o777)
    for find in (the_only_one, lambda: default_path("relay")):
        with pytest.raises(InvalidInputError, match="nobody else can write to"):
            find()


def test_nor_is_a_folder_that_is_a_link_to_elsewhere(sockets, tmp_path):
    sockets.rename(tmp_path / "elsewhere")
    sockets.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInputError, match="want a folder of your own"):
        the_only_one()


def test_nor_is_that_of_somebody_else(sockets, monkeypatch):
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    with pytest.raises(InvalidInputError, match="want a folder of your own"):
        the_only_one()
