"""Media over IPv6 through ``simlab intercept``."""

import asyncio
import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

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


SERVERS = {"server-of-IPv6": "::1", "server-of-IPv4": "127.0.0.1"}
CLIENTS = {"6": ["::1"], "4": ["127.0.0.1"], "both": ["127.0.0.1", "::1"]}
own_addresses = ContextVar("own_addresses")


def beginning(folder, host):
    """Start a server on a host, and an intercept in front of it."""
    options = ("--out", str(folder / "results"), "--socket", str(folder / "control"), *MEDIA)
    return Intercept(*options, server=("--host", host))


async def meet(it, own, within_s):
    """Call with these addresses, and return the hosts of both descriptions and the intercept's counts."""
    own_addresses.set(own)
    async with asyncio.timeout(within_s), calling(it.url) as client:
        pc = client.peer.pc
        offered, answered = (candidates(one.sdp) for one in (pc.localDescription, pc.remoteDescription))
        await asyncio.sleep(1.0)
        stats = await asyncio.to_thread(it.answer, "stats")
        return {host for host, _ in offered}, {host for host, _ in answered}, stats


@pytest.fixture(scope="module")
def met(tmp_path_factory):
    """What became of the calls of each client to each server, through an intercept each and all at once."""
    needs_ipv6()
    pairs = list(itertools.product(SERVERS, CLIENTS))

    async def meet_all(its):
        calls = [
            meet(it, CLIENTS[client], 30 if SERVERS[server] in CLIENTS[client] else 8)
            for it, (server, client) in zip(its, pairs, strict=True)
        ]
        return await asyncio.gather(*calls, return_exceptions=True)

    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(pairs)) as pool:
        folders = [tmp_path_factory.mktemp("met") for _ in pairs]
        begun = pool.map(beginning, folders, [SERVERS[server] for server, _ in pairs])
        its = [stack.enter_context(contextlib.closing(it)) for it in begun]
        with gathering_from(lambda: own_addresses.get()):
            return dict(zip(pairs, asyncio.run(meet_all(its)), strict=True))


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_meets_a_server_over_the_ip_that_both_have(met, server, client):
    found = met[server, client]
    if SERVERS[server] not in CLIENTS[client]:
        assert isinstance(found, TimeoutError)
        return
    assert not isinstance(found, BaseException), found
    offered, answered, stats = found
    assert (offered, answered) == (set(CLIENTS[client]), {SERVERS[server]})
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
