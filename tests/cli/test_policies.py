"""``simlab policies``, policy files, and policies in Python."""

import itertools
import json
import re
import tomllib
from pathlib import Path

import pytest

from simlab.reconnect.policy import POLICIES

DOCS = Path(__file__).parents[2] / "docs" / "policies.md"
SHORT = ("--set", "duration=3s", "--set", "peers.media=[]", "--quiet")
DEAD = """
duration = "30s"
[peers]
media = []
[[fault]]
kind = "blackout"
at = "5s"
for = "25s"
[[fault]]
kind = "signalling"
at = "5s"
for = "25s"
how = "refused"
"""


def attempts_s(simlab, *arguments):
    result = simlab("run", "dead.toml", "--quiet", *arguments)
    assert result.exit_code == 0, result.stderr
    lines = (Path(result.stdout.strip()) / "timeline.jsonl").read_text().splitlines()[1:]
    events = [json.loads(line) for line in lines]
    return [e["t_s"] for e in events if (e["source"], e["kind"]) == ("policy", "attempt")]


def gaps_s(times_s):
    return [round(b - a, 2) for a, b in itertools.pairwise(times_s)]


@pytest.mark.parametrize("name", POLICIES)
def test_what_is_shown_of_a_policy_runs_as_a_policy_file(simlab, here, name):
    shown = simlab("policies", "show", name).stdout
    (here / "mine.toml").write_text(shown)
    assert tomllib.loads(shown)["source"] == POLICIES[name].source
    assert simlab("policies", "show", "mine.toml").stdout == shown
    result = simlab("run", "clean", "--policy", "mine.toml", *SHORT)
    assert result.exit_code == 0, result.stderr
    assert f"-clean-{name}-s1" in result.stdout


def test_the_defaults_in_the_documents_table_are_those_of_a_policy_file(simlab, here):
    (here / "mine.toml").write_text("")
    shown = tomllib.loads(simlab("policies", "show", "mine.toml").stdout)
    told = {}
    for keys, defaults in re.findall(r"^\| (`[a-z_`, ]+`) \| (`.*?`) \| ", DOCS.read_text(), re.MULTILINE):
        values = [tomllib.loads(f"is = {one}")["is"] for one in re.findall("`([^`]+)`", defaults)]
        told |= dict(zip(re.findall(r"\w+", keys), values, strict=True))
    told["transient_statuses"] = [str(status) for status in told["transient_statuses"]]
    assert told.pop("follow_client") is False  # which no policy shows that has all of its terms
    assert told == {
        key: value for key, value in shown.items() if key not in {"name", "source", "description"}
    }


def test_a_changed_policy_is_not_shown_with_the_words_of_the_one_it_starts_from(simlab, here):
    # "ten tries in 44 s" is livekit's, and this one makes four.
    (here / "mine.toml").write_text('base = "livekit"\nmax_attempts = 4')
    shown = tomllib.loads(simlab("policies", "show", "mine.toml").stdout)
    assert (shown["source"], shown["description"]) == ("livekit, with other terms", "")
    assert shown["jitter"] == "livekit"
    (here / "mine.toml").write_text(
        'base = "livekit"\nmax_attempts = 4\ndescription = "four tries"\nsource = "mine"'
    )
    shown = tomllib.loads(simlab("policies", "show", "mine.toml").stdout)
    assert (shown["source"], shown["description"]) == ("mine", "four tries")


def test_the_list_as_json_is_what_policy_files_hold(simlab):
    listed = json.loads(simlab("policies", "list", "--json").stdout)
    assert [one["name"] for one in listed] == list(POLICIES)
    shown = tomllib.loads(simlab("policies", "show", "livekit").stdout)
    assert listed[list(POLICIES).index("livekit")] == shown


def test_the_table_fits_a_wide_terminal_and_says_what_each_does(simlab):
    lines = simlab("policies").stdout.splitlines()
    assert max(map(len, lines)) <= 160
    livekit = next(line for line in lines if line.startswith("livekit "))
    assert re.search(
        r"failed +restart ICE, then re-create +0 0.3 1.2 2.7 4.8 7 ... s +livekit +10 attempts", livekit
    )


def test_a_policy_file_decides(simlab, here):
    (here / "dead.toml").write_text(DEAD)
    (here / "quick.toml").write_text('retry_delay = "1s"\nmax_attempts = 5\ngrace = "1s"\n')
    assert gaps_s(attempts_s(simlab, "--policy", "quick.toml")) == pytest.approx([1.0] * 4, abs=0.05)
    assert gaps_s(attempts_s(simlab)) == pytest.approx([2.0] * 2, abs=0.05)
    assert gaps_s(attempts_s(simlab, "--set", "policy.name=quick.toml")) == pytest.approx([1.0] * 4, abs=0.05)


def test_wrong_policies_are_all_told(simlab, here):
    (here / "wrong.toml").write_text("grase = 1\n")
    result = simlab("run", "clean", "--policy", "wrong.toml", "--policy", "livkit", "--policy", "gone.toml")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[1:] == [
        '  wrong.toml: grase is unknown, did you mean "grace"?',
        '  --policy is "livkit", did you mean "livekit"?',
        "  gone.toml: cannot be read: No such file or directory",
    ]


def test_the_policy_in_python_of_the_docs_runs(simlab, here, monkeypatch):
    # The first block of Python in docs/policies.md, as it stands.
    code = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)[1]
    (here / "my_policies.py").write_text(code)
    (here / "dead.toml").write_text(DEAD)
    monkeypatch.syspath_prepend(str(here))
    found_s = attempts_s(simlab, "--policy", "my_policies:Patient")
    assert gaps_s(found_s) == pytest.approx([1.0, 2.0, 3.0], abs=0.05)
    (here / "own.toml").write_text(DEAD + '[policy]\nname = "my_policies:Patient"\nmax_attempts = 2\n')
    result = simlab("run", "own.toml", "--json")
    assert json.loads(result.stdout)["attempts"]["recreations"] == 2
    assert simlab("policies", "show", "my_policies:Patient").exit_code == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere_at_all:Thing", "there is no module nowhere_at_all"),
        ("json:Thing", "there is no Thing in json"),
        ("json:JSONEncoder", "want a subclass of simlab.reconnect.rules.Rules"),
    ],
)
def test_a_class_that_is_none_is_told_of(simlab, here, name, reason):
    result = simlab("run", "clean", "--policy", name)
    assert (result.exit_code, result.stderr) == (2, f'Error: --policy is "{name}", {reason}\n')
    (here / "own.toml").write_text(f'[policy]\nname = "{name}"\n')
    result = simlab("run", "own.toml")
    assert (result.exit_code, result.stderr) == (2, f'Error: own.toml: policy.name is "{name}", {reason}\n')


def test_several_sessions_are_summed_up_by_policy(simlab, here):
    (here / "dead.toml").write_text(DEAD)
    result = simlab("run", "dead.toml", "--policy", "pipecat", "--policy", "never", "--seeds", "2")
    lines = result.stdout.splitlines()
    table = lines[lines.index("By policy") :]
    assert table[1].split("  ")[0] == "profile"
    rows = {line.split()[1]: line.split() for line in table[2:4]}
    # 2 sessions, 2 outages, none over; three attempts a session or none, and who gave up.
    assert rows["pipecat"][2:] == ["2", "2", "0%", "-", "-", "-", "3.0", "0.0", "2", rows["pipecat"][-1]]
    assert rows["never"][2:] == ["2", "2", "0%", "-", "-", "-", "0.0", "0.0", "0", rows["never"][-1]]


def test_a_note_says_where_a_key_changes_nothing(simlab, here):
    (here / "dead.toml").write_text(DEAD.replace("30s", "8s").replace("25s", "3s"))
    arguments = ("dead.toml", "--policy", "pipecat", "--policy", "never", "--set", "policy.retry_delay=3s")
    note = "policy.retry_delay changes nothing in the policy never, which stays as it is: max_attempts is 0"
    for command in (
        ("run",),
        ("hunt", "--seeds", "1", "--tries", "0", "--jobs", "1"),
        ("sweep", "--seeds", "1", "--jobs", "1"),
    ):
        found = simlab(*command, *arguments, "--json")
        assert found.stderr.splitlines()[0] == f"Note: {note}", found.stderr
    assert json.loads(found.stdout)["notes"] == [note]
    assert json.loads(found.stdout)["set"] == {"policy.retry_delay": "3s"}
    (here / "suite.toml").write_text(
        '[[sweep]]\nname = "one"\nprofiles = ["dead.toml"]\npolicies = ["pipecat", "never"]\nseeds = 1\n'
    )
    night = simlab("nightly", "suite.toml", "--set", "policy.retry_delay=3s", "--jobs", "1")
    assert night.stderr.splitlines()[0] == f"Note: one: {note}"


def test_all_that_is_printed_says_what_is_changed_in_a_policy(simlab, here):
    (here / "dead.toml").write_text(DEAD.replace("30s", "8s").replace("25s", "3s"))
    arguments = ("dead.toml", "--policy", "livekit", "--set", "policy.max_attempts=4")
    told = "livekit (max_attempts=4)"
    lines = simlab("run", *arguments, "--seeds", "2").stdout.splitlines()
    assert lines[0] == f"dead, policy {told}, seed 1, virtual clock, 8s"
    assert len([line for line in lines if told in line]) == 4  # two of them are rows
    found = json.loads(simlab("run", *arguments, "--json").stdout)
    assert (found["policy"], found["policy_keys"]) == ("livekit", {"max_attempts": 4})
    assert simlab("report", found["folder"]).exit_code == 0
    assert f"<dd>{told}</dd>" in (Path(found["folder"]) / "report.html").read_text()
    lines = simlab("sweep", *arguments, "--seeds", "1", "--jobs", "1").stdout.splitlines()
    assert "Set: policy.max_attempts=4" in lines
    assert "<dd>policy.max_attempts=4</dd>" in (Path(lines[-1]) / "report.html").read_text()
    plain = simlab("sweep", *arguments[:3], "--seeds", "1", "--jobs", "1", "--quiet").stdout.strip()
    compared = simlab("compare", plain, lines[-1]).stdout.splitlines()
    assert "Set before: nothing; after: policy.max_attempts=4" in compared
    compared = json.loads(simlab("compare", plain, lines[-1], "--json").stdout)
    assert (compared["set_before"], compared["set_after"]) == ({}, {"policy.max_attempts": "4"})
