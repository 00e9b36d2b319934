"""Each model of liveness in a session: when it notices, and what the policies make of it."""

import pytest

from simlab.study.metrics import metrics
from tests.virtual.sessions import run_text

LOST = """
duration = "60s"
[link]
delay = "20ms"
[client]
liveness = "{liveness}"
{more}
[[fault]]
kind = "{kind}"
at = "10s"
for = "45s"
{match}
"""
EVERYTHING = {"kind": "blackout", "match": ""}
STUN = {"kind": "block", "match": 'match = ["stun"]'}
MEDIA = {"kind": "block", "match": 'match = ["rtp"]'}


def session(liveness, lost=EVERYTHING, more="", **overrides):
    return run_text(LOST.format(liveness=liveness, more=more, **lost), **overrides)


def until(end_s):
    """Return what ends a session so many seconds after the loss, which lasts until then."""
    return {"duration": f"{10 + end_s}s", "fault[0].for": f"{end_s}s"}


def changes(timeline):
    """Return the states after the loss, with the seconds since then."""
    events = [e for e in timeline.select("client", "liveness") if e.t_s > 10.0 and e["connection"] == 1]
    return [(round(e.t_s - 10.0, 2), e["state"]) for e in events]


@pytest.mark.parametrize(
    ("liveness", "more", "low_s", "high_s", "state"),
    [
        ("chromium", "", 5.0, 7.7, "disconnected"),
        ("firefox", "", 4.0, 12.0, "disconnected"),
        ("aioice", "", 23.0, 39.0, "closed"),
        ("media", "", 2.9, 3.1, "disconnected"),
        ("media", 'media_silence = "7s"', 6.9, 7.1, "disconnected"),
        ("ping", "", 3.0, 4.1, "disconnected"),
        ("ping", "missed_pings = 6", 6.0, 7.1, "disconnected"),
    ],
)
def test_a_loss_is_noticed_when_the_model_says(liveness, more, low_s, high_s, state):
    at_s, found = changes(session(liveness, more=more, policy__name="never", **until(high_s + 1)))[0]
    assert found == state
    assert low_s <= at_s <= high_s


def test_firefox_fails_half_a_minute_after_its_last_answer():
    found = changes(session("firefox", policy__name="never"))
    assert [state for _, state in found] == ["disconnected", "failed"]
    assert 24.0 <= found[1][0] <= 30.1


@pytest.mark.parametrize(
    ("lost", "noticing"),
    [(STUN, {"chromium", "firefox", "aioice"}), (MEDIA, set()), (EVERYTHING, {"chromium", "media", "ping"})],
    ids=["stun", "media", "everything"],
)
def test_who_notices_what(lost, noticing):
    # All but aioice notice within 12 s of the loss, and nothing else is asked for longer than 20 s of it.
    everyone = {"chromium", "firefox", "aioice", "media", "ping"}
    for liveness in noticing if lost is EVERYTHING else everyone:
        end = until(40 if liveness == "aioice" and liveness in noticing else 21)
        found = changes(session(liveness, lost, policy__name="never", peers__media='["audio"]', **end))
        if liveness in noticing:
            assert found, liveness
        else:
            # Until the server's own consent is lost, and it closes.
            assert [at_s for at_s, _ in found if at_s < 20.0] == [], liveness


def test_aiortcs_own_end_closes_the_connection_and_a_policy_may_take_it_for_a_failure():
    published = session("aioice")
    assert metrics(published)["attempts"]["recreations"] == 0  # `closed` is no state that it looks at
    fixed = session("aioice", policy__name="pipecat-fixed")
    [closed_s] = [e.t_s for e in fixed.select("client", "liveness") if e["state"] == "closed"]
    assert next(fixed.select("policy", "attempt")).t_s == closed_s
    assert any(e["state"] == "closed" for e in fixed.select("client", "connection_state"))


def test_a_faster_model_recovers_faster():
    def recovered_s(liveness):
        text = LOST.format(liveness=liveness, more="", **EVERYTHING).replace('"45s"', '"9s"')
        found = metrics(run_text(text, policy__name="immediate", client__preset="fixed", duration="25s"))
        return found["outages"][0]["first_attempt_s"]

    assert recovered_s("media") < recovered_s("chromium") < 9.0
