"""``simlab run --capture`` and ``simlab capture summarise``."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simlab.cli.main import main
from simlab.cli.show_capture import _connection
from tests.cli.conftest import PROFILES

CLEAN = ("--set", "duration=5s", "--set", "peers.media=[]", "--set", "link.loss=5%", "--quiet")
FILES = {"scenario.toml", "timeline.jsonl", "metrics.json", "timeline.png"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the run folders of two captured sessions, each in a process of its own."""
    out = tmp_path_factory.mktemp("results")
    arguments = ("run", str(PROFILES / "clean.toml"), *CLEAN, "--capture", "--seeds", "2", "--jobs", "2")
    assert CliRunner().invoke(main, (*arguments, "--out", str(out))).exit_code == 0
    return sorted(out.iterdir())  # nothing hidden is left beside them


@pytest.fixture
def folder(made, tmp_path):
    return Path(shutil.copytree(made[0], tmp_path / "run"))


def test_a_run_folder_has_the_packets_when_asked_for_and_only_then(simlab, here, made):
    assert [{path.name for path in one.iterdir()} for one in made] == [
        FILES | {"capture.pcapng", "dtls.keys", "packets.parquet"}
    ] * 2
    assert simlab("run", "clean", *CLEAN).exit_code == 0
    (other,) = (here / "results").iterdir()
    assert {path.name for path in other.iterdir()} == FILES


def test_the_summary_finds_the_keys_beside_the_capture(simlab, folder):
    result = simlab("capture", "summarise", str(folder))
    assert result.exit_code == 0
    links = json.loads((folder / "metrics.json").read_text())["links"]
    up = links["up"]
    assert (
        f"  up: {up['offered']} offered, {up['delivered']} delivered, dropped: loss {up['dropped']['loss']}"
        in (result.stdout.splitlines())
    )
    assert "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" in result.stdout
    assert "SCTP up: CookieAck 1" in result.stdout
    assert f"-o tls.keylog_file:{folder / 'dtls.keys'} {folder / 'capture.pcapng'}" in result.stdout


def test_one_packet_is_told_as_one():
    labels = {
        "client": "a",
        "server": "b",
        "first_s": 0.0,
        "last_s": 0.0,
        "usernames": [],
        "stun": {},
        "rtcp": {},
    }
    one = {"interface": "x", "packets": {"up": 1}, **labels, "dtls": [], "sctp": {}, "unread": 1}
    first, last = _connection(one, None)
    assert first == "  x: a - b, 0.000 - 0.000 s, 1 packet up, 0 down"
    assert last == "    SCTP: 1 DTLS record not read (no keys)"


def test_the_summary_as_json_is_json_alone(simlab, folder):
    found = json.loads(simlab("capture", "summarise", str(folder / "capture.pcapng"), "--json").stdout)
    assert set(found) >= {"file", "comment", "lost", "is_cut", "interfaces", "links", "connections", "rtp"}
    assert found["connections"][0]["sctp"]["up"]["Init"] == 1


def test_a_torn_file_is_read_and_said_to_be_so(simlab, folder):
    path = folder / "capture.pcapng"
    path.write_bytes(path.read_bytes()[:5000])
    result = simlab("capture", "summarise", str(path))
    assert result.exit_code == 0
    assert "The file breaks off" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.pcapng",), "nowhere.pcapng: no such file"),
        (("foreign",), "foreign: not a capture of simlab"),
        ((".",), "capture.pcapng: no such file or directory"),
        (("CAPTURE", "--keys", "foreign"), "foreign: line 1: not a line of a key log"),
        (("CAPTURE", "--keys", "nowhere"), "nowhere: no such file or directory"),
    ],
)
def test_what_cannot_be_read_is_exit_2_and_named(simlab, here, folder, arguments, said):
    (here / "foreign").write_text("something else, and quite long")
    arguments = [str(folder / "capture.pcapng") if word == "CAPTURE" else word for word in arguments]
    result = simlab("capture", "summarise", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


PROGRAM = """
import sys
import beside

print(__name__, sys.argv, beside.NAME)
sys.exit(7)
"""


@pytest.mark.parametrize("how", [["bot.py"], ["-m", "bot"]])
def test_a_program_runs_as_python_would_run_it(how, tmp_path):
    (tmp_path / "bot.py").write_text(PROGRAM)
    (tmp_path / "beside.py").write_text('NAME = "beside"')
    command = [sys.executable, "-m", "simlab", "capture", "keys", "keys", *how, "-t", "webrtc", "--help"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    name = "bot.py" if how == ["bot.py"] else str(tmp_path / "bot.py")
    assert ran.stdout.strip() == f"__main__ {[name, '-t', 'webrtc', '--help']} beside"
    assert (ran.returncode, (tmp_path / "keys").stat().st_mode & 0o777) == (7, 0o600)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["keys", "nowhere.py"], "nowhere.py: no such file"),
        (["keys", "-m"], "-m: want the name of a module after it"),
        (["keys", "-m", "no.such_module"], "-m no.such_module: there is no such module"),
        (["no/keys", "-m", "json.tool"], "no/keys: No such file or directory"),
    ],
)
def test_a_program_that_is_not_there_is_told(here, simlab, arguments, fault):
    result = simlab("capture", "keys", *arguments)
    assert (result.exit_code, result.stderr) == (2, f"Error: {fault}\n")


def test_what_has_no_end_is_no_capture(simlab):
    result = simlab("capture", "summarise", "/dev/zero")
    told = "/dev/zero: not a capture of simlab: no little-endian pcapng file"
    assert (result.exit_code, result.stderr) == (2, f"Error: {told}\n")
