"""A policy of the user's own that fails, in real time: it fails in the process of the client."""

from tests.live.together import run_together

BROKEN = """
duration = "20s"
[peers]
media = []
[policy]
name = "tests.apps.broken_policies:{}"
"""


def test_its_session_fails_at_once_and_says_where(capsys):
    (timeline,) = run_together({"raising": BROKEN.format("Raising")}).values()
    last = timeline.events[-1]
    assert (last.kind, last["stage"]) == ("failed", "policy")
    told = "tests.apps.broken_policies:Raising.begin raised ZeroDivisionError: no attempt yet"
    assert last["reason"] == f"{told} (broken_policies.py:13)"
    assert last.t_s < 10
    assert "ZeroDivisionError: no attempt yet" in capsys.readouterr().err.splitlines()
