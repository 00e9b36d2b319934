"""Media over IPv6 through ``simlab intercept``."""

import asyncio
import contextlib

import pytest

import simlab
from simlab.capture import CAPTURE
from simlab.capture.summary import summarise
from simlab.live.addresses import gathering_from
from simlab.live.intercept.media_hosts import hosts_for_media, is_own
from simlab.live.intercept.run import as_written
from tests.live.test_intercept import Intercept, calling
from tests.needs import needs_ipv6

MEDIA = ("--media-host", "127.0.0.1", "--media-host", "::1")


def candidates(sdp):
    """Return the address and the port of each candidate."""
    fields = [line.split() for line in sdp.splitlines() if line.startswith("a=candidate:")]
    return {(one[4], int(one[5])) for one in fields}


@pytest.fixture(params=["::1", "127.0.0.1"], ids=["server-of-IPv6", "server-of-IPv4"])
def server_host(request):
    return request.param


@pytest.mark.parametrize("own", [["::1"], ["127.0.0.1"], ["127.0.0.1", "::1"]], ids=["6", "4", "both"])
def test_a_client_meets_a_server_over_the_ip_that_both_have(tmp_path, server_host, own):
    needs_ipv6()

    options = ("--out", str(tmp_path / "results"), "--socket", str(tmp_path / "control"), *MEDIA)
    common = server_host in own

    async def talk(it):
        async with asyncio.timeout(30 if common else 8), calling(it.url) as client:
            pc = client.peer.pc
            offered, answered = (candidates(one.sdp) for one in (pc.localDescription, pc.remoteDescription))
            assert {host for host, _ in offered} == set(own)
            assert {host for host, _ in answered} == {server_host}
            await asyncio.sleep(1.0)
            return await asyncio.to_thread(it.answer, "stats")

    with contextlib.closing(Intercept(*options, server=("--host", server_host))) as it:
        with gathering_from(lambda: own):
            if not common:
                with pytest.raises(TimeoutError):
                    asyncio.run(talk(it))
                return
            stats = asyncio.run(talk(it))
        assert stats["clients"] == 1
        for way in ("up", "down"):
            assert stats[way]["delivered"] > 20
            assert stats[way]["dropped"] == {}


def test_the_packets_of_a_recording_are_in_its_capture(tmp_path):
    needs_ipv6()

    async def talk(it):
        await asyncio.to_thread(it.answer, "record", name="six")
        async with calling(it.url):
            await asyncio.sleep(1.0)
        return await asyncio.to_thread(it.answer, "stop_recording")

    options = ("--out", str(tmp_path / "results"), "--socket", str(tmp_path / "control"), *MEDIA)
    with (
        contextlib.closing(Intercept(*options, "--capture", server=("--host", "::1"))) as it,
        gathering_from(lambda: ["::1"]),
    ):
        (saved,) = asyncio.run(talk(it))["folders"]
    run = simlab.open(saved["folder"])
    found = summarise(run.folder / CAPTURE)
    for way in ("up", "down"):
        for what in ("offered", "delivered", "dropped"):
            assert found["links"][way][what] == run.metrics["links"][way][what]
        assert found["links"][way]["offered"] > 20


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:0DB8:0:0::0007", "2001:db8::7"),
        ("fe80::1", None),  # without its link it means nothing
        ("fe80::1%eth0", None),
        ("::ffff:192.0.2.7", None),
        ("3f1c2a9e.local", None),
        ("example.org", None),
        ("", None),
    ],
)
def test_an_address_is_relayed_as_the_system_writes_it(host, written):
    assert as_written(host) == written


def test_one_of_each_ip_is_taken_and_both_are_on_loopback_if_one_is():
    needs_ipv6()

    assert hosts_for_media(["127.0.0.1"]) == hosts_for_media(["::1"]) == ("127.0.0.1", "::1")
    assert hosts_for_media(["127.0.0.9", "::1"]) == ("127.0.0.9", "::1")
    assert [":" in host for host in hosts_for_media([])] == [False, True]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.99", "2001:db8::99", "localhost", ""])
def test_what_is_no_address_of_this_machine_is_none_for_media(host):
    assert not is_own(host)
