"""``simlab relay`` and ``simlab ctl`` on the command line."""

import json
import re
import signal
import socket

import pytest

from simlab.cli.main import main
from simlab.cli.relay_lines import Lines, line_of, summary_lines


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--listen", "127.0.0.1"], ["--listen is '127.0.0.1', want an address and a port"]),
        (["--listen", "::1:5000"], ["--listen is '::1:5000', want an address and a port"]),
        (["--to", "127.0.0.1:0"], ["--to is '127.0.0.1:0', want"]),
        (["--to", "127.0.0.1:70000"], ["--to is '127.0.0.1:70000', want"]),
        (["--control", "localhost"], ["--control is 'localhost', want"]),
        (["--idle", "soon"], ["--idle is 'soon', want"]),
        (["--idle", "0s"], ["--idle is '0s', want more than 0"]),
        (["--token-file", "token"], ["--token-file: want --control beside it"]),
        (["--profile", "nowhere.toml"], ["nowhere.toml: there is no such file"]),
        (["--set", "link.loss=500%", "--set", "link.dlay=1ms"], ["link.loss", "link.dlay"]),
    ],
)
def test_what_is_wrong_is_said_before_anything_listens(simlab, options, words):
    found = simlab("relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", *options)
    assert found.exit_code == 2
    for word in words:
        assert word in found.output


def test_others_than_this_machine_are_warned_of(start):
    process = start("relay", "--listen", "0.0.0.0:0", "--to", "127.0.0.1:9", "--control", "192.0.2.7:0")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3  # that address is nobody's
    lines = err.splitlines()
    assert lines[0] == (
        "Warning: others than this machine reach 0.0.0.0, and can send packets through this relay."
    )
    assert lines[1].startswith(
        "Warning: others than this machine reach 192.0.2.7, and can control this relay"
    )
    assert lines[2].startswith("Error: control: cannot listen on 192.0.2.7:0")


def test_without_a_relay_ctl_says_so(simlab, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    found = simlab("ctl", "status")
    assert (found.exit_code, found.output) == (
        2,
        "Error: no relay of yours runs here; start simlab relay or simlab intercept, or say --socket\n",
    )
    assert simlab("ctl", "--socket", str(tmp_path / "no"), "status").exit_code == 3


def test_a_relay_is_controlled_from_the_command_line(start, simlab, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    process = start("relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--profile", "signalling_down")
    first = process.stdout.readline()
    port = int(first.split()[1].rpartition(":")[2])

    def ctl(*arguments):
        return simlab("ctl", "--json", *arguments)

    def answer(*arguments):
        return json.loads(ctl(*arguments).output)

    assert answer("set", "link.loss=5%", "link.up.rate=1Mbit/s")["up"]["rate"] == "1Mbit/s"
    assert 'rate = "1Mbit/s"' in simlab("ctl", "settings").output
    assert simlab("ctl", "set", "link.up.rate=").output == "link.up.rate is taken away\n"
    assert "rate" not in simlab("ctl", "settings").output
    assert answer("blackout", "--for", "50s") == {"number": 1, "kind": "blackout", "for_s": 50}
    assert answer("fault", "bad-integrity", "direction=up") == {
        "number": 2,
        "kind": "bad-integrity",
        "for_s": None,
    }
    assert len(answer("status")["faults"]) == 2
    assert simlab("ctl", "clear").output == "2 ended\n"
    assert simlab("ctl", "block", "--match", "dtls").output == "block [3], simlab ctl clear ends it\n"
    assert simlab("ctl", "pause", "--for", "1ms").output == "held for 1ms\n"
    assert simlab("ctl", "resume").output == "packets leave again\n"
    assert simlab("ctl", "rebind").output == "0 clients have moved\n"
    assert answer("clients") == []
    told = {
        ("signalling", "refused"): "Error: signalling: is for simlab intercept, and this is simlab relay\n",
        ("stop-recording",): "Error: stop_recording: is for simlab intercept, and this is simlab relay\n",
        **{
            (command, "--client", "1"): f"Error: {command}: client is for simlab intercept: "
            "the clients of a relay share its links\n"
            for command in ("blackout", "pause", "rebind")
        },
    }
    assert {words: simlab("ctl", *words).output for words in told} == told
    assert simlab("ctl", "load", "blackout", "--set", "seed=3").output == "blackout begins, seed 3\n"
    wrong = simlab("ctl", "set", "link.loss=101%", "link.up.dlay=3ms")
    assert wrong.exit_code == 2
    assert len(wrong.output.splitlines()) == 3
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"hello", ("127.0.0.1", port))
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert all(line.startswith("Note: profiles/signalling_down.toml: fault[") for line in err.splitlines())
    assert re.fullmatch(r"up: 1 packet came, .*", out.splitlines()[-2])


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        (("importlib.util.find_spec", lambda name: None), "pip install 'simlab[fast]'"),
        (("sys.platform", "darwin"), "--compiled works on Linux alone"),
    ],
)
def test_compiled_wants_numba_and_linux(simlab, monkeypatch, lacking, words):
    monkeypatch.setattr(*lacking)
    found = simlab("relay", "--compiled", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9")
    assert found.exit_code == 2
    assert words in found.output


def test_a_hold_and_its_end_are_lines():
    event = {"t_s": 1.5, "number": 1, "directions": ["up", "down"], "for_s": None}
    assert line_of({**event, "kind": "pause"}) == "      1.5 s  packets are held, up and down"
    assert line_of({**event, "kind": "resume"}) == "      1.5 s  packets leave again, up and down"


def test_what_was_set_reads_as_one_would_say_it():
    settings = {"link.loss": "5%", "link.up.rate": None}
    line = line_of({"t_s": 1.5, "kind": "set", "settings": settings})
    assert line == "      1.5 s  link.loss is 5%, link.up.rate is taken away"


def test_one_is_not_several():
    lines = [line_of({"t_s": 1.5, "kind": "rebind", "clients": clients}) for clients in (1, 2)]
    assert lines == [
        "      1.5 s  1 client is known by other ports from now on",
        "      1.5 s  2 clients are known by other ports from now on",
    ]
    way = {"offered": 1, "delivered": 1, "under_way": 0, "dropped": {}, "kernel_dropped": 0}
    assert next(summary_lines({"up": way, "down": way})) == "up: 1 packet came, 1 left; none dropped."


def test_a_second_in_which_nothing_came_is_not_told():
    def second(t_s, offered):
        way = {"offered": offered, "delivered": offered, "dropped": {}, "kernel_dropped": 0}
        return {"kind": "stats", "t_s": t_s, "up": way, "down": way}

    lines = Lines()
    seconds = [second(t_s, offered) for t_s, offered in enumerate([0, 0, 1, 1, 1, 2])]
    seconds[2]["up"]["delay_p50_s"] = 0.02  # of the packets of that second
    told = [lines(event) for event in seconds]
    assert [line and line.strip() for line in told] == [
        None,
        None,
        "2.0 s  up 1 of 1, 20.0 ms, down 1 of 1, 20.0 ms",
        None,
        None,
        "5.0 s  up 2 of 2, down 2 of 2",
    ]


def test_they_are_commands():
    assert {"relay", "ctl"} <= set(main.list_commands(None))


def test_one_packet_of_a_forgotten_client_is_told_as_one():
    line = line_of({"t_s": 1.5, "kind": "unmapped", "client": "a", "up": 1, "down": 2})
    assert line == "      1.5 s  a was idle and is forgotten (1 packet up, 2 down)"
