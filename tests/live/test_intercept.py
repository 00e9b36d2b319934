"""``simlab intercept`` as a whole: several clients at once, its commands, and its end."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from click.testing import CliRunner

import simlab
from simlab.cli.intercept import _teller
from simlab.cli.main import main
from simlab.core.timeline import Event
from simlab.live.addresses import gathering_from
from simlab.webrtc.http import RequestParams
from simlab.webrtc.transport import SmallWebRTCTransport
from tests.live.processes import child, eventually


class Intercept:
    """A server, and an intercept in front of it."""

    def __init__(self, *options, server=()):
        self._processes = []
        self.server = self._start("serve", "--port", "0", "--quiet", *server)
        upstream = self.upstream = self.server.stdout.readline().split()[2]
        self.process = self._start(
            *("intercept", "--upstream", upstream, "--listen", "localhost:0", "--quiet"), *options
        )
        told = self.process.stderr if "--json" in options else self.process.stdout
        self.url = re.search(r"http://\S+", told.readline())[0]
        page = re.search(r"http://\S+", told.readline())[0]
        self.control, _, self.token = page.partition("/?token=")
        self.socket = told.readline().split()[-2]

    def _start(self, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "simlab", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self._processes.append(process)
        return process

    def do(self, command, given=None, *, token=None, **headers):
        """Give a command, and return the status and what is answered."""
        body = given if isinstance(given, bytes) else json.dumps(given or {}).encode()
        url = f"{self.control}/api/{command}?token={self.token if token is None else token}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text else None

    def answer(self, command, **given):
        status, body = self.do(command, {key.rstrip("_"): value for key, value in given.items()})
        assert status == 200, body
        return body["answer"]

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    def close(self):
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with contextlib.closing(Intercept("--out", str(tmp_path_factory.mktemp("recordings")))) as it:
        yield it


@contextlib.asynccontextmanager
async def calling(url):
    """Meet the bot through the intercept."""
    client = SmallWebRTCTransport(webrtc_request_params=RequestParams(f"{url}/api/offer"))
    await asyncio.wait_for(client.connect(), 30.0)
    try:
        yield client
    finally:
        await client.disconnect()
        await client.release()


def on_loopback(work):
    with gathering_from(lambda: ["127.0.0.1"]):
        return asyncio.run(work())


def test_two_clients_at_once_are_recorded_apart(shared):
    shared.answer("record", name="two")

    async def talk():
        async with calling(shared.url), calling(shared.url):
            await asyncio.sleep(1.5)
            clients = (await asyncio.to_thread(shared.answer, "clients"))["clients"]
            await asyncio.to_thread(shared.answer, "blackout", for_="1s", client=2)
            await asyncio.sleep(2.0)
        return clients

    clients = on_loopback(talk)
    assert sorted(clients) == ["1", "2"]
    assert all(client["ready"] and client["silent"] == [] for client in clients.values())
    saved = shared.answer("stop_recording")["folders"]
    assert [one["client"] for one in saved] == [1, 2]
    one, other = (simlab.open(each["folder"]) for each in saved)
    assert [len(run.scenario.profile.faults) for run in (one, other)] == [0, 1]
    assert [set(run.metrics["links"]["up"]["dropped"]) for run in (one, other)] == [set(), {"blackout"}]
    assert [outage["outcome"] for outage in other.metrics["outages"]] == ["self_healed"]
    for run in (one, other):
        assert run.metrics["connect"]["bot_ready_s"] > 0
        assert run.metrics["media"]["down"]["received"] > 50


def test_a_second_recording_has_what_came_since(shared):
    shared.answer("record", name="second")
    status, body = shared.do("record", {"name": "third"})
    assert (status, body["faults"]) == (400, ["record: a recording is under way: stop it first"])

    async def talk():
        async with calling(shared.url):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(shared.answer, "set", **{"link.up.delay": "30ms"})
            await asyncio.to_thread(shared.answer, "rebind")
            await asyncio.sleep(1.5)

    on_loopback(talk)
    (saved,) = shared.answer("stop_recording")["folders"]
    run = simlab.open(saved["folder"])
    assert run.scenario.profile.name == "second"
    assert [fault.kind for fault in run.scenario.profile.faults] == ["rebind"]
    (change,) = run.scenario.profile.link.up.changes
    assert change.settings.delay.mean_s == 0.03
    # The server goes on with the client at its new address.
    assert run.metrics["media"]["up"]["alive_at_end"]
    shared.answer("set", **{"link.up.delay": None})
    assert shared.answer("status")["overrides"] == {}


def recorded_call(it):
    """Record a short call, and go on recording."""
    it.answer("record")

    async def talk():
        async with calling(it.url):
            await asyncio.sleep(1.5)

    on_loopback(talk)


def test_a_recording_under_way_is_saved_when_the_terminal_is_closed(tmp_path):
    with contextlib.closing(Intercept("--out", str(tmp_path))) as it:
        recorded_call(it)
        status, out, err = it.end(signal.SIGHUP)
    (folder,) = tmp_path.iterdir()
    assert (status, out, err) == (0, f"Saved in {folder}\n", "")


@pytest.mark.skipif(os.getuid() != 0, reason="only root may have a higher priority")
def test_its_relay_is_in_time_on_a_busy_machine():
    with contextlib.closing(Intercept()) as it:
        policy = os.sched_getscheduler(child(it.process.pid, "relay"))
        assert policy & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR


@pytest.mark.parametrize("options", [[], ["--capture"]])
def test_what_was_recorded_is_saved_when_the_relay_is_killed(tmp_path, options):
    with contextlib.closing(Intercept("--out", str(tmp_path), *options)) as it:
        recorded_call(it)
        os.kill(child(it.process.pid, "relay"), signal.SIGKILL)
        _, err = it.process.communicate(timeout=30)
    (folder,) = tmp_path.iterdir()
    wanted = f"the relay process was killed by SIGKILL; what was recorded is in {folder}"
    assert (it.process.returncode, err) == (3, f"Error: relay: {wanted}\n")
    run = simlab.open(folder)
    assert run.metrics["connect"]["bot_ready_s"] is not None
    assert (folder / "capture.pcapng").exists() == bool(options)


def test_when_nobody_reads_what_it_says_it_ends_in_order_and_saves(tmp_path):
    with contextlib.closing(Intercept("--out", str(tmp_path), "--json")) as it:
        it.answer("record")
        where = {"listen": it.url, "control": it.control, "token": it.token, "socket": it.socket}
        began = {"t_s": 0.0, "source": "session", "kind": "listening", "upstream": it.upstream}
        assert json.loads(it.process.stdout.readline()) == {**began, **where}
        it.process.stdout.close()
        with contextlib.suppress(Exception):
            on_loopback(lambda: calling(it.url).__aenter__())
        assert it.process.wait(20) == 141
        assert it.process.stderr.read() == ""
    assert len(list(tmp_path.iterdir())) == 1


def test_where_nothing_can_be_saved_nothing_is_recorded(tmp_path):
    (tmp_path / "file").touch()
    with contextlib.closing(Intercept("--out", str(tmp_path / "file"))) as it:
        assert it.do("record") == (
            400,
            {"faults": [f"--out {tmp_path / 'file'}: it is a file, want a folder"]},
        )
        assert it.end()[0] == 0


def test_a_rebinding_is_told_as_what_it_does_for_it_has_no_length(capsys):
    tell = _teller(as_json=False, quiet=False)
    tell(Event(1.5, "fault", "begin", {"index": 0, "fault": "rebind", "client": 2}))
    tell(Event(2.5, "fault", "begin", {"index": 1, "fault": "blackout", "for": "5s"}))
    assert capsys.readouterr().out.splitlines() == [
        "    1.500 s  client 2: seen by the server from another port",
        "    2.500 s  blackout begins for 5s",
    ]


@pytest.mark.parametrize(
    ("upstream", "listen"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("http://127.0.0.1:8000/bot", "localhost:8000"),
        ("https://[::1]:8000", "[::]:8000"),
        ("http://localhost", "127.0.0.1:80"),
    ],
)
def test_an_intercept_of_itself_is_refused(upstream, listen):
    found = CliRunner().invoke(main, ["intercept", "--upstream", upstream, "--listen", listen])
    wanted = f"Error: --upstream {upstream}: is where the intercept itself is to listen\n"
    assert (found.exit_code, found.output) == (2, wanted)


def test_who_is_silent_is_forgotten_and_a_recording_under_way_is_saved_at_the_end(tmp_path):
    with contextlib.closing(Intercept("--idle", "1s", "--out", str(tmp_path))) as it:
        it.answer("record")

        async def talk():
            async with calling(it.url):
                await asyncio.sleep(0.5)

        on_loopback(talk)
        eventually(lambda: not it.answer("clients")["clients"])
        status, out, err = it.end(signal.SIGTERM)
    assert (status, err) == (0, "")
    (folder,) = tmp_path.iterdir()
    assert out == f"Saved in {folder}\n"
    # What was known of the client is in it, though it had been forgotten by then.
    assert simlab.open(folder).metrics["links"]["up"]["delivered"] > 20


@pytest.mark.parametrize(
    ("command", "given", "faults"),
    [
        ("blackout", {"for": "-1s", "direction": "left", "client": 99}, 3),
        ("blackout", {"for": "5"}, 1),
        ("blackout", {"kind": "block", "wrong": 1}, 1),
        ("fault", {"kind": "server-restart"}, 1),
        ("fault", {}, 1),
        ("clear", {"number": 99}, 1),
        ("signalling", {"how": "hang", "for": "1s", "client": 1}, 1),
        ("rebind", {"what": "address"}, 1),
        ("pause", {"for": "1s", "client": True, "direction": "x"}, 2),
        ("block", {"for": "1s", "match": ["nothing"]}, 1),
        ("set", {"link.up.loss": "500%", "link.down.delay": "-4ms"}, 2),
        ("set", {"policy.name": "never", "link.loss": True}, 2),
        ("set", {}, 1),
        ("load", {"toml": '[link]\nloss = "x"\n'}, 1),
        ("load", {"toml": '[[fault]]\nkind = "server-restart"\nat = "1s"\nfor = "1s"\n'}, 1),
        ("load", {"profile": "no-such-profile"}, 1),
        ("signalling", {"how": "status 200", "for": "0s"}, 2),
        ("signalling", {"how": "half-open", "for": "1s"}, 1),
        ("record", {"name": "../x"}, 1),
        ("stop_recording", {}, 1),
        ("rebind", {"wrong": 1}, 1),
        ("blackout", b"[1]", 1),
        ("blackout", b"{", 1),
    ],
)
def test_a_wrong_command_changes_nothing_and_tells_every_fault(shared, command, given, faults):
    before = shared.answer("status")
    assert before["recording"] is None
    status, body = shared.do(command, given)
    assert status == 400
    assert len(body["faults"]) == faults, body
    after = shared.answer("status")
    for key in ("overrides", "link", "faults", "recording", "profile"):
        assert after[key] == before[key]


def test_what_is_wrong_with_settings_is_told_as_of_set(shared):
    wrong = {"faults": ['set: signalling.dlay is unknown, did you mean "delay"?']}
    assert shared.do("set", {"signalling.dlay": "1ms"}) == (400, wrong)


def test_without_the_token_or_by_another_name_nothing_is_answered(shared):
    want = {"faults": ["want the token"]}
    assert shared.do("status", token="") == (401, want)
    assert shared.do("status", token=shared.token[:-1]) == (401, want)
    assert shared.do("status", Host="evil.example") == (403, {"faults": ["this Host is not served"]})
    another = {"faults": ["pages of another origin are not served"]}
    assert shared.do("status", **{"Sec-Fetch-Site": "cross-site"}) == (403, another)
    assert shared.do("status", token="x", **{"Sec-Fetch-Site": "same-site"}) == (403, another)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{shared.control}/")
    assert (refused.value.code, json.load(refused.value)) == (401, want)
    assert shared.do("nothing")[0] == 404
    bearer = {"Authorization": f"Bearer {shared.token}"}
    for body in (b"{}", None):  # what changes nothing can be had by GET
        request = urllib.request.Request(f"{shared.control}/api/status", body, bearer)
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["answer"]["listen"] == shared.url
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{shared.control}/api/clear", None, bearer))
    assert refused.value.code == 405


def test_events_and_states_are_streamed_to_any_number(shared):
    streams = [urllib.request.urlopen(f"{shared.control}/api/events?token={shared.token}") for _ in range(2)]
    with contextlib.ExitStack() as stack:
        for stream in streams:
            stack.enter_context(stream)
            assert stream.headers["Content-Type"] == "text/event-stream"
        shared.answer("rebind")
        for stream in streams:
            found = {}
            while set(found) != {b"event: event", b"event: state"}:
                name = stream.readline().strip()
                if name:
                    found[name] = json.loads(stream.readline().removeprefix(b"data: "))
            assert {"source", "kind", "t_s"} <= set(found[b"event: event"])
            assert found[b"event: state"]["listen"] == shared.url


def test_the_page_needs_nothing_from_elsewhere(shared):
    with urllib.request.urlopen(f"{shared.control}/?token={shared.token}") as answer:
        page, policy = answer.read().decode(), answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert re.findall(r"(?:src|href)=\"[^\"]", page) == []
    assert "EventSource" in page


def refused(*options):
    """Start an intercept that is wrong, and return its exit status and what it says."""
    done = CliRunner().invoke(main, ["intercept", *options])
    return done.exit_code, done.stderr


def test_a_users_mistakes_are_all_told(tmp_path):
    status, told = refused(
        *("--upstream", "localhost:7860", "--listen", "8000", "--control", "x:y"),
        *("--media-host", "192.0.2.99", "--idle", "5", "--name", "http://my-laptop"),
    )
    assert status == 2
    for option in ("--upstream", "--listen", "--control", "--media-host", "--idle", "--name"):
        assert f"{option} " in told
    twice = ("--media-host", "127.0.0.1", "--media-host", "127.0.0.2")
    status, told = refused("--upstream", "http://localhost:1", *twice)
    assert (status, "--media-host 127.0.0.2: want one of IPv4 and one of IPv6 at most" in told) == (2, True)
    status, told = refused("--upstream", "http://localhost:1", "--set", "link.loss=lots")
    assert (status, "link.loss" in told) == (2, True)
    profile = tmp_path / "own.toml"
    profile.write_text(
        '[[fault]]\nkind = "tab-closed"\nat = "1s"\n[nat]\none_to_one = true\n'
        '[[fault]]\nkind = "rebind"\nat = "1s"\nwhat = "address"\n'
        '[[action]]\ndo = "disconnect"\nat = "1s"\n'
    )
    status, told = refused("--upstream", "http://localhost:1", "--profile", str(profile))
    assert status == 2, told
    for key in ("fault[0].kind", "nat.one_to_one", "fault[1].what", "action"):
        assert key in told
    fault = '[[fault]]\nkind = "signalling"\nat = "1s"\nfor = "1s"\nhow = "half-open"\n'
    profile.write_text(f'[signalling]\npath = "link"\n{fault}')
    status, told = refused("--upstream", "http://localhost:1", "--profile", str(profile))
    assert (status, "fault[0].how" in told, "signalling.path" in told) == (2, True, True)


def test_a_port_that_is_taken_is_told(shared):
    place = shared.control.removeprefix("http://")
    status, told = refused("--upstream", "http://localhost:1", "--listen", place)
    assert (status, f"--listen: cannot listen on {place}: Address already in use\n" in told) == (3, True)
    options = ("--listen", "localhost:0", "--control", place)
    status, told = refused("--upstream", "http://localhost:1", *options)
    assert (status, f"control: cannot listen on {place}: Address already in use\n" in told) == (3, True)


def test_a_client_that_hangs_up_while_it_is_recorded_is_missed_no_more(shared):
    shared.answer("record", name="hang-up")

    async def talk():
        async with calling(shared.url):
            await asyncio.sleep(1.5)
        await asyncio.sleep(3.0)

    on_loopback(talk)
    (saved,) = shared.answer("stop_recording")["folders"]
    run = simlab.open(saved["folder"])
    assert run.metrics["outages"] == []
    ends = run.timeline.events[-1]
    assert ends.data == {"reason": "client hung up"}
    assert [event.t_s for event in run.timeline.select("client", "hung_up")] == [ends.t_s]
    assert ends.t_s == run.metrics["duration_s"]
