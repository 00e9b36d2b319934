"""What comes in pieces passes the proxy of the signalling as it comes, delayed, and with its faults.

The virtual network takes 0.2 ms each way, and opening a connection 0.4 ms.
"""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.profile.build import signalling_links
from simlab.virtual.aiohttp_sockets import aiohttp_connects
from simlab.webrtc.proxy import SignallingProxy
from simlab.webrtc.signalling_path import Path
from tests.virtual.sessions import run_text, scenario

SERVER, PROXY = "10.0.2.2", "10.0.1.1"
HEAD = 'duration = "60s"\n[link]\ndelay = "20ms"\n'
FAULT = '[[fault]]\nkind = "signalling"\nat = "{}"\nfor = "{}"\nhow = "{}"\n'
EVENTS = {"Content-Type": "text/event-stream"}


@pytest.fixture
def loop(network_loop):
    with aiohttp_connects():
        yield network_loop


async def other(address):
    return "10.9.9.9", address[1]


@asynccontextmanager
async def through(loop, *routes, more=""):
    """Give a session, the proxy's URL and the record of a proxy in front of a server with these routes."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, SERVER, 80).start()
    chosen, record = scenario(HEAD + more), Recorder(loop.time)
    path, links = Path.of(chosen.profile), signalling_links(chosen)
    loop.reuses_connections = True
    proxy = SignallingProxy(f"http://{SERVER}:80", path, record, other, other, links)
    await proxy.start(PROXY, 80)
    proxy.schedule()
    try:
        async with aiohttp.ClientSession() as session:
            yield session, f"http://{PROXY}:80", record
    finally:
        await proxy.stop()
        await runner.cleanup()


def run(loop, work):
    loop.run_until_complete(asyncio.wait_for(work, 2000))


async def until_left(request):
    while request.transport is not None:  # noqa: ASYNC110 - aiohttp tells nobody
        await asyncio.sleep(0.001)


def hows(record):
    return [event["how"] for event in record.events if event.is_a("signalling", "faulted")]


async def ticks(request):
    """A piece each second, with what a browser needs to know that it is open before there is one."""
    response = web.StreamResponse(headers=EVENTS)
    await response.prepare(request)
    for number in range(request.app.get("most", 3)):
        await asyncio.sleep(1.0)
        await response.write(b"data: %d\n\n" % number)
    return response


async def arrivals(loop, answer):
    """Return when each event arrived, and when the end."""
    times_s = [loop.time() async for _ in answer.content.iter_any()]
    return [*times_s, loop.time()]


TICKS = web.get("/ticks", ticks)


def streamed(loop, more):
    """Return when the head of a stream came, and when each piece and the end did."""
    headed_s, times_s = [], []

    async def main():
        async with through(loop, TICKS, more=more) as (session, here, _):  # noqa: SIM117
            async with session.get(f"{here}/ticks") as answer:
                headed_s.append(loop.time())
                times_s.extend(await arrivals(loop, answer))

    run(loop, main())
    return headed_s[0], times_s


def test_each_piece_is_as_late_as_the_path_says(loop):
    async def main():
        async with through(loop, TICKS) as (session, here, record):
            began_s = loop.time()
            async with session.get(f"{here}/ticks") as answer:
                headed_s = loop.time()
                times_s = await arrivals(loop, answer)
            # To the proxy and up; to the server, and back; down.
            asked_s = 0.0004 + 0.0002 + 0.020 + 0.0004 + 0.0002
            back_s = 0.0002 + 0.020 + 0.0002
            assert headed_s - began_s == pytest.approx(asked_s + back_s, abs=1e-6)
            waited_s = [at_s - began_s - asked_s - back_s for at_s in times_s]
            # The body is open to its pieces when the head has crossed: it delays none of them.
            assert waited_s == pytest.approx([1.0, 2.0, 3.0, 3.0], abs=1e-6)
            assert [event.kind for event in record.events] == ["request", "response"]

    run(loop, main())


def test_pieces_that_follow_each_other_are_under_way_together(loop):
    async def burst(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await asyncio.sleep(0.001)
            await response.write(bytes(100))
        return response

    async def main():
        async with through(loop, web.get("/", burst)) as (session, here, _):  # noqa: SIM117
            async with session.get(f"{here}/") as answer:
                headed_s = loop.time()
                times_s = await arrivals(loop, answer)
                assert times_s[-1] - headed_s == pytest.approx(0.050, abs=1e-6)
                assert times_s[0] - headed_s == pytest.approx(0.001, abs=1e-6)

    run(loop, main())


def test_over_links_each_piece_is_tcps(loop):
    # The SYN+ACK, an ACK, the head, and the first piece, which is lost.
    lossy = 'down.loss = { model = "scripted", drop = [4] }\n[signalling]\npath = "link"\n'
    headed_s, times_s = streamed(loop, lossy)
    first_s, *others_s = [at_s - headed_s for at_s in times_s]
    assert first_s == pytest.approx(1.0 + 0.240, abs=0.01)  # RFC 8985's probe
    assert others_s == pytest.approx([2.0, 3.0, 3.0], abs=0.01)


def test_a_client_that_goes_ends_what_the_server_sends(loop):
    gone_s = []

    async def silent(request):
        response = web.StreamResponse(headers=EVENTS)
        await response.prepare(request)
        await until_left(request)
        gone_s.append(loop.time())
        return response

    async def main():
        async with through(loop, web.get("/", silent)) as (session, here, _):
            async with session.get(f"{here}/") as answer:
                await asyncio.sleep(5.0)
                left_s = loop.time()
                answer.close()
            await asyncio.sleep(1.0)
            assert gone_s == [pytest.approx(left_s, abs=0.002)]

    run(loop, main())


def test_a_client_that_goes_before_an_answer_has_asked_all_the_same(loop):
    done = []

    async def slow(request):
        await asyncio.sleep(3.0)
        done.append(await request.json())
        return web.json_response({})

    async def main():
        async with through(loop, web.post("/", slow)) as (session, here, _):
            with pytest.raises(TimeoutError):
                await session.post(f"{here}/", json=[1], timeout=aiohttp.ClientTimeout(total=1.0))
            await asyncio.sleep(5.0)
            assert done == [[1]]

    run(loop, main())


def test_a_server_that_ends_in_the_middle_is_a_connection_that_is_reset(loop):
    async def broken(request):
        response = web.StreamResponse(headers=EVENTS)
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await asyncio.sleep(1.0)
        request.transport.abort()
        return response

    async def main():
        async with through(loop, web.get("/", broken)) as (session, here, record):
            async with session.get(f"{here}/") as answer:
                assert await answer.content.readany() == b"data: 1\n\n"
                with pytest.raises(aiohttp.ClientError):
                    await answer.content.readany()
            assert hows(record) == ["server unreachable"]

    run(loop, main())


def test_a_body_of_known_length_stays_one_and_headers_may_come_twice(loop):
    async def page(_):
        response = web.Response(body=bytes(100_000), content_type="image/png")
        response.headers.add("Set-Cookie", "a=1")
        response.headers.add("Set-Cookie", "b=2")
        return response

    async def main():
        async with through(loop, web.get("/", page)) as (session, here, _):
            async with session.get(f"{here}/") as answer:
                assert answer.content_length == len(await answer.read()) == 100_000
                assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
            async with session.head(f"{here}/") as answer:
                assert (answer.content_length, await answer.read()) == (100_000, b"")

    run(loop, main())


def test_a_compressed_stream_comes_uncompressed_and_as_it_comes(loop):
    async def packed(request):
        response = web.StreamResponse(headers=EVENTS)
        response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        await response.write(b"data: 1\n\n" * 1000)
        return response

    async def main():
        async with through(loop, web.get("/", packed)) as (session, here, _):  # noqa: SIM117
            async with session.get(f"{here}/") as answer:
                assert await answer.read() == b"data: 1\n\n" * 1000

    run(loop, main())


SDP = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=candidate:1 1 udp 1 10.0.2.2 5000 typ host\r\n"


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json", "text/plain"])
def test_an_answer_is_read_whole_and_says_other_addresses_whatever_its_type(loop, kind):
    async def answer_offer(request):
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for piece in json.dumps({"sdp": SDP, "type": "answer"}).partition("candidate"):
            await response.write(piece.encode())
            await asyncio.sleep(0.1)
        return response

    async def main():
        async with through(loop, web.post("/", answer_offer)) as (session, here, _):
            asked = {"sdp": SDP, "type": "offer"}
            async with session.post(f"{here}/", json=asked) as answer:
                said = json.loads(await answer.read())
            assert "10.9.9.9 5000" in said["sdp"]

    run(loop, main())


@pytest.mark.parametrize(
    ("how", "status", "got", "error"),
    [
        ("status 503", 503, b'{"detail": "injected by simlab"}', None),
        ("slow 3s", 200, b"data: 0\n\ndata: 1\n\ndata: 2\n\n", None),
        ("duplicate", 200, b"data: 0\n\ndata: 1\n\ndata: 2\n\n", None),
        ("truncated", 200, b"data", aiohttp.ClientPayloadError),
        ("lost-response", None, b"", aiohttp.ClientOSError),
        ("reset", None, b"", aiohttp.ClientOSError),
    ],
)
def test_a_fault_is_done_to_the_request_of_a_stream(loop, how, status, got, error):
    open_ = []

    async def counted(request):
        open_.append(request)
        try:
            return await ticks(request)
        finally:
            open_.remove(request)

    async def main():
        heard, answered, failure = b"", None, None
        more = FAULT.format("0s", "10s", how)
        async with through(loop, web.get("/", counted), more=more) as (session, here, record):
            try:
                async with session.get(f"{here}/") as answer:
                    answered = answer.status
                    async for piece in answer.content.iter_any():
                        heard += piece
            except aiohttp.ClientError as caught:
                failure = type(caught)
            assert set(hows(record)) == {how}  # aiohttp asks again by itself where a connection is reset
            await asyncio.sleep(2.0)
            assert open_ == []  # nobody listens to what was lost
        assert (answered, heard) == (status, got)
        assert failure is error or issubclass(failure, error)

    run(loop, main())


def test_a_half_open_connection_says_nothing_more_though_it_is_a_stream(loop):
    async def main():
        more = FAULT.format("1500ms", "1s", "half-open")
        async with through(loop, TICKS, more=more) as (session, here, _):
            async with session.get(f"{here}/ticks") as answer:
                assert await answer.content.readany() == b"data: 0\n\n"
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(100.0):
                        await answer.content.readany()
            async with session.get(f"{here}/ticks") as answer:  # on a new one
                assert await answer.content.readany() == b"data: 0\n\n"

    run(loop, main())


def test_a_handover_ends_a_stream(loop):
    handover = '[[fault]]\nkind = "handover"\nat = "1500ms"\nfor = "1s"\n'

    async def main():
        async with through(loop, TICKS, more=handover) as (session, here, _):  # noqa: SIM117
            async with session.get(f"{here}/ticks") as answer:
                assert await answer.content.readany() == b"data: 0\n\n"
                with pytest.raises(aiohttp.ClientError):
                    await answer.content.readany()
                assert loop.time() == pytest.approx(1.5, abs=0.01)

    run(loop, main())


def test_a_blackout_of_the_link_makes_a_stream_late(loop):
    dark = '[signalling]\npath = "link"\n[[fault]]\nkind = "blackout"\nat = "1500ms"\nfor = "3s"\n'
    _, times_s = streamed(loop, dark)
    assert times_s[0] < 1.5
    assert all(at_s > 4.5 for at_s in times_s[1:])


async def echo(request):
    ours = web.WebSocketResponse()
    await ours.prepare(request)
    async for message in ours:
        await ours.send_str(f"heard {message.data}")
    return ours


WS = web.get("/ws", echo)


def test_each_message_of_a_websocket_crosses_the_path(loop):
    async def main():
        async with through(loop, WS) as (session, here, record), session.ws_connect(f"{here}/ws") as ours:
            asked_s = loop.time()
            for number in range(3):
                await ours.send_str(str(number))
            for number in range(3):
                assert await ours.receive_str() == f"heard {number}"
            assert loop.time() - asked_s == pytest.approx(4 * 0.0002 + 2 * 0.020, abs=1e-6)
            assert [event.data.get("status") for event in record.events] == [None, 101]

    run(loop, main())


def test_a_websocket_that_is_refused_is_refused(loop):
    async def main():
        async with through(loop) as (session, here, _):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{here}/nothing")
            assert refused.value.status == 404

    run(loop, main())


def test_either_end_of_a_websocket_that_goes_takes_the_other_with_it(loop):
    gone_s = []

    async def silent(request):
        ours = web.WebSocketResponse()
        await ours.prepare(request)
        if "leave" in request.query:
            await asyncio.sleep(float(request.query["leave"]))
            request.transport.abort()
        await ours.receive()
        gone_s.append((loop.time(), ours.close_code))
        return ours

    async def main():
        async with through(loop, web.get("/ws", silent)) as (session, here, record):
            ours = await session.ws_connect(f"{here}/ws")
            ours._response.connection.transport.abort()
            await asyncio.sleep(1.0)
            ((at_s, code),) = gone_s
            assert at_s == pytest.approx(loop.time() - 1.0, abs=0.05)
            assert code == 1006  # there was none
            async with session.ws_connect(f"{here}/ws?leave=1") as ours:
                assert (await ours.receive()).type is aiohttp.WSMsgType.CLOSED
                assert ours.close_code == 1006
            assert hows(record) == ["server unreachable"]
            with pytest.raises(aiohttp.ClientError):
                await session.ws_connect(f"{here}/ws?leave=0")

    run(loop, main())


@pytest.mark.parametrize("how", ["status 503", "reset", "lost-response", "truncated", "invalid-json"])
def test_a_fault_of_the_request_is_one_of_the_websocket(loop, how):
    async def main():
        more = FAULT.format("0s", "1s", how)
        async with through(loop, WS, more=more) as (session, here, record):
            with pytest.raises(aiohttp.ClientError):
                await session.ws_connect(f"{here}/ws")
            assert set(hows(record)) == {how}
            await asyncio.sleep(1.0)
            async with session.ws_connect(f"{here}/ws") as ours:
                await ours.send_str("1")
                assert await ours.receive_str() == "heard 1"

    run(loop, main())


SESSION = """
duration = "6s"
[link]
delay = "20ms"
[peers]
media = []
server = "tests.apps.streaming_bot:app"
client = "tests.apps.listening_client:{}"
[[fault]]
at = "2s"
for = "1s"
kind = "{}"
"""
HALF_OPEN = 'signalling"\nhow = "half-open'


@pytest.mark.parametrize("what", ["stream", "socket"])
@pytest.mark.parametrize(
    ("fault", "how", "is_ended"),
    [
        ("server-restart", "server unreachable", True),
        ("handover", "handover", True),
        ("server-freeze", None, False),
        (HALF_OPEN, None, False),
    ],
)
def test_what_a_fault_makes_of_what_is_under_way(what, fault, how, is_ended):
    timeline = run_text(SESSION.format(what, fault))
    ended_s = [event.t_s for event in timeline.select("client", "ended")]
    assert ended_s == ([pytest.approx(2.0, abs=0.03)] if is_ended else [])
    assert [event["how"] for event in timeline.select("signalling", "faulted")] == ([how] if how else [])


def test_what_crosses_over_links_is_counted_up_to_itself():
    # Of two pieces that set out together, the first waits for itself alone.
    from simlab.core.tcp import TcpPath

    chosen = scenario(HEAD + '[signalling]\npath = "link"\n')
    path = TcpPath(signalling_links(chosen))
    connection = path.open(0.0)
    path.write(connection, Direction.UP, 100, 0.0)
    path.write(connection, Direction.UP, 100, 0.0)
    path.advance(0.06)
    assert connection.has_arrived(Direction.UP, 100)
    path.write(connection, Direction.UP, 100, 0.06)
    assert connection.has_arrived(Direction.UP, 200)
    assert not connection.has_arrived(Direction.UP)
