"""What an application can be told by the client.

The names are those of the JavaScript client in snake case: ``onTrackStarted`` is ``track_started``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiortc.mediastreams import MediaStreamTrack


def _ignore(*_: Any) -> None:
    return None


@dataclass(frozen=True)
class Participant:
    """Who a callback is about."""

    id: str
    local: bool
    name: str


def bot_participant(pc_id: str | None) -> Participant:
    """Return the bot, whose identifier is the server's name for the connection."""
    return Participant(pc_id or "bot", local=False, name="bot")


@dataclass
class Callbacks:
    """Functions that the client calls; each may be left out.

    The last one is simlab's own; the others are all that the published client calls with this transport,
    except those of the devices of a browser.
    """

    connected: Callable[[], None] = _ignore
    disconnected: Callable[[], None] = _ignore
    error: Callable[[Any], None] = _ignore  # the whole RTVI message; one that is fatal disconnects
    transport_state_changed: Callable[[str], None] = _ignore
    bot_started: Callable[[Any], None] = _ignore  # what the start endpoint answered
    bot_connected: Callable[[Participant], None] = _ignore
    bot_ready: Callable[[Any], None] = _ignore
    bot_disconnected: Callable[[Participant], None] = _ignore
    metrics: Callable[[Any], None] = _ignore
    media_state_changed: Callable[[Any], None] = _ignore
    server_message: Callable[[Any], None] = _ignore
    message_error: Callable[[Any], None] = _ignore  # the whole RTVI message
    ui_command: Callable[[Any], None] = _ignore
    ui_job_group: Callable[[Any], None] = _ignore
    track_started: Callable[[MediaStreamTrack], None] = _ignore
    track_stopped: Callable[[MediaStreamTrack], None] = _ignore
    unsupported_feature: Callable[[Exception], None] = _ignore
    user_started_speaking: Callable[[], None] = _ignore
    user_stopped_speaking: Callable[[], None] = _ignore
    bot_started_speaking: Callable[[], None] = _ignore
    bot_stopped_speaking: Callable[[], None] = _ignore
    user_mute_started: Callable[[], None] = _ignore
    user_mute_stopped: Callable[[], None] = _ignore
    user_transcript: Callable[[Any], None] = _ignore
    user_llm_text: Callable[[Any], None] = _ignore
    bot_output: Callable[[Any], None] = _ignore
    bot_transcript: Callable[[Any], None] = _ignore
    bot_llm_text: Callable[[Any], None] = _ignore
    bot_llm_started: Callable[[], None] = _ignore
    bot_llm_stopped: Callable[[], None] = _ignore
    bot_tts_text: Callable[[Any], None] = _ignore
    bot_tts_started: Callable[[], None] = _ignore
    bot_tts_stopped: Callable[[], None] = _ignore
    llm_function_call_started: Callable[[Any], None] = _ignore
    llm_function_call_in_progress: Callable[[Any], None] = _ignore
    llm_function_call_stopped: Callable[[Any], None] = _ignore
    llm_function_call: Callable[[Any], None] = _ignore
    bot_llm_search_response: Callable[[Any], None] = _ignore
    frame_received: Callable[[Any], None] = _ignore  # a frame of a started track


WITHOUT_DATA: Mapping[str, str] = {
    "user-started-speaking": "user_started_speaking",
    "user-stopped-speaking": "user_stopped_speaking",
    "bot-started-speaking": "bot_started_speaking",
    "bot-stopped-speaking": "bot_stopped_speaking",
    "user-mute-started": "user_mute_started",
    "user-mute-stopped": "user_mute_stopped",
    "bot-llm-started": "bot_llm_started",
    "bot-llm-stopped": "bot_llm_stopped",
    "bot-tts-started": "bot_tts_started",
    "bot-tts-stopped": "bot_tts_stopped",
}
"""The callback for each type of RTVI message that carries nothing for it."""

WITH_DATA: Mapping[str, str] = {
    "metrics": "metrics",
    "server-message": "server_message",
    "ui-command": "ui_command",
    "ui-job-group": "ui_job_group",
    "user-transcription": "user_transcript",
    "user-llm-text": "user_llm_text",
    "bot-output": "bot_output",
    "bot-transcription": "bot_transcript",
    "bot-llm-text": "bot_llm_text",
    "bot-tts-text": "bot_tts_text",
    "llm-function-call-started": "llm_function_call_started",
    "llm-function-call-in-progress": "llm_function_call_in_progress",
    "llm-function-call-stopped": "llm_function_call_stopped",
    "llm-function-call": "llm_function_call",
    "bot-llm-search-response": "bot_llm_search_response",
}
"""The callback for each type of RTVI message whose data it is given."""
