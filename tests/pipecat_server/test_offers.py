"""The routes in front of Pipecat's request handler, and what a session leaves behind."""

import asyncio
import threading

import httpx
import pytest
from aiortc import RTCPeerConnection, rtcsctptransport

from simlab.pipecat_server.choose import prepare, server_of
from simlab.webrtc.routes import OFFER_PATH
from tests.needs import needs_pipecat
from tests.virtual.sessions import run_text, scenario

needs_pipecat()

URL = f"http://10.0.0.1:80{OFFER_PATH}"
END_OF_CANDIDATES = '{"candidate": "", "sdp_mid": "0", "sdp_mline_index": 0}'
OFFER = '{"sdp": "SDP", "type": "offer"}'
WANTED = scenario('[peers]\nserver = "pipecat"\n')


@pytest.fixture(scope="module", autouse=True)
def _imported():
    prepare(WANTED)


async def real_offer():
    pc = RTCPeerConnection()
    pc.addTransceiver("audio")
    pc.createDataChannel("chat")
    await pc.setLocalDescription(await pc.createOffer())
    return pc, pc.localDescription.sdp


@pytest.fixture
def ask(run, record):
    """Send requests to a server that has answered an offer already, under the name PC_ID."""

    def ask(*requests, mode="multiple"):
        async def work():
            server = server_of(scenario(f'[peers]\nserver = "pipecat"\n[server]\nmode = "{mode}"'), record)
            await server.start("10.0.0.1", 80)
            pc, sdp = await real_offer()
            statuses = []
            async with httpx.AsyncClient(timeout=None) as client:
                first = await client.post(URL, json={"sdp": sdp, "type": "offer"})
                names = {"PC_ID": first.json()["pc_id"], "SDP": sdp.replace("\r\n", "\\r\\n")}
                for method, template in requests:
                    body = template.replace("PC_ID", names["PC_ID"]).replace("SDP", names["SDP"])
                    statuses.append((await client.request(method, URL, content=body)).status_code)
            await server.close()
            await pc.close()
            await asyncio.sleep(3.0)  # the tasks of aiortc and Pipecat end within their next poll
            return statuses

        return run(work())

    return ask


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("POST", OFFER, 200),
        ("POST", '{"sdp": "SDP", "type": "offer", "pc_id": "PC_ID", "restart_pc": true}', 200),
        ("POST", '{"sdp": "SDP", "type": "offer", "pc_id": "unknown", "requestData": 1}', 200),
        ("POST", '{"type": "offer"}', 422),
        ("POST", "not json", 422),
        ("POST", '{"sdp": "m=nonsense", "type": "offer"}', 500),
        ("PATCH", '{"pc_id": "PC_ID", "candidates": []}', 200),
        ("PATCH", '{"pc_id": "PC_ID", "candidates": [' + END_OF_CANDIDATES + "]}", 200),
        ("PATCH", '{"pc_id": "unknown", "candidates": []}', 404),
        ("PATCH", '{"pc_id": null, "candidates": []}', 422),
    ],
)
def test_each_request_gets_the_status_that_simlabs_server_gives(ask, method, body, status):
    assert ask((method, body)) == [status]


def test_single_mode_refuses_a_second_client_and_a_wrong_name(ask):
    stranger = '{"sdp": "SDP", "type": "offer", "pc_id": "stranger"}'
    assert ask(("POST", OFFER), ("POST", stranger), mode="single") == [400, 400]


def test_nothing_is_left_running(ask, world):
    ask(("POST", OFFER))
    assert asyncio.all_tasks(world.loop) == set()


def test_sessions_repeat_themselves_and_leave_others_as_they_were():
    text = 'duration = "12s"\n[[fault]]\nkind = "server-restart"\nat = "4s"\nfor = "300ms"\n'

    def lines(server):
        return run_text(text, peers__server=server).to_text()

    chunk_bytes, threads = rtcsctptransport.USERDATA_MAX_LENGTH, threading.active_count()
    builtin, pipecat = lines("builtin"), lines("pipecat")
    assert (rtcsctptransport.USERDATA_MAX_LENGTH, threading.active_count()) == (chunk_bytes, threads)
    assert (lines("builtin"), lines("pipecat")) == (builtin, pipecat)
