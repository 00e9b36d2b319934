"""``simlab run``, in this process: what is printed, what is saved, and the exit status."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import simlab as door
from simlab.batch import session
from simlab.cli.main import main
from simlab.cli.show import took
from simlab.core.errors import SessionFailedError

SHORT = ("--set", "duration=3s", "--set", "peers.media=[]")


def test_a_session_is_told_and_saved(simlab, here):
    result = simlab("run", "profiles/clean.toml", *SHORT)
    assert result.exit_code == 0
    (folder,) = (here / "results").iterdir()
    lines = result.stdout.splitlines()
    assert lines[0] == "clean, policy pipecat, seed 1, virtual clock, 3s"
    assert lines[1].startswith("  The client was ready after 0.3")
    assert f"results/{folder.name}" in lines
    assert "3 s of session in " in lines[-2]
    assert result.stderr == ""


def test_the_microphone_that_stays_dead_is_told_in_a_sentence(simlab):
    told = simlab("run", "profiles/flaky.toml").stdout
    assert "Violated (microphone-dead-after-recovery): nothing was heard from the microphone from" in told


def test_what_a_carriers_nat_does_not_let_in_is_told(simlab):
    """No link has counted it."""
    done = simlab("run", "nat/mapping-expiry", "--set", "duration=30s")
    (row,) = [line for line in done.stdout.splitlines() if "beyond the links" in line]
    assert row.split() == ["dropped", "beyond", "the", "links", "nat", "53"]


def test_copies_and_damaged_packets_are_told(simlab):
    told = simlab("run", "clean", *SHORT, "--set", "link.down.duplicate=10%", "--set", "link.up.corrupt=5%")
    rows = [line.split() for line in told.stdout.splitlines() if line.startswith("  packets ")]
    assert rows == [
        ["packets", "delivered", "58", "of", "58", "63", "of", "57"],
        ["packets", "dropped", "none", "none"],
        ["packets", "added", "none", "duplicate", "6"],
        ["packets", "corrupted", "1", "0"],
    ]


def test_json_is_all_there_is_on_stdout(simlab, here):
    result = simlab("run", "clean", *SHORT, "--json")
    record = json.loads(result.stdout)
    folder = here / record.pop("folder")
    assert (record.pop("failed"), record.pop("policy_keys")) == (None, {})
    assert record == json.loads((folder / "metrics.json").read_text())


def test_json_of_several_is_a_list_in_the_order_of_the_matrix(simlab):
    result = simlab(
        "run", "clean", "lossy", *SHORT, "--policy", "pipecat", "--policy", "never", "--seeds", "2", "--json"
    )
    found = [(one["profile"], one["policy"], one["seed"]) for one in json.loads(result.stdout)]
    assert found == [
        (profile, policy, seed)
        for profile in ("clean", "lossy")
        for policy in ("pipecat", "never")
        for seed in (1, 2)
    ]


def test_several_sessions_get_a_summary(simlab):
    lines = simlab("run", "clean", *SHORT, "--seed", "5", "--seeds", "2").stdout.splitlines()
    assert lines[-4] == "2 of 2 sessions"
    assert [line.split()[:3] for line in lines[-2:]] == [["clean", "pipecat", "5"], ["clean", "pipecat", "6"]]


def test_quiet_prints_the_folders_alone(simlab, here):
    result = simlab("run", "clean", *SHORT, "--quiet", "--out", "elsewhere")
    assert [here / line for line in result.stdout.splitlines()] == list((here / "elsewhere").iterdir())


def test_an_expectation_that_does_not_hold_is_exit_1(simlab):
    result = simlab("run", "clean", *SHORT, "--set", "expect.connect_s=<= 10ms")
    assert result.exit_code == 1
    assert "  Expected connect_s <= 10ms: did not hold (0.3" in result.stdout


def test_a_session_that_could_not_be_run_is_exit_3_and_kept(simlab, here, monkeypatch):
    def no_port(_, __):
        raise SessionFailedError("server", "port 7860 is in use")

    monkeypatch.setitem(session.CLOCKS, "virtual", no_port)
    result = simlab("run", "clean")
    assert result.exit_code == 3
    assert "The session failed at 0.0 s (server): port 7860 is in use." in result.stdout
    (folder,) = (here / "results").iterdir()
    assert folder.name.endswith("-failed")
    record = json.loads(simlab("run", "clean", "--json").stdout)
    assert record["failed"] == {"stage": "server", "reason": "port 7860 is in use"}


def test_a_bug_keeps_its_traceback(simlab, monkeypatch):
    def broken(_, __):
        raise ZeroDivisionError

    monkeypatch.setitem(session.CLOCKS, "virtual", broken)
    assert isinstance(simlab("run", "clean").exception, ZeroDivisionError)


def test_every_fault_of_every_input_is_listed_once(simlab, here):
    Path("bad.toml").write_text('link.delay = "-4ms"\nlink.dely = 1\n[[fault]]\nkind = "blackot"\n')
    Path("garbage.toml").write_bytes(bytes(range(256)))
    Path("broken.toml").write_text("name = \n")
    result = simlab(
        *("run", "bad.toml", "garbage.toml", "broken.toml", "nowhere.toml", "flakyy", "profiles", "clean"),
        *("--policy", "pipcat", "--set", "durtion=3s"),
    )
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "Error:",
        '  --policy is "pipcat", did you mean "pipecat"?',
        '  bad.toml: link.delay is "-4ms", want 0 or more',
        '  bad.toml: link.dely is unknown, did you mean "delay"?',
        '  bad.toml: fault[0].kind is "blackot", did you mean "blackout"?',
        '  --set durtion is unknown, did you mean "duration"?',
        "  garbage.toml: is not text in UTF-8",
        "  broken.toml: line 1, column 8: Invalid value",
        "  nowhere.toml: there is no such file",
        '  flakyy: there is no such file, did you mean "profiles/flaky.toml"?',
        "  profiles: is a folder, want a profile (a TOML file)",
    ]
    assert not (here / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run"], "Missing argument 'PROFILE...'"),
        (["run", "clean", "--clock", "sundial"], "'sundial' is not one of 'virtual', 'real'"),
        (["run", "clean", "--seed", "-1"], "-1 is not in the range x>=0"),
        (["run", "clean", "--seed", str(2**63)], "seed is 9223372036854775808, want 0 or more"),
        (["run", "clean", "--seeds", "0"], "0 is not in the range 1<=x<=1000000"),
        (["run", "clean", "--set", "duration"], "--set duration: want KEY=VALUE"),
        (
            ["run", "clean", "--out", "profiles/clean.toml"],
            "clean.toml: it is a file, want a folder",
        ),
        (["run", ""], '"": there is no such file'),
        (["walk"], "No such command 'walk'"),
    ],
)
def test_a_wrong_command_line_is_exit_2(simlab, here, arguments, told):
    result = simlab(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (here / "results").exists()


def test_a_link_to_nothing_is_no_folder_for_results(simlab, here):
    (here / "results").symlink_to("nowhere")
    for out, told in (("results", "it"), ("results/deep", "results")):
        result = simlab("run", "clean", *SHORT, "--out", out)
        assert (result.exit_code, result.stderr) == (
            2,
            f"Error: --out {out}: {told} is a link to nothing, want a folder\n",
        )


def test_the_saved_scenario_runs_again(simlab):
    first = Path(simlab("run", "clean", *SHORT, "--seed", "9", "--quiet").stdout.strip())
    second = Path(simlab("run", f"{first}/scenario.toml", "--quiet").stdout.strip())
    assert (first / "timeline.jsonl").read_bytes() == (second / "timeline.jsonl").read_bytes()
    assert door.open(first).scenario == door.open(second).scenario


def test_how_long_it_took():
    assert took(120.0, 2.1) == "120 s of session in 2.1 s, 57 x faster than life"
    assert took(21_600.0, 40.5) == "21600 s of session in 40.5 s, 533 x faster than life"
    assert took(30.0, 30.4) == "30 s of session in 30.4 s"
    assert took(0.0, 0.0) == "0 s of session in 0.0 s"


@pytest.mark.parametrize("command", ["run", "sweep", "hunt"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["clean", "--policy", "never", "--policy", "never"], "--policy never: is given twice: want it once"),
        (["clean", "clean", "lossy"], "clean: is given twice: want it once"),
        (["clean", "--server", "builtin", "--server", "pipecat"], "--server: is given 2 times, want one"),
        (["clean", "--client", "builtin", "--client", "chromium"], "--client: is given 2 times, want one"),
    ],
)
def test_what_is_named_twice_is_refused_alike(simlab, here, command, arguments, told):
    result = simlab(command, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (here / "results").exists()


def test_a_profile_by_two_names_is_one(simlab):
    result = simlab("run", "clean", "profiles/clean.toml", "--seed", "4")
    assert result.exit_code == 2
    assert "2 sessions are clean, policy pipecat, seed 4, virtual clock, 30s: want each once" in result.stderr


def test_sessions_of_one_name_that_differ_are_run(simlab, here):
    """As the scenarios of several run folders may be given again."""
    for name, lasts in (("one", "3s"), ("two", "4s")):
        (here / f"{name}.toml").write_text(f'name = "x"\nduration = "{lasts}"\n')
    assert simlab("run", "one.toml", "two.toml", "--set", "peers.media=[]", "--quiet").exit_code == 0


def test_a_terminal_obeys_nothing_that_an_application_raises(here, monkeypatch):
    (here / "title_bot.py").write_text("def app():\n    raise RuntimeError('\\x1b]0;title\\x07')\n")
    monkeypatch.syspath_prepend(here)
    (here / "short.toml").write_text('duration = "3s"\n[peers]\nserver = "title_bot:app"\nmedia = []\n')
    result = CliRunner().invoke(main, ["run", "short.toml"], color=True)
    assert r"title_bot:app did not start: RuntimeError: \x1b]0;title" in result.output
    assert "\x1b]0;" not in result.output


def test_a_terminal_obeys_nothing_that_an_error_repeats(here):
    result = CliRunner().invoke(main, ["report", "no\x1b[31mthing"], color=True)
    assert r"no\x1b[31mthing: no such folder" in result.output
