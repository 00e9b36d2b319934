"""An intercept by its control socket: ``simlab ctl`` and ``simlab.Relay``, as for a relay."""

import asyncio
import contextlib
import json
import socket
import stat
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

import simlab
from simlab.cli.main import main
from tests.live.processes import eventually
from tests.live.test_intercept import Intercept, calling, on_loopback


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controlled")
    options = ("--out", str(folder / "results"), "--socket", str(folder / "control"))
    with contextlib.closing(Intercept(*options)) as it:
        yield it


@pytest.fixture
def ctl(shared):
    def run(*arguments, status=0):
        result = CliRunner().invoke(main, ["ctl", "--socket", shared.socket, *arguments])
        assert result.exit_code == status, result.output
        return result.stdout if status == 0 else result.stderr

    return run


def test_nobody_else_may_open_it(shared):
    assert stat.S_IMODE(Path(shared.socket).stat().st_mode) == 0o600


def test_ctl_changes_what_an_intercept_does_to_one_client(shared, ctl):
    async def run(*arguments):
        return await asyncio.to_thread(ctl, *arguments)

    async def talk():
        await run("record", "--name", "by-ctl")
        async with calling(shared.url), calling(shared.url):
            await run("set", "link.delay=30ms", "link.up.loss=1%")
            await run("blackout", "--for", "1s", "--client", "2")
            await run("pause", "--direction", "down")
            await asyncio.sleep(0.3)
            held = json.loads(await run("stats"))
            await run("resume")
            await run("block", "--match", "rtp", "--direction", "up")
            await asyncio.sleep(1.5)
            began = json.loads(await run("--json", "status"))["faults"]
            assert await run("clear") == "1 ended\n"
            moved = await run("rebind", "--client", "1")
            await asyncio.sleep(1.0)
            return held, began, moved, await run("stop-recording")

    held, began, moved, saved = on_loopback(talk)
    assert (held["clients"], moved) == (2, "1 client has moved\n")
    assert held["up"]["offered"] >= held["up"]["delivered"] + held["up"]["dropped"]["blackout"]
    assert [(one["fault"], one["left_s"], one["match"]) for one in began] == [("block", None, ["rtp"])]
    runs = [simlab.open(line.partition(": ")[2]) for line in saved.splitlines()]
    assert [fault.for_s for fault in runs[1].scenario.profile.faults if fault.kind == "blackout"] == [1.0]
    kinds = [[fault.kind for fault in run.scenario.profile.faults] for run in runs]
    assert kinds == [["pause", "block", "rebind"], ["blackout", "pause", "block"]]
    for run, causes in zip(runs, ({"block"}, {"block", "blackout"}), strict=True):
        assert causes <= set(run.metrics["links"]["up"]["dropped"]) <= causes | {"loss"}
    assert shared.answer("status")["overrides"] == {"link.delay": '"30ms"', "link.up.loss": '"1%"'}
    ctl("set", "link.delay=", "link.up.loss=")
    assert shared.answer("status")["overrides"] == {}


def test_a_profile_of_ones_own_machine_is_loaded_and_ends_what_was_begun_by_hand(shared, ctl, tmp_path):
    profile = tmp_path / "mine.toml"
    profile.write_text('name = "mine"\nseed = 7\n[link]\ndelay = "20ms"\n')
    assert "signalling [" in ctl("signalling", "status 503")
    assert ctl("load", str(profile), "--set", "link.down.loss=2%") == "mine begins, seed 7\n"
    status = shared.answer("status")
    assert (status["profile"]["name"], status["faults"], status["overrides"]) == ("mine", [], {})
    assert json.loads(ctl("--json", "settings"))["down"]["loss"] == "2%"
    profile.write_text('[nat]\none_to_one = true\n[[fault]]\nkind = "inject"\nat = "1s"\nwhat = "replay"\n')
    told = ctl("load", str(profile), status=2)
    assert "nat.one_to_one" in told
    assert 'fault[0].kind is "inject"' in told
    assert shared.answer("status")["profile"]["name"] == "mine"


def test_python_finds_it_and_is_told_what_happens(shared):
    relay, events = simlab.Relay.connect(shared.socket), []
    assert relay.listen == shared.url
    threading.Thread(target=lambda: events.extend(relay.events()), daemon=True).start()
    with contextlib.closing(relay._connection):
        number = relay.blackout()["number"]
        relay.clear(number)
        with pytest.raises(simlab.core.errors.InvalidInputError, match="client is 99"):
            relay.block(for_="1s", client=99)
        # The thread may begin to listen only now; it ends with the intercept.
        eventually(
            lambda: relay.pause(for_="10ms") and [one for one in events if one.get("fault") == "pause"]
        )


def test_garbage_on_the_socket_harms_nobody(shared, ctl):
    for sent in (b"{\n", b'{"do": "bla', b"x" * 2**20, b'{"do": "blackout", "with": []}\n'):
        with socket.socket(socket.AF_UNIX) as talking:
            talking.connect(shared.socket)
            talking.sendall(sent)
    # Nothing but what the test before may have left for 10 ms.
    assert {one["fault"] for one in json.loads(ctl("status"))["faults"]} <= {"pause"}
