"""An application of the user's own, in real time: what it says is heard."""

from tests.live.together import run_together

FAULTY = """
duration = "2s"
[peers]
server = "tests.apps.faulty_bot:{}"
"""


def test_its_tracebacks_and_what_it_prints_go_to_stderr(capsys):
    run_together({"mute": FAULTY.format("mute")})
    told = capsys.readouterr()
    assert told.out == ""
    assert "I am mute" in told.err.splitlines()
    assert "RuntimeError: no voice" in told.err.splitlines()


def test_one_that_does_not_start_is_told_as_under_the_virtual_clock(capsys):
    timeline = run_together({"broken": FAULTY.format("broken")})["broken"]
    failed = timeline.events[-1]
    assert (failed.kind, failed["stage"]) == ("failed", "server")
    assert failed["reason"].startswith(
        "tests.apps.faulty_bot:broken did not start: ZeroDivisionError: division by zero"
    )
    assert capsys.readouterr().err == ""
