"""Servers of asyncio in the virtual network: where they listen, who reaches them, and how they end."""

import asyncio
import contextvars
import errno

import pytest

from simlab.virtual.hosts import current_host
from simlab.virtual.network import VirtualNetworkLoop

HERE, THERE = "10.0.2.2", "10.0.1.2"


@pytest.fixture
def loop():
    loop = VirtualNetworkLoop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def run(loop):
    """Run a coroutine on a host, and return what it does."""

    def run(work, host=HERE):
        context = contextvars.copy_context()
        context.run(current_host.set, host)
        return loop.run_until_complete(loop.create_task(work, context=context))

    return run


async def serve(host=None, port=9000, says=b"hello", **options):
    async def answer(_, writer):
        writer.write(says)
        writer.close()

    return await asyncio.start_server(answer, host, port, **options)


async def heard(host, port=9000):
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        return error.errno
    said = await reader.read()
    writer.close()
    return said


async def heard_by_all(hosts=(HERE, THERE, "127.0.0.1", "localhost")):
    return {host: await heard(host) for host in hosts}


REFUSED = errno.ECONNREFUSED


@pytest.mark.parametrize(
    ("host", "own"),
    [
        (HERE, {HERE}),
        ("127.0.0.1", {"127.0.0.1", "localhost"}),
        ("localhost", {"127.0.0.1", "localhost"}),
        ([HERE, "127.0.0.1"], {HERE, "127.0.0.1", "localhost"}),
        ((HERE, HERE), {HERE}),
        (["127.0.0.1", "localhost"], {"127.0.0.1", "localhost"}),
        (None, {HERE, "127.0.0.1", "localhost"}),
        ("", {HERE, "127.0.0.1", "localhost"}),
        ("0.0.0.0", {HERE, "127.0.0.1", "localhost"}),
    ],
)
def test_who_reaches_a_server(run, host, own):
    run(serve(host))
    at_home, elsewhere = run(heard_by_all()), run(heard_by_all(), THERE)
    assert {name for name, said in at_home.items() if said == b"hello"} == own
    assert {name for name, said in elsewhere.items() if said == b"hello"} == own & {HERE}
    assert {*at_home.values(), *elsewhere.values()} <= {b"hello", REFUSED}


def test_each_host_has_a_loopback_of_its_own(run):
    run(serve("127.0.0.1", says=b"here"))
    run(serve("127.0.0.1", says=b"there"), THERE)
    assert (run(heard("127.0.0.1")), run(heard("127.0.0.1"), THERE)) == (b"here", b"there")


def names(server):
    return [socket.getsockname() for socket in server.sockets]


def test_the_sockets_of_a_server(run):
    assert names(run(serve([HERE, "localhost"]))) == [(HERE, 9000), ("127.0.0.1", 9000)]
    assert names(run(serve(None, 9001))) == [("0.0.0.0", 9001)]


@pytest.mark.parametrize("port", [0, None])
def test_any_free_port_is_another_one_each_time(run, port):
    several = [*names(run(serve(HERE, port))), *names(run(serve([HERE, "127.0.0.1"], port)))]
    assert len({number for _, number in several}) == 3
    assert run(heard(*several[0])) == b"hello"


def test_each_end_knows_the_others_address(run):
    async def meet():
        met = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda _, writer: met.set_result(writer), HERE, 9000)
        _, mine = await asyncio.open_connection(HERE, 9000)
        theirs = await met
        server.close()
        return [w.get_extra_info(name) for w in (mine, theirs) for name in ("sockname", "peername")]

    mine, far, here, there = run(meet(), HERE)
    assert (mine, far) == (there, here)
    assert (mine[0], here) == (HERE, (HERE, 9000))


@pytest.mark.parametrize(
    ("first", "second"), [(HERE, HERE), (None, HERE), ("127.0.0.1", None), (["localhost", HERE], None)]
)
def test_a_port_in_use(run, first, second):
    run(serve(first))
    with pytest.raises(OSError, match="error while attempting to bind on address") as told:
        run(serve(second))
    assert told.value.errno == errno.EADDRINUSE


def test_what_fails_takes_no_port(run):
    run(serve("127.0.0.1"))
    with pytest.raises(OSError, match="bind"):
        run(serve([HERE, "127.0.0.1"]))
    run(serve(HERE))


def test_an_address_of_another_host(run):
    with pytest.raises(OSError, match="bind") as told:
        run(serve(THERE))
    assert told.value.errno == errno.EADDRNOTAVAIL


def test_neither_an_address_nor_a_socket(run):
    async def serve_nowhere():
        await asyncio.get_running_loop().create_server(asyncio.Protocol)

    with pytest.raises(ValueError, match="Neither host/port nor sock were specified"):
        run(serve_nowhere())


def test_a_server_that_does_not_serve_yet(run):
    async def serve_later():
        server = await serve(HERE, start_serving=False)
        before = server.is_serving(), await heard(HERE)
        await server.start_serving()
        return before, server.is_serving(), await heard(HERE)

    assert run(serve_later()) == ((False, REFUSED), True, b"hello")


def test_a_server_is_closed_with_its_context(run):
    async def serve_for_a_while():
        async with await serve([HERE, "127.0.0.1"]) as server:
            serving = asyncio.create_task(server.serve_forever())
            before = await heard(HERE)
            with pytest.raises(RuntimeError, match="is already being awaited"):
                await server.serve_forever()
            serving.cancel()
            await asyncio.wait([serving])
        return before, await heard(HERE), await heard("127.0.0.1"), server.is_serving(), server.sockets

    assert run(serve_for_a_while()) == (b"hello", REFUSED, REFUSED, False, ())
