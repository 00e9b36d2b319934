"""``simlab hunt`` as a user meets it."""

import json
import re
import signal
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from simlab.batch.executors import Here
from simlab.batch.outcome import Outcome
from simlab.cli import hunting
from tests.cli.test_sweep_processes import workers_of

DOCUMENT = Path(__file__).parents[2] / "docs/hunt.md"
SHORT = ["--set", "duration=20s", "--set", "peers.media=[]"]
HANDOVERS = ["hunt", "clean", *SHORT, "--kind", "handover", "--faults", "1"]


class InterruptedAfter(Here):
    """Runs so many sessions, and then is interrupted by Ctrl-C."""

    def __init__(self, sessions: int) -> None:
        super().__init__()
        self._left = sessions

    def finished(self) -> Iterator[Outcome]:
        for outcome in super().finished():
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1
            yield outcome


def test_what_is_found_is_a_profile_that_fails_by_itself(simlab):
    hunted = simlab(*HANDOVERS, "--seed", "4", "--seeds", "2", "--jobs", "2", "--json")
    assert (hunted.exit_code, hunted.stderr) == (1, "")
    found = json.loads(hunted.stdout)
    (finding,) = found["findings"]
    assert (found["sessions"], found["failures"]) == (2, [])
    assert (finding["policy"], finding["invariant"]) == ("pipecat", "ready-but-dead")
    assert (finding["broken"], finding["of"], finding["seeds"]) == (2, 2, [4, 5])
    assert finding["is_minimal"]
    assert [fault["kind"] for fault in finding["faults"]] == ["handover"]
    assert json.loads((Path(found["folder"]) / "hunt.json").read_text()) == found
    assert (Path(finding["run"]) / "timeline.png").is_file()
    profile = tomllib.loads(Path(finding["file"]).read_text())
    assert profile["expect"] == {"violations": "== 0"}
    again = simlab("run", finding["file"])
    assert again.exit_code == 1
    assert f"Violated (ready-but-dead): {finding['detail']}." in again.stdout


def test_a_key_that_changes_nothing_in_one_of_the_policies_is_noted(simlab):
    policies = ["--policy", "pipecat", "--policy", "never", "--set", "policy.retry_delay=3s"]
    hunted = simlab(*HANDOVERS, *policies, "--seeds", "1", "--jobs", "1", "--json")
    found = json.loads(hunted.stdout)
    assert found["notes"] == [
        "policy.retry_delay changes nothing in the policy never, which stays as it is: max_attempts is 0"
    ]
    assert json.loads((Path(found["folder"]) / "hunt.json").read_text()) == found


def test_the_example_of_the_document_is_found_and_fails_by_itself(simlab):
    text = DOCUMENT.read_text()
    (command,) = re.findall(r"such as this one of `simlab (hunt .*?)`", text)
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    # Of the hundred seeds of that hunt, this is the one from which its finding begins.
    hunted = simlab(*command.split(), "--seed", "68", "--seeds", "1", "--jobs", "1", "--quiet")
    found = Path(hunted.stdout.strip())
    assert found.read_text() == example
    again = simlab("run", str(found))
    assert again.exit_code == 1
    sentence = tomllib.loads(example)["description"]
    assert f"Violated (ready-but-dead): {sentence}." in again.stdout


def test_it_tells_what_broke_what_and_how_to_see_it_again(simlab):
    told = simlab(*HANDOVERS, "--seed", "5", "--seeds", "1", "--jobs", "1").stdout
    (file,) = Path("results").glob("*-hunt-clean/ready-but-dead-pipecat.toml")
    assert told.startswith("1 of 1 session\n")
    assert "clean    pipecat  ready-but-dead  1 of 1" in told
    assert '  [[fault]]\n  kind = "handover"\n' in told
    assert told.endswith(f"\n\n  simlab run {file}\n")


def test_where_nothing_is_broken_it_tells_how_sure_that_is(simlab):
    """Of three schedules none breaks anything: 1 - 0.05^(1/3) is 63.2 % (Clopper and Pearson)."""
    hunted = simlab("hunt", "clean", *SHORT, "--kind", "inject", "--seeds", "3", "--jobs", "1")
    assert hunted.exit_code == 0
    assert hunted.stdout == (
        "3 of 3 sessions\n"
        "No invariant was broken: fewer than 63.2% of such schedules break one (95 % confidence).\n"
    )
    assert list(Path("results").iterdir()) == []


def test_quiet_prints_the_profiles_alone(simlab):
    hunted = simlab(*HANDOVERS, "--seed", "5", "--seeds", "1", "--jobs", "1", "--tries", "0", "--quiet")
    assert hunted.exit_code == 1
    assert tomllib.loads(Path(hunted.stdout.strip()).read_text())["seed"] == 5


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["clean", "--kind", "handovr"], '--kind is "handovr", did you mean "handover"?'),
        (["clean", "--invariant", "x"], '--invariant is "x", want one of "ready-but-dead", '),
        (["cleam"], 'cleam: there is no such file, did you mean "profiles/clean.toml"?'),
        (["clean", "--clock", "real"], "clean: a hunt wants the virtual clock: --clock virtual"),
        (["clean", "--client", "nowhere:call"], 'clean: peers.client is "nowhere:call", '),
        (["clean", "--client", "chromium"], "no browser runs under the virtual clock"),
        (["clean", "--kind", "turn-server-down"], "clean: cannot have --kind turn-server-down"),
    ],
)
def test_a_mistake_is_told_and_leaves_nothing(simlab, words, told):
    hunted = simlab("hunt", *words)
    assert (hunted.exit_code, hunted.stdout) == (2, "")
    assert told in hunted.stderr
    assert not Path("results").exists()


@pytest.mark.parametrize("sessions", [3, 6])
def test_what_was_found_before_an_interruption_is_saved(simlab, monkeypatch, sessions):
    """The first time while faults are searched for, the second time while a finding is made simpler."""
    monkeypatch.setattr(hunting, "executor_of", lambda *_, **__: InterruptedAfter(sessions))
    hunted = simlab(*HANDOVERS, "--seed", "3", "--seeds", "4", "--jobs", "1", "--json")
    assert hunted.exit_code == 130
    over = f"Stopping, with {min(sessions, 4)} of 4 sessions over. Ctrl-C again leaves out what they broke."
    assert over in hunted.stderr.splitlines()
    (finding,) = json.loads(hunted.stdout)["findings"]
    assert (finding["of"], finding["is_minimal"], finding["run"]) == (min(sessions, 4), False, None)
    assert simlab("run", finding["file"]).exit_code == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_a_polite_kill_and_a_closed_terminal_end_its_processes(start, number):
    process = start("hunt", "clean", "--seeds", "200", "--jobs", "2")
    while not (workers := workers_of(process)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=90)
    assert process.returncode == 130, stdout
    while any(Path(f"/proc/{pid}").exists() for pid in workers):  # each ends when it sees that its parent has
        time.sleep(0.05)
