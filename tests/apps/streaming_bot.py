"""An application with server-sent events and a WebSocket, on aiohttp; ``asgi`` is the same in ASGI."""

import asyncio

from aiohttp import WSMsgType, web

PIECES = (b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n")


class Turn:
    """Let a stream go on when the client says so."""

    def __init__(self):
        self.may_go_on = asyncio.Semaphore(0)
        self.gone = asyncio.Event()


TURN = web.AppKey("turn", Turn)


async def events(request):
    turn = request.app[TURN]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for piece in PIECES:
        await response.write(piece)
        await turn.may_go_on.acquire()
    return response


async def ticks(request):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b"data: tick\n\n")
            await asyncio.sleep(0.1)
    except ConnectionError:
        request.app[TURN].gone.set()
    return response


async def go_on(request):
    request.app[TURN].may_go_on.release()
    return web.Response()


async def gone(request):
    await request.app[TURN].gone.wait()
    return web.Response(text="gone")


async def socket(request):
    ours = web.WebSocketResponse(protocols=["b"], max_msg_size=0)
    await ours.prepare(request)
    async for message in ours:
        if message.type is WSMsgType.BINARY:
            await ours.send_bytes(message.data)
        elif message.data == "end":
            await ours.close(code=4321, message=b"enough")
        else:
            await ours.send_str(f"{request.query_string} {message.data}")
    return ours


def app():
    made = web.Application()
    made[TURN] = Turn()
    made.add_routes(
        [
            web.get("/events", events),
            web.get("/ticks", ticks),
            web.post("/go-on", go_on),
            web.get("/gone", gone),
            web.get("/ws", socket),
        ]
    )
    return made


def asgi():
    turn = Turn()

    async def application(scope, receive, send):
        if scope["type"] == "websocket":
            await talk(scope, receive, send)
        elif scope["type"] == "http":
            await PATHS[scope["path"]](turn, receive, send)

    return application


async def answered(send, body=b"", *headers, more=False):
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def asgi_events(turn, _, send):
    await answered(send, PIECES[0], (b"content-type", b"text/event-stream"), more=True)
    for piece in (*PIECES[1:], b""):
        await turn.may_go_on.acquire()
        await send({"type": "http.response.body", "body": piece, "more_body": piece != b""})


async def asgi_ticks(turn, receive, send):
    await answered(send, b"data: tick\n\n", (b"content-type", b"text/event-stream"), more=True)
    while (await receive())["type"] != "http.disconnect":
        pass
    turn.gone.set()


async def asgi_go_on(turn, _, send):
    turn.may_go_on.release()
    await answered(send)


async def asgi_gone(turn, _, send):
    await turn.gone.wait()
    await answered(send, b"gone")


PATHS = {"/events": asgi_events, "/ticks": asgi_ticks, "/go-on": asgi_go_on, "/gone": asgi_gone}


async def talk(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "b"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("bytes") is not None:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
        elif message["text"] == "end":
            await send({"type": "websocket.close", "code": 4321, "reason": "enough"})
        else:
            said = f"{scope['query_string'].decode()} {message['text']}"
            await send({"type": "websocket.send", "text": said})
