"""What the parent and its child processes say to each other: one JSON object a line.

Down a child's stdin go orders, ``{"id": 3, "do": "alias", "with": ["server", "127.0.0.3", 41234]}``.
Up its stdout come answers, ``{"id": 3, "answer": ["127.0.0.4", 50001]}`` or ``{"id": 3, "error": "why"}``,
events of the timeline, ``{"event": [12.5, "link.up", "dropped", {…}]}``, and that the session can't go on,
``{"failed": ["policy", "why"]}``.

| order | answer |
|---|---|
| ``prepare`` (scenario as TOML; port or offer endpoint; ICE servers) | port, a browser's versions, or null |
| ``prepare`` (scenario as TOML; names): the STUN and TURN servers, of which these start | where they are |
| ``capture`` (file; what it says of itself): the relay alone | null |
| ``log_keys`` (file): a peer, which writes DTLS secrets there from now on | null |
| ``start`` (``time.monotonic()`` at the session's zero) | null |
| ``alias`` (side, host, port): the relay alone | the host and port by which the other side reaches it |
| ``rebind`` (host or null): the relay alone | null |
| ``cut_off`` (host): the relay alone, which takes nothing from there and sends nothing there | null |
| ``join`` (address of the next network's NAT): the relay alone | null |
| ``move`` (host or null): a client, whose address that is from now on | null |
| ``hang_up``: a client, which disconnects as its user would want | null |
| ``leave``: a server that is to be killed, and does nothing more | what it has measured, for the next one |
| ``finish``: record what is still open, and nothing afterwards | null |

A child ends by itself when its stdin is closed.
"""

import json
from typing import Any

from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Event
from simlab.profile.load import load
from simlab.profile.scenario import Scenario

Message = dict[str, Any]


def to_line(message: Message) -> bytes:
    """Return a message as a line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def order(number: int, what: str, *arguments: object) -> Message:
    """Return an order."""
    return {"id": number, "do": what, "with": arguments}


def answer(to: Message, value: object = None) -> Message:
    """Return the answer to an order."""
    return {"id": to["id"], "answer": value}


def refusal(to: Message, why: str) -> Message:
    """Return the answer to an order that can't be carried out."""
    return {"id": to["id"], "error": why}


def failure(error: SessionFailedError) -> Message:
    """Return the message that the session can't go on."""
    return {"failed": [error.stage, error.reason]}


def event_message(event: Event) -> Message:
    """Return an event as a message."""
    return {"event": [event.t_s, event.source, event.kind, event.data]}


def event_of(message: Message) -> Event:
    """Return the event that a message holds."""
    return Event(*message["event"])


def scenario_of(text: str) -> Scenario:
    """Return the scenario that the parent has written with ``to_toml``."""
    return Scenario.of(load(text, "scenario.toml"))
