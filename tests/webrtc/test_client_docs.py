"""docs/client.md is right."""

import re
from pathlib import Path

import simlab.webrtc
from simlab.webrtc.callbacks import Callbacks
from simlab.webrtc.transport import SmallWebRTCTransport
from tests.webrtc.clients import OFFERS, READY, bot_server

DOCS = (Path(__file__).parents[2] / "docs" / "client.md").read_text()


def test_its_example_runs(run, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    code, last, _ = code.partition("asyncio.run(call(")
    assert last
    names = {}
    exec(code, names)

    def answer(connection, message):
        if message["type"] == "client-message" and message["data"]["t"] == "what time is it":
            data = {"t": "what time is it", "d": "late"}
            reply = {"id": message["id"], "label": "rtvi-ai", "type": "server-response", "data": data}
            connection.send(reply)

    async def play():
        async with bot_server(app_message=answer):
            return await names["call"](OFFERS)

    assert run(play()) == (READY, "late")
    assert capsys.readouterr().out.split()[-2:] == ["disconnecting", "disconnected"]


def test_it_names_every_option_and_call():
    options = SmallWebRTCTransport.__init__.__kwdefaults__
    assert [name for name in options if f"`{name}`" not in DOCS] == []
    internal = {
        "bot_ready",
        "signalled",
        "error_happened",
        "spawn",
        "go_back_to",
        "start_peer",
        "close_peer",
        "stop",
        "peer",
    }
    events = {name for name in dir(SmallWebRTCTransport) if name.split("_")[-1] in EVENT_ENDINGS}
    calls = {name for name in dir(SmallWebRTCTransport) if not name.startswith("_")} - internal - events
    assert sorted(name for name in calls - {"pc_id"} if name not in DOCS) == []


# RTVIEventCallbacks of @pipecat-ai/client-js 1.13.1, without those that this transport never calls.
PUBLISHED = """
onConnected onDisconnected onError onTransportStateChanged onBotStarted onBotConnected
onBotReady onBotDisconnected onMetrics onServerMessage onMessageError onUICommand onUIJobGroup
onMediaStateChanged onTrackStarted onTrackStopped onUnsupportedFeature onUserStartedSpeaking
onUserStoppedSpeaking onBotStartedSpeaking onBotStoppedSpeaking onUserMuteStarted
onUserMuteStopped onUserTranscript onUserLlmText onBotOutput onBotTranscript onBotLlmText
onBotLlmStarted onBotLlmStopped onBotTtsText onBotTtsStarted onBotTtsStopped
onLLMFunctionCallStarted onLLMFunctionCallInProgress onLLMFunctionCallStopped onLLMFunctionCall
onBotLlmSearchResponse
"""
EVENT_ENDINGS = {
    "heard",
    "restarted",
    "changed",
    "opened",
    "closed",
    "received",
    "added",
    "gathered",
    "stable",
}


def test_every_callback_is_the_published_one_in_snake_case():
    snake = {
        re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", n[2:]).lower() for n in PUBLISHED.split()
    }
    assert set(Callbacks.__dataclass_fields__) == snake | {"frame_received"}


def test_what_the_package_offers_is_there():
    for name in simlab.webrtc.__all__:
        assert getattr(simlab.webrtc, name).__name__ == name
