"""Forged packets over real sockets: the call goes on, and the capture says which packets they are."""

from simlab.capture import CAPTURE
from simlab.capture.summary import summarise
from simlab.live.session import Settings, run
from simlab.study.metrics import metrics
from tests.forge.test_forgeries import may_send_icmp
from tests.virtual.sessions import scenario

WHATS = ("stun-error-401", "stun-bad-integrity", "stun-truncated", "stun-oversized", "replay", "unreachable")
HEAD = 'duration = "7s"\n[peers]\nmedia = []\n[link]\ndelay = "20ms"\n'
FAULT = '[[fault]]\nkind = "inject"\nwhat = "{}"\nat = "0s"\nevery = "100ms"\ncount = 10\n'
ALERT = '[[fault]]\nkind = "inject"\nwhat = "dtls-alert"\nat = "3s"\ncount = 5\n'


def test_a_call_goes_on_beside_what_is_injected(tmp_path):
    text = HEAD + "".join(map(FAULT.format, WHATS)) + ALERT
    timeline = run(scenario(text), Settings(capture_in=tmp_path, worst_error_s=1.0))
    assert timeline.events[-1].is_a("session", "end")
    measured = metrics(timeline)
    assert measured["outages"] == []
    assert measured["attempts"]["offers"] == 1
    assert [way["lost"] for way in measured["messages"].values()] == [0, 0]
    links = summarise(tmp_path / CAPTURE)["links"]
    for way, link in links.items():
        found = link.pop("injected")
        assert link == {name: measured["links"][way][name] for name in link}
        assert found["stun-oversized"] == found["replay"] == 10
        assert found["dtls-alert"] == 5
        assert found["stun-error-401"] > 0
        assert found["stun-bad-integrity"] > 2
        assert found["stun-truncated"] > 2
        icmp = (found.get("unreachable", 0), link["dropped"].get("icmp-not-permitted", 0))
        assert icmp == ((10, 0) if may_send_icmp() else (0, 10))
        assert all(row["held"] is not False for row in measured["links"][way]["realised"])
