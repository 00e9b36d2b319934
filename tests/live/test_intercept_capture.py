"""The packets of a recording: as many as its timeline says, and readable with the keys of the server."""

import asyncio
import contextlib

import polars as pl
import pytest
from click.testing import CliRunner

import simlab
from simlab.capture import CAPTURE, KEYS, TABLE
from simlab.capture.summary import summarise
from simlab.cli.main import main
from tests.capture import tshark
from tests.live.processes import alive, children, eventually
from tests.live.test_intercept import Intercept, calling, on_loopback

tshark.needs_tshark()


def with_capture(folder):
    keys = str(folder / "server.keys")
    options = ("--out", str(folder / "results"), "--capture", "--keys", keys)
    return contextlib.closing(Intercept(*options, server=("--keys", keys)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Record two clients on a network that changes, and then the rest of a call that began before."""
    with with_capture(tmp_path_factory.mktemp("captured")) as it:

        async def answer(command, **given):
            return await asyncio.to_thread(it.answer, command, **given)

        async def stop():
            return [simlab.open(one["folder"]) for one in (await answer("stop_recording"))["folders"]]

        async def talk():
            await answer("set", **{"link.delay": "20ms"})
            await answer("record", name="whole")
            async with calling(it.url), calling(it.url):
                # Not before: of a handshake whose pieces are sent again, tshark warns.
                await answer("set", **{"link.loss": "5%"})
                await asyncio.sleep(1.0)
                await answer("blackout", for_="500ms", client=2)
                await answer("set", **{"link.up.delay": "60ms"})
                await asyncio.sleep(1.5)
                whole = await stop()
                await answer("record", name="rest")
                await asyncio.sleep(1.0)
                return whole, await stop()

        return on_loopback(talk)


def links_of(run):
    return {
        way: {name: link[name] for name in ("offered", "delivered", "dropped")}
        for way, link in run.metrics["links"].items()
    }


def test_each_client_has_a_capture_that_counts_what_its_timeline_counts(runs):
    whole, rest = runs
    assert [len(runs) for runs in (whole, rest)] == [2, 2]
    for run in (*whole, *rest):
        wanted = links_of(run)
        assert all(wanted[way]["offered"] > 30 for way in ("up", "down"))
        assert tshark.links(run.folder) == wanted
        found = summarise(run.folder / CAPTURE)
        assert {way: {**link, "injected": {}} for way, link in wanted.items()} == found["links"]
        assert (found["lost"], found["is_cut"]) == (0, False)
        packets = pl.read_parquet(run.folder / TABLE)
        for way, link in wanted.items():
            rows = packets.filter(packets["direction"] == way)
            assert (rows["sent_s"].count(), rows["copies"].sum()) == (link["offered"], link["delivered"])
        assert [event["capture_lost"] for event in run.timeline.events if event.kind == "total"] == [0, 0]
    assert ["blackout" in links_of(run)["up"]["dropped"] for run in whole] == [False, True]
    assert not list(whole[0].folder.parent.glob(".*"))


def test_tshark_warns_of_nothing_and_decrypts_to_sctp_with_the_keys_of_the_server(runs):
    whole, _ = runs
    for run in whole:
        assert tshark.warnings(run.folder) == set()
        assert tshark.count(run.folder, "sctp.data_payload_proto_id == 51") > 5
        assert tshark.count(run.folder, "dtls.record.content_type == 23 and not sctp") == 0


def test_the_capture_of_an_intercept_that_is_killed_opens(tmp_path):
    with with_capture(tmp_path) as it:
        it.answer("record")

        async def talk():
            async with calling(it.url):
                return await asyncio.to_thread(eventually, written)

        def written():
            found = list((tmp_path / "results").glob(f".capture-*/1/{CAPTURE}"))
            return found[0] if found and found[0].stat().st_size > 20_000 else None

        path = on_loopback(talk)
        (relay,) = children(it.process.pid)
        (writer,) = children(relay)
        it.process.kill()
        it.process.communicate()
    eventually(lambda: not alive(relay) and not alive(writer))
    (path.parent / KEYS).write_bytes((tmp_path / "server.keys").read_bytes())
    assert summarise(path)["links"]["up"]["offered"] > 20
    assert tshark.warnings(path.parent) == set()
    assert tshark.count(path.parent, "sctp") > 0


def test_what_is_wrong_with_a_key_file_is_told(tmp_path):
    serving = CliRunner().invoke(main, ["serve", "--port", "0", "--keys", str(tmp_path / "nowhere" / "keys")])
    assert serving.exit_code == 2
    assert f"--keys {tmp_path}/nowhere/keys: No such file or directory" in serving.output
    intercepting = CliRunner().invoke(
        main, ["intercept", "--upstream", "http://localhost:1", "--keys", "keys"]
    )
    assert (intercepting.exit_code, "--keys: want --capture beside it" in intercepting.output) == (2, True)
