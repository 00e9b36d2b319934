"""What the published client and server do wrong, each fault a switch, and presets that set the switches.

Every switch is named after what goes wrong; true is the published behaviour, false is mended. The numbers
C1 to C15 and S1 to S10 are those of ``docs/behaviour.md``.
"""

from collections.abc import Mapping
from typing import TypeVar

from simlab.profile.fields import Table

B = TypeVar("B", bound=Table)


class ClientBehaviour(Table):
    """``[client.behaviour]``: single behaviours of a client over those of its preset.

    Parameters
    ----------
    stop_shared_tracks
        C1: closing the old connection ends the microphone track that the new one shares with it.
    drop_new_remote_tracks
        C1: the tracks that a new connection brings are not played, since the end of the old ones removes
        them.
    wait_for_answer_for_ever
        C2: an offer has no time limit, so one that hangs stops all reconnection.
    leak_pending_offer
        C3: ``disconnect()`` during an unanswered offer leaves the request and the old connection behind.
    keep_late_answer
        C4: an answer that comes after ``disconnect()`` sets the ``pc_id`` that the next ``connect()`` names.
    reset_attempts_by_answer
        C5: an applied answer counts as success, though nothing may ever flow; else an open data channel does.
    keep_grace_after_recovery
        C6: the wait after ``disconnected`` goes on when the path recovers, and looks at its end alone.
    stay_busy_after_exception
        C7: an exception before the offer leaves the transport busy for ever.
    keep_retry_after_giving_up
        C8: a retry that waits survives giving up, and brings the transport back.
    close_old_after_failed_offer
        C9: the old connection is closed even when the offer for the new one failed, so that it cannot heal.
    forget_to_announce_reconnection
        C10: after a reconnection neither the states of the tracks are sent nor callbacks called again.
    trickle_under_old_id
        C11: candidates of a new connection are sent under the old ``pc_id`` while its offer is pending.
    transient_refusal_is_final
        C12: 408, 425 and 429 end everything, as any other 4xx does.
    share_keep_alive
        C13: the timer of the pings is one for all connections, so the late end of an old channel stops the
        new one's.
    drop_messages_while_reconnecting
        C14: a message that is sent while there is no open channel is lost without a word.
    greet_first_bot_only
        C15: a new bot after a server's restart never gets ``client-ready``, and never says ``bot-ready``.
    retry_after_refusal
        1.10.6 and before: any 4xx is retried as a 5xx is.
    stay_ready_after_giving_up
        1.10.6 and before: giving up leaves the transport's state at ``ready``.
    reconnect_after_disconnect
        1.10.6 and before: ``disconnect()`` does not stop attempts.
    trickle_after_failed_offer
        1.10.6 and before: a failed offer lets candidates go, with a ``pc_id`` of null.
    """

    stop_shared_tracks: bool = True
    drop_new_remote_tracks: bool = True
    wait_for_answer_for_ever: bool = True
    leak_pending_offer: bool = True
    keep_late_answer: bool = True
    reset_attempts_by_answer: bool = True
    keep_grace_after_recovery: bool = True
    stay_busy_after_exception: bool = True
    keep_retry_after_giving_up: bool = True
    close_old_after_failed_offer: bool = True
    forget_to_announce_reconnection: bool = True
    trickle_under_old_id: bool = True
    transient_refusal_is_final: bool = True
    share_keep_alive: bool = True
    drop_messages_while_reconnecting: bool = True
    greet_first_bot_only: bool = True
    retry_after_refusal: bool = False
    stay_ready_after_giving_up: bool = False
    reconnect_after_disconnect: bool = False
    trickle_after_failed_offer: bool = False


class ServerBehaviour(Table):
    """``[server.behaviour]``: single behaviours of a server over those of its preset.

    Parameters
    ----------
    keep_stale_ids
        S1: a restart leaves the connection's old ``pc_id`` in the map for ever; in single mode every later
        client is then refused (S2).
    refuse_previous_id
        S3: in single mode an offer that names the ``pc_id`` before the last restart, because that answer was
        lost, is refused.
    block_on_dead_track
        S4: a restart while the bot speaks leaves a write waiting on the dead track; after 10 s the bot is
        mute for good.
    leave_zombie_after_bot
        S5: a bot that ends while pings are stale leaves its connection open, and the client at a server
        without bot.
    start_bot_for_unknown_id
        S6: an offer that names an unknown ``pc_id`` starts a second bot without a word.
    announce_client_again
        S7: each restart tells the bot of a new client, so that it greets again.
    ignore_silence
        S8: a client that is gone without a word is noticed by ICE consent alone, after half a minute.
    forget_track_status
        S9: a restart forgets which tracks the client had switched off.
    sessions_answer_400
        S10: whatever goes wrong under ``/sessions/…`` is answered 400, which the client takes for final.
    """

    keep_stale_ids: bool = True
    refuse_previous_id: bool = True
    block_on_dead_track: bool = True
    leave_zombie_after_bot: bool = True
    start_bot_for_unknown_id: bool = True
    announce_client_again: bool = True
    ignore_silence: bool = True
    forget_track_status: bool = True
    sessions_answer_400: bool = True


def _all_mended(table: type[B]) -> B:
    return table(**dict.fromkeys(table.model_fields, False))


CLIENT_PRESETS: Mapping[str, ClientBehaviour] = {
    "pipecat-1.10.8": ClientBehaviour(),
    "pipecat-1.10.6": ClientBehaviour(
        transient_refusal_is_final=False,
        retry_after_refusal=True,
        stay_ready_after_giving_up=True,
        reconnect_after_disconnect=True,
        trickle_after_failed_offer=True,
    ),
    "fixed": _all_mended(ClientBehaviour),
}

SERVER_PRESETS: Mapping[str, ServerBehaviour] = {
    "pipecat-1.14.0": ServerBehaviour(),
    "fixed": _all_mended(ServerBehaviour),
}


def over_preset(presets: Mapping[str, B], preset: str, given: B) -> B:
    """Return a preset's behaviours with those that a profile gives laid over them."""
    return presets[preset].model_copy(update={name: getattr(given, name) for name in given.model_fields_set})
