import asyncio

import httpx
import pytest
from aiohttp import web
from aiortc import RTCPeerConnection

from simlab.webrtc.handler import HandlerSettings, RequestHandler
from simlab.webrtc.routes import OFFER_PATH, Routes

END_OF_CANDIDATES = '{"candidate": "", "sdp_mid": "0", "sdp_mline_index": 0}'
URL = f"http://10.0.0.1:80{OFFER_PATH}"


async def real_offer():
    pc = RTCPeerConnection()
    pc.createDataChannel("chat")
    await pc.setLocalDescription(await pc.createOffer())
    return pc, pc.localDescription.sdp


@pytest.fixture
def ask(run, record):
    """Send requests to a handler that has answered an offer already, under the name PC_ID."""

    def ask(*requests, mode="multiple"):
        async def work():
            handler = RequestHandler(record, lambda *_: None, HandlerSettings(mode=mode))
            runner = web.AppRunner(Routes(handler, record).application(), access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "10.0.0.1", 80).start()
            pc, sdp = await real_offer()
            statuses = []
            async with httpx.AsyncClient(timeout=None) as client:
                first = await client.post(URL, json={"sdp": sdp, "type": "offer"})
                names = {"PC_ID": first.json()["pc_id"], "SDP": sdp.replace("\r\n", "\\r\\n")}
                for method, template in requests:
                    body = template.replace("PC_ID", names["PC_ID"]).replace("SDP", names["SDP"])
                    statuses.append((await client.request(method, URL, content=body)).status_code)
            connections = len(handler.connections)
            await handler.close()
            await pc.close()
            await runner.cleanup()
            await asyncio.sleep(1.0)  # aiortc's own tasks end within their next poll
            return statuses, connections

        return run(work())

    return ask


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("POST", '{"sdp": "SDP", "type": "offer"}', 200),
        ("POST", '{"sdp": "SDP", "type": "offer", "pc_id": "PC_ID", "restart_pc": true}', 200),
        ("POST", '{"sdp": "SDP", "type": "offer", "pc_id": "unknown", "requestData": 1}', 200),
        ("POST", '{"type": "offer"}', 422),
        ("POST", "not json", 422),
        ("POST", '{"sdp": "m=nonsense", "type": "offer"}', 500),
        ("PATCH", '{"pc_id": "PC_ID", "candidates": []}', 200),
        (
            "PATCH",
            '{"pc_id": "PC_ID", "candidates": [' + END_OF_CANDIDATES + "]}",
            200,
        ),
        ("PATCH", '{"pc_id": "unknown", "candidates": []}', 404),
        ("PATCH", '{"pc_id": null, "candidates": []}', 422),
    ],
)
def test_each_request_gets_the_documented_status(ask, method, body, status):
    assert ask((method, body))[0] == [status]


def test_a_restart_leaves_the_old_name_behind(ask):
    # Hole S1.
    restart = ("POST", '{"sdp": "SDP", "type": "offer", "pc_id": "PC_ID", "restart_pc": true}')
    assert ask(restart, restart) == ([200, 200], 3)


def test_single_mode_refuses_a_second_client_and_a_wrong_name(ask):
    another = ("POST", '{"sdp": "SDP", "type": "offer"}')
    stranger = ("POST", '{"sdp": "SDP", "type": "offer", "pc_id": "stranger"}')
    assert ask(another, stranger, mode="single")[0] == [400, 400]


def test_nothing_is_left_running(ask, world):
    ask()
    assert asyncio.all_tasks(world.loop) == set()
