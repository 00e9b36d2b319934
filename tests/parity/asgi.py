"""Requests to an ASGI application that goes on with its background tasks when it has answered."""

import asyncio

import httpx


class DetachedTransport(httpx.AsyncBaseTransport):
    """Call an application, and return when its answer is whole: httpx's own waits for a bot's end too."""

    def __init__(self, app):
        self._app = app
        self._tasks = []

    async def handle_async_request(self, request):
        body, answer, whole = await request.aread(), {}, asyncio.Event()
        chunks = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": "http",
            "path": request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "server": ("published", 80),
            "client": ("10.0.0.1", 1),
            "root_path": "",
        }
        sent = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive():
            for message in sent:
                return message
            await whole.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                answer.update(message)
            else:
                chunks.append(message.get("body", b""))
                if not message.get("more_body", False):
                    whole.set()

        self._tasks.append(asyncio.create_task(self._app(scope, receive, send)))
        await whole.wait()
        return httpx.Response(answer["status"], headers=answer["headers"], content=b"".join(chunks))

    async def aclose(self):
        # What the application raises after its answer, a real server would log.
        await asyncio.gather(*self._tasks, return_exceptions=True)
