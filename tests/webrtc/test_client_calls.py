"""What an application asks of the client, and what it is told, in order."""

import asyncio
import json

import pytest

from simlab.webrtc.callbacks import WITH_DATA, WITHOUT_DATA, Participant
from simlab.webrtc.errors import (
    BotAlreadyStartedError,
    BotNotReadyError,
    ClientRequestError,
    MessageTooLargeError,
    TransportStartError,
)
from tests.webrtc.clients import READY, START, Log, bot_server, client


def rtvi(kind, data=None, message_id="m1"):
    return {"id": message_id, "label": "rtvi-ai", "type": kind, "data": data}


def test_connecting_and_disconnecting_tell_of_each_step_in_order(run):
    log = Log()

    async def play():
        async with bot_server(), client(log) as transport:
            assert await transport.connect() == READY
            pc_id = transport.pc_id
            await transport.disconnect()
            return pc_id

    pc_id = run(play())
    log[:] = [entry for entry in log if entry[0] not in {"media_state_changed", "track_stopped"}]
    bot = Participant(pc_id, local=False, name="bot")
    assert log == [
        ("transport_state_changed", "initializing"),
        ("transport_state_changed", "initialized"),
        ("transport_state_changed", "connecting"),
        ("transport_state_changed", "connected"),
        ("connected",),
        ("bot_connected", bot),
        ("transport_state_changed", "ready"),
        ("bot_ready", READY),
        ("transport_state_changed", "disconnecting"),
        ("disconnected",),
        ("transport_state_changed", "disconnected"),
    ]


def test_the_devices_are_asked_for_once(run):
    log = Log()

    async def play():
        async with bot_server(), client(log) as transport:
            await transport.init_devices()
            assert transport.media_state == {"mic": "granted", "cam": "uninitialized"}
            await transport.connect()
            await transport.disconnect()
            await transport.connect()

    run(play())
    assert log.states().count("initializing") == 1
    assert [args for name, *args in log if name == "media_state_changed"] == [
        [{"mic": "initializing", "cam": "initializing"}],
        [{"mic": "granted", "cam": "initializing"}],
        [{"mic": "granted", "cam": "uninitialized"}],
    ]


def test_without_microphone_and_camera_no_device_is_asked_for(run):
    log = Log()

    async def play():
        async with bot_server(), client(log, enable_mic=False) as transport:
            await transport.connect()

    run(play())
    assert log.states()[0] == "connecting"


def test_a_client_that_is_started_can_not_be_started_again(run):
    async def play():
        async with bot_server(), client() as transport:
            connecting = asyncio.create_task(transport.connect())
            await asyncio.sleep(0)
            for again in (
                transport.connect(),
                transport.start_bot(START),
                transport.start_bot_and_connect(START),
            ):
                with pytest.raises(BotAlreadyStartedError):
                    await again
            await connecting
            with pytest.raises(BotAlreadyStartedError):
                await transport.connect()

    run(play())


def test_nothing_is_sent_before_it_is_ready(run):
    async def play():
        async with client() as transport:
            with pytest.raises(BotNotReadyError):
                transport.send_client_message("hello")
            with pytest.raises(BotNotReadyError):
                await transport.send_client_request("hello")

    run(play())


def test_nobody_has_said_where_offers_go(run):
    log = Log()

    async def play():
        async with client(log, webrtc_request_params=None) as transport:
            with pytest.raises(TransportStartError):
                await transport.connect()

    run(play())
    assert log.states()[2:] == ["connecting", "error", "disconnecting", "disconnected"]


def test_messages_reach_the_bot_in_order_and_answers_come_back(run):
    heard = []

    def answer(connection, message):
        if message["type"] == "client-message":
            heard.append(message["data"])
            kind = "error-response" if message["data"]["t"] == "bad" else "server-response"
            connection.send(rtvi(kind, {"t": "x", "d": "echo", "error": "no"}, message["id"]))

    log = Log()

    async def play():
        async with bot_server(app_message=answer), client(log) as transport:
            await transport.connect()
            transport.send_client_message("one", {"n": 1})
            assert await transport.send_client_request("two", [2]) == "echo"
            with pytest.raises(ClientRequestError, match="no"):
                await transport.send_client_request("bad")

    run(play())
    assert heard == [{"t": "one", "d": {"n": 1}}, {"t": "two", "d": [2]}, {"t": "bad", "d": None}]
    assert log.names().count("message_error") == 1


@pytest.mark.parametrize(("timeout_s", "gives_up_s"), [(10.0, 10.0), (9.0, 10.0), (0.5, 2.0)])
def test_a_request_without_an_answer_is_given_up_by_a_sweep_every_2_s(run, timeout_s, gives_up_s):
    async def play():
        async with bot_server(), client() as transport:
            await transport.connect()
            since_s = transport.record.now_s()
            with pytest.raises(ClientRequestError, match="Timed out waiting for response"):
                await transport.send_client_request("anyone", timeout_s=timeout_s)
            return transport.record.now_s() - since_s

    assert run(play()) == pytest.approx(gives_up_s, abs=1e-3)


def test_a_request_is_forgotten_by_disconnect(run):
    async def play():
        async with bot_server(), client() as transport:
            await transport.connect()
            request = asyncio.create_task(transport.send_client_request("anyone"))
            await asyncio.sleep(1)
            await transport.disconnect()
            await asyncio.sleep(30)
            return request.done()

    assert run(play()) is False


def test_a_message_may_have_as_many_bytes_as_the_channel_takes(run):
    log, heard = Log(), []

    def hear(_, message):
        heard.append(len(message["data"]["d"]) if message["type"] == "client-message" else 0)

    async def play():
        async with bot_server(app_message=hear), client(log) as transport:
            assert transport.max_message_bytes == 65536
            await transport.connect()
            assert transport.max_message_bytes == 262144
            frame = len(
                json.dumps(rtvi("client-message", {"t": "big", "d": ""}, "12345678")).replace(" ", "")
            )
            transport.send_client_message("big", "x" * (262144 - frame))
            for text in ("x" * (262144 - frame + 1), "é" * (262144 // 2)):
                with pytest.raises(MessageTooLargeError):
                    transport.send_client_message("big", text)
            await asyncio.sleep(5)
            return 262144 - frame

    assert run(play()) == heard[-1]
    errors = [args[0]["data"] for name, *args in log if name == "error"]
    text = "Message data too large. Max size is 262144"
    assert errors == [{"error": text, "message": text, "fatal": False}] * 2


def test_microphone_and_camera_are_switched_and_the_server_is_told(run):
    async def play():
        async with bot_server() as connections, client(enable_cam=True) as transport:
            await transport.connect()
            await asyncio.sleep(0.1)
            at_first = [connections[0].is_enabled(index) for index in (0, 1)]
            transport.enable_mic(False)
            transport.enable_cam(False)
            await asyncio.sleep(0.1)
            assert (transport.is_mic_enabled, transport.is_cam_enabled) == (False, False)
            return at_first, [connections[0].is_enabled(index) for index in (0, 1)]

    assert run(play()) == ([True, True], [False, False])


def test_a_screen_that_can_not_be_shared_is_an_unsupported_feature(run):
    log = Log()

    async def play():
        async with client(log) as transport:
            transport.enable_screen_share(True)
            return transport.is_sharing_screen

    assert run(play()) is False
    [(_, error)] = log
    assert error.feature == "enable_screen_share"


@pytest.mark.parametrize("leaves", [True, False])
def test_the_bots_good_bye_disconnects_unless_it_shall_not(run, leaves):
    log = Log()

    async def play():
        async with bot_server() as connections, client(log, disconnect_on_bot_disconnect=leaves) as transport:
            await transport.connect()
            await connections[0].disconnect()
            await asyncio.sleep(1)
            return transport.state

    assert run(play()) == ("disconnected" if leaves else "ready")
    log[:] = [entry for entry in log if entry[0] != "track_stopped"]  # whoever closes the connection
    after = log.steps()[log.steps().index("bot_ready") + 1 :]
    assert after[0] == "bot_disconnected"
    assert after[1:] == (["disconnecting", "disconnected", "disconnected"] if leaves else [])


@pytest.mark.parametrize("fatal", [True, False])
def test_an_error_that_is_fatal_disconnects(run, fatal):
    log = Log()

    async def play():
        async with bot_server() as connections, client(log) as transport:
            await transport.connect()
            connections[0].send(rtvi("error", {"error": "oh", "fatal": fatal}))
            await asyncio.sleep(1)
            return transport.state

    assert run(play()) == ("disconnected" if fatal else "ready")
    assert [args[0]["data"]["error"] for name, *args in log if name == "error"] == ["oh"]


def test_each_message_of_the_bot_has_its_callback(run):
    log = Log()

    async def play():
        async with bot_server() as connections, client(log) as transport:
            await transport.connect()
            log.clear()
            for kind in (*WITHOUT_DATA, *WITH_DATA, "something-new"):
                connections[0].send(rtvi(kind, {"of": kind}))
            connections[0].send({"type": "no label"})
            await asyncio.sleep(1)
            return list(log)

    told = run(play())
    expected = [(name,) for name in WITHOUT_DATA.values()]
    expected += [(name, {"of": kind}) for kind, name in WITH_DATA.items()]
    assert told == expected
