"""What is none of the signalling goes through the intercept as it is."""

import asyncio
import gzip
import os
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from yarl import URL

from simlab.core.timeline import Recorder
from simlab.live.intercept.proxy import InterceptProxy
from simlab.live.intercept.signalling import Signalling
from tests.apps import streaming_bot


async def left_out(*_):
    return None


@asynccontextmanager
async def through(*routes, path="", record=None, names=()):
    """Give a session and the address of an intercept in front of a server with these routes."""
    app = web.Application(client_max_size=2**26)
    app.add_routes(routes)
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstream = URL(f"http://127.0.0.1:{runner.addresses[0][1]}{path}")
    proxy = InterceptProxy(upstream, Signalling(record or Recorder(lambda: 0.0), left_out), names)
    port = await proxy.start("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            yield session, f"http://127.0.0.1:{port}", upstream
    finally:
        await proxy.stop()
        await runner.cleanup()


def run(work):
    asyncio.run(asyncio.wait_for(work(), 20))


def test_a_page_its_query_and_its_status_pass():
    async def page(request):
        return web.Response(text=request.raw_path, status=418, headers={"X-Own": "1", "Server": "mine"})

    async def main():
        async with through(web.get("/{path:.*}", page)) as (session, here, _):
            async with session.get(URL(f"{here}/a%2Fb/?q=1&q=%20", encoded=True)) as answer:
                assert await answer.text() == "/a%2Fb/?q=1&q=%20"
                assert (answer.status, answer.headers["X-Own"], answer.headers["Server"]) == (
                    418,
                    "1",
                    "mine",
                )
            async with session.head(f"{here}/x") as answer:
                assert (answer.status, answer.headers["Content-Length"], await answer.read()) == (
                    418,
                    "2",
                    b"",
                )

    run(main)


def test_what_is_below_a_path_of_the_server_is_found_there():
    async def page(request):
        return web.Response(text=request.raw_path)

    async def main():
        async with through(web.get("/{path:.*}", page), path="/base/") as (session, here, _):  # noqa: SIM117
            async with session.get(f"{here}/x?y=1") as answer:
                assert await answer.text() == "/base/x?y=1"

    run(main)


def test_a_megabyte_passes_both_ways_whole():
    sent = os.urandom(3 * 2**20 + 17)

    async def echo(request):
        assert request.content_length in (len(sent), 2**20, None)
        return web.Response(body=await request.read())

    async def pieces():
        for begin in range(0, len(sent), 65_536):
            yield sent[begin : begin + 65_536]

    async def main():
        async with through(web.post("/up", echo), web.put("/up", echo)) as (session, here, _):
            for send, data, want in (
                (session.post, sent, sent),
                (session.put, sent[: 2**20], sent[: 2**20]),  # looked at, and passed on all the same
                (session.post, pieces(), sent),  # in chunks, without a length
            ):
                async with send(f"{here}/up", data=data) as answer:
                    assert await answer.read() == want

    run(main)


def test_a_compressed_body_stays_as_it_is():
    packed = gzip.compress(b"page" * 1000)

    async def page(request):
        assert request.headers["Accept-Encoding"] == "br, gzip"
        assert await request.read() == packed
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async def main():
        headers = {"Accept-Encoding": "br, gzip", "Content-Encoding": "gzip"}
        async with through(web.post("/", page)) as (session, here, _):  # noqa: SIM117
            async with session.post(f"{here}/", data=packed, headers=headers) as answer:
                assert answer.headers["Content-Encoding"] == "gzip"
                assert await answer.read() == packed

    run(main)


def test_a_stream_arrives_as_it_is_sent_and_ends_when_nobody_listens():
    more, gone = asyncio.Event(), asyncio.Event()

    async def stream(request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await more.wait()
        try:
            while True:
                await response.write(b"data: 2\n\n")
                await asyncio.sleep(0.01)
        except ConnectionError:
            gone.set()
            raise

    async def main():
        async with through(web.get("/events", stream)) as (session, here, _):
            async with session.get(f"{here}/events") as answer:
                assert await answer.content.readany() == b"data: 1\n\n"  # the server has not sent more yet
                more.set()
                assert (await answer.content.readany()).startswith(b"data: 2\n\n")
                answer.close()
            await gone.wait()

    run(main)


def test_a_stream_that_answers_what_looks_like_signalling_is_one_all_the_same():
    more = asyncio.Event()

    async def stream(request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await more.wait()
        await response.write(b"data: 2\n\n")
        return response

    async def main():
        async with through(web.post("/{path:.*}", stream)) as (session, here, _):
            for path in ("/rank", "/bot/start"):
                more.clear()
                async with session.post(f"{here}{path}", json={"candidates": ["a", "b"]}) as answer:
                    assert await answer.content.readany() == b"data: 1\n\n"
                    more.set()
                    assert await answer.read() == b"data: 2\n\n"

    run(main)


def test_a_stream_that_says_nothing_ends_when_nobody_listens():
    gone = asyncio.Event()

    async def stream(request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        while request.transport is not None:  # noqa: ASYNC110 - aiohttp tells nobody
            await asyncio.sleep(0.01)
        gone.set()
        return response

    async def main():
        async with through(web.get("/events", stream)) as (session, here, _):
            async with session.get(f"{here}/events") as answer:
                assert await answer.content.readany() == b"data: 1\n\n"
                answer.close()
            await gone.wait()

    run(main)


def test_a_body_that_breaks_off_does_not_look_whole():
    async def broken(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        request.transport.abort()
        return response

    async def main():
        async with through(web.get("/", broken)) as (session, here, _):
            with pytest.raises(aiohttp.ClientError):
                async with session.get(f"{here}/") as answer:
                    await answer.read()

    run(main)


def test_a_websocket_passes_with_its_protocol_its_kinds_and_its_end():
    async def echo(request):
        assert request.headers["Origin"] == f"http://{request.host}"
        return await streaming_bot.socket(request)

    async def main():
        async with through(web.get("/ws", echo)) as (session, here, _):
            headers = {"Origin": here}
            async with session.ws_connect(
                f"{here}/ws?token=1", protocols=["a", "b"], headers=headers, max_msg_size=0
            ) as socket:
                assert socket.protocol == "b"
                await socket.send_str("hello")
                assert await socket.receive_str() == "token=1 hello"
                await socket.send_bytes(bytes(2**21))
                assert await socket.receive_bytes() == bytes(2**21)
                await socket.send_str("end")
                message = await socket.receive()
                assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 4321, "enough")

    run(main)


def test_a_websocket_that_breaks_off_does_not_look_closed():
    async def broken(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        request.transport.abort()
        return socket

    async def main():
        async with through(web.get("/ws", broken)) as (session, here, _):  # noqa: SIM117
            async with session.ws_connect(f"{here}/ws") as socket:
                await socket.send_str("go")
                assert (await socket.receive()).type is not WSMsgType.CLOSE
                assert socket.close_code == 1006

    run(main)


def test_a_websocket_that_is_refused_is_refused():
    async def main():
        async with through() as (session, here, _):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{here}/nothing")
            assert refused.value.status == 404

    run(main)


def test_cookies_and_redirects_belong_to_the_address_that_the_browser_knows():
    async def login(request):
        response = web.Response(status=302, headers={"Location": f"http://{request.host}/home?x=1"})
        response.headers.add("Set-Cookie", "a=1; Domain=127.0.0.1; Path=/; HttpOnly")
        response.headers.add("Set-Cookie", "b=2; domain=other.example; Secure")
        return response

    async def home(request):
        return web.Response(text=request.headers["Cookie"])

    async def main():
        async with through(web.get("/login", login), web.get("/home", home)) as (session, here, _):
            async with session.get(f"{here}/login", allow_redirects=False) as answer:
                assert answer.status == 302
                assert answer.headers["Location"] == f"{here}/home?x=1"
                assert answer.headers.getall("Set-Cookie") == [
                    "a=1; Path=/; HttpOnly",
                    "b=2; domain=other.example; Secure",
                ]
            async with session.get(f"{here}/home", headers={"Cookie": "a=1; c=3"}) as answer:
                assert await answer.text() == "a=1; c=3"

    run(main)


def test_the_server_sees_its_own_host_and_who_asked():
    async def headers(request):
        names = (
            "Host",
            "Origin",
            "Referer",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "Te",
        )
        return web.json_response({name: request.headers.get(name) for name in names})

    async def main():
        async with through(web.get("/", headers)) as (session, here, upstream):
            told = {"Origin": here, "Referer": f"{here}/page", "TE": "trailers"}
            async with session.get(f"{here}/", headers=told) as answer:
                seen = await answer.json()
            there = str(upstream).rstrip("/")
            assert seen == {
                "Host": there.removeprefix("http://"),
                "Origin": there,
                "Referer": f"{there}/page",
                "X-Forwarded-For": "127.0.0.1",
                "X-Forwarded-Host": here.removeprefix("http://"),
                "X-Forwarded-Proto": "http",
                "Te": None,
            }
            # A page from elsewhere is not made one of the server's own.
            async with session.get(f"{here}/", headers={"Origin": "http://elsewhere.example"}) as answer:
                assert (await answer.json())["Origin"] == "http://elsewhere.example"

    run(main)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("evil.example:8000", 403),
        ("localhost.evil.example:8000", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
        ("localhost:8000", 200),
        ("LOCALHOST.", 200),
        ("bot.localhost:8000", 200),
        ("192.168.7.7:8000", 200),
        ("[::1]:8000", 200),
        ("my-laptop:8000", 200),
        ("My-Laptop", 200),
    ],
)
def test_a_page_whose_name_was_made_to_mean_this_machine_reaches_nothing(host, status):
    # DNS rebinding: for the browser the page's origin is the intercept's own.
    asked = []

    async def page(request):
        asked.append(request.path)
        return web.Response()

    async def main():
        routes = web.route("*", "/{path:.*}", page)
        async with through(routes, names=["my-laptop"]) as (session, here, _):
            headers = {"Host": host, "Origin": f"http://{host}"}
            body = {"type": "offer", "sdp": "v=0"}
            async with session.get(f"{here}/page", headers=headers) as answer:
                assert answer.status == status
            async with session.post(f"{here}/api/offer", headers=headers, json=body) as answer:
                assert answer.status == status
                if status == 403:
                    assert "start it with --name" in await answer.text()
            if status == 403:
                with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                    await session.ws_connect(f"{here}/socket", headers=headers)
        assert asked == (["/page", "/api/offer"] if status == 200 else [])

    run(main)


def test_a_page_from_elsewhere_says_so_to_the_server_also_for_a_websocket():
    said = []

    async def socket(request):
        said.append(request.headers["Origin"])
        joined = web.WebSocketResponse()
        await joined.prepare(request)
        return joined

    async def main():
        async with through(web.get("/socket", socket)) as (session, here, upstream):
            for origin in ("http://evil.example", "null", here):
                async with session.ws_connect(f"{here}/socket", headers={"Origin": origin}):
                    pass
            assert said == ["http://evil.example", "null", str(upstream)]

    run(main)


def test_without_a_server_the_answer_is_502_and_says_where_nobody_answers():
    async def main():
        record = Recorder(lambda: 1.0)
        proxy = InterceptProxy(URL("http://127.0.0.1:9"), Signalling(record, left_out))
        port = await proxy.start("127.0.0.1", 0)
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}/") as answer,
            ):
                assert answer.status == 502
                text = await answer.text()
                assert text.startswith("simlab intercept: no answer from http://127.0.0.1:9 (")
                assert "refused" in text
        finally:
            await proxy.stop()
        assert [event["how"] for event in record.events] == ["server unreachable"]

    run(main)


@asynccontextmanager
async def raw_server(answer):
    """Give the address of a server that answers anything with these bytes, and hangs up."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")


@asynccontextmanager
async def answered_through(upstream):
    """Give what an intercept in front of a server answers."""
    proxy = InterceptProxy(upstream, Signalling(Recorder(lambda: 0.0), left_out))
    here = f"http://127.0.0.1:{await proxy.start('127.0.0.1', 0)}/"
    try:
        async with aiohttp.ClientSession() as session, session.get(here) as told:
            yield told
    finally:
        await proxy.stop()


@pytest.mark.parametrize(
    "answer",
    [b"\x00\x01garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nLocation: x\rSet-Cookie: a=b\r\n\r\n"],
)
def test_an_answer_that_is_no_http_is_told_without_a_traceback(caplog, answer):
    async def main():
        async with raw_server(answer) as upstream, answered_through(upstream) as told:
            assert (told.status, told.cookies) == (502, {})
            assert (await told.text()).startswith(f"simlab intercept: what {upstream} answers is not")

    run(main)
    assert caplog.records == []


def test_control_characters_in_what_a_server_says_of_its_answer_are_escaped(caplog):
    answer = b"HTTP/1.1 200 O\x1b[31mK\r\nX-Own: a\x1bb\r\nContent-Length: 2\r\n\r\nok"

    async def main():
        async with raw_server(answer) as upstream, answered_through(upstream) as told:
            assert (told.status, told.reason, await told.text()) == (200, r"O\x1b[31mK", "ok")

    run(main)
    assert caplog.records == []


def test_who_sends_what_is_no_http_or_hangs_up_leaves_no_traceback(caplog):
    async def main():
        async with through() as (_, here, _):
            for said in (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"):
                reader, writer = await asyncio.open_connection("127.0.0.1", URL(here).port)
                writer.write(said)
                assert (await reader.read()).startswith(b"HTTP/1.0 400 ")
                writer.close()
            _, writer = await asyncio.open_connection("127.0.0.1", URL(here).port)
            writer.write(b"POST /api/offer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.transport.abort()
            await asyncio.sleep(0.1)

    run(main)
    assert caplog.records == []


def test_a_body_that_cannot_be_read_here_keeps_the_name_of_its_encoding():
    async def start(request):
        return web.json_response([request.headers["Content-Encoding"], len(await request.read())])

    async def main():
        async with through(web.post("/start", start)) as (session, here, _):
            packed = {"data": b"packed", "headers": {"Content-Encoding": "br"}}
            async with session.post(f"{here}/start", **packed) as answer:
                assert await answer.json() == ["br", 6]

    run(main)
