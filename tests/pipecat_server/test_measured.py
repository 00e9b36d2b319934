"""The published server in the catalogue's networks, in virtual time: what was measured of it in real time.

What it does not tell the timeline is read from its own log, whose times are virtual, too.
"""

from contextlib import contextmanager
from pathlib import Path

import pytest

from simlab.pipecat_server.choose import prepare
from simlab.study.metrics import metrics
from simlab.virtual.world import EPOCH_S
from tests.needs import needs_pipecat
from tests.virtual.sessions import run_text, scenario

needs_pipecat()

PROFILES = Path(__file__).parents[2] / "profiles"
BLACKOUT, FLAKY = ((PROFILES / f"{name}.toml").read_text() for name in ("blackout", "flaky"))
PUBLISHED = {"peers__server": "pipecat"}
QUIET = PUBLISHED | {"peers__media": "[]"}
NEVER = QUIET | {"policy__name": "never"}


@pytest.fixture
def names_left(monkeypatch):
    """Return the names that request handlers know, each as it is closed."""
    prepare(scenario("", **PUBLISHED))
    from simlab.pipecat_server import session

    left = []

    class Handler(session.RequestHandler):
        async def close(self):
            left.append(list(self._pcs_map))
            await super().close()

    monkeypatch.setattr(session, "RequestHandler", Handler)
    return left


@contextmanager
def logged():
    """Collect what the published server logs as a warning: the virtual time, and the words."""
    prepare(scenario("", **PUBLISHED))
    from loguru import logger

    lines = []

    def take(message):
        lines.append((round(message.record["time"].timestamp() - EPOCH_S, 6), message.record["message"]))

    sink = logger.add(take, level="WARNING", filter="pipecat.transports.smallwebrtc")
    logger.enable("pipecat")
    try:
        yield lines
    finally:
        logger.disable("pipecat")
        logger.remove(sink)


def first_s(timeline, source, kind, **fields):
    events = timeline.select(source, kind)
    return next(e.t_s for e in events if all(e.data.get(name) == value for name, value in fields.items()))


@pytest.mark.parametrize("direction", ["both", "up", "down"])
def test_a_client_that_never_connects_is_given_up_60_s_after_it_began(direction):
    dead = {"fault[0].at": "0s", "fault[0].for": "70s", "fault[0].direction": direction, "duration": "70s"}
    with logged() as lines:
        timeline = run_text(BLACKOUT, **NEVER, **dead)
    began_s = first_s(timeline, "server", "connection_state", state="connecting")
    closed_s = first_s(timeline, "server", "connection_closed")
    assert closed_s - began_s == pytest.approx(60.0, abs=1e-5)
    [(at_s, words)] = lines
    assert (at_s, words.partition(".")[0]) == (
        pytest.approx(closed_s, abs=1e-5),
        "Timeout establishing the connection to the remote peer",
    )
    # And so 60.02 s after the request, which is 20 ms on its way here.
    assert round(closed_s - first_s(timeline, "signalling", "request"), 2) == 60.02


def test_a_channel_that_does_not_open_is_given_up_10_s_after_the_connection():
    no_data = '[[fault]]\nkind = "block"\nat = "0s"\nfor = "11s"\nmatch = ["dtls.data"]\n'
    with logged() as lines:
        timeline = run_text(BLACKOUT + no_data, **NEVER)
    connected_s = first_s(timeline, "server", "connection_state", state="connected")
    [at_s] = [at_s for at_s, words in lines if words.startswith("Data channel not established within 10s")]
    assert at_s == pytest.approx(connected_s + 10.0, abs=1e-5)
    assert first_s(timeline, "client", "channel_open") > 11.0  # SCTP went on trying


@pytest.mark.parametrize(
    ("text", "restarts", "more"),
    [
        (BLACKOUT, 1, {}),
        (BLACKOUT, 3, {"fault[0].for": "50s", "duration": "80s"}),  # HTTP is alive: an offer every 20 s
        (FLAKY, 1, {}),
    ],
    ids=["blackout", "blackout of 50 s", "flaky"],
)
def test_each_restart_leaves_a_name_behind(text, restarts, more, names_left):
    # Hole S1. The client has left, which took the last name away: nobody is there any more.
    timeline = run_text(text, **QUIET, **more)
    assert metrics(timeline)["server"]["connections_opened"] == 1 + restarts
    [names] = names_left
    assert len(set(names)) == restarts


def test_a_dead_path_is_noticed_after_30_5_s_on_average_and_23_to_39_s_always():
    expired_s = []
    for seed in range(24):
        began_s = 15 + 5 * seed / 24  # over one interval between two checks
        dead = {"fault[0].at": f"{began_s:.3f}s", "fault[0].for": "45s", "duration": "65s"}
        timeline = run_text(BLACKOUT, **NEVER, **dead, seed=str(seed))
        expired_s.append(first_s(timeline, "server", "connection_closed", reason="closed") - began_s)
    assert all(23.0 <= each_s <= 39.0 for each_s in expired_s)
    # Until the next check 0 to 6 s (standard deviation 1.5 s), then five more, each after 4 to 6 s (0.58 s):
    # 1.98 s for one session, 0.40 s for the mean of 24, and four times that here.
    assert sum(expired_s) / len(expired_s) == pytest.approx(30.5, abs=1.6)
