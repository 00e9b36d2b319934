"""``simlab profiles check --measure``."""

import json


def test_each_setting_has_a_row_and_holds(simlab):
    result = simlab("profiles", "check", "nlc/3g-lossy", "loss/bursts-5-b4", "--measure")
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if line.startswith(("up", "down"))]
    for setting in ("rate while busy", "queue", "loss", "loss, mean burst", "delay"):
        assert any(f"  {setting}  " in line for line in lines)
    assert all(line.endswith("holds") for line in lines)
    assert result.stdout.endswith("hold, at a level of 0.0001 for all of them together.\n")


def test_the_same_seed_measures_the_same(simlab):
    command = ["profiles", "check", "lossy", "--measure", "--json"]
    first, again, other = (simlab(*command, "--seed", seed).stdout for seed in ("5", "5", "6"))
    assert first == again != other
    (profile,) = json.loads(first)
    assert profile["profile"] == "lossy"
    rows = [row for row in profile["measured"] if row["what"] == "loss"]
    assert [(row["direction"], row["requested"], row["held"]) for row in rows] == [
        ("up", "30%", True),
        ("down", "30%", True),
    ]


def test_what_is_off_is_said_and_exits_1(simlab):
    # At a level of almost 1 nothing is allowed but the middle of what chance does.
    result = simlab("profiles", "check", "flaky", "--measure", "--level", "0.999999")
    assert result.exit_code == 1
    off = [line for line in result.stdout.splitlines() if line.endswith("is off")]
    assert off
    assert result.stdout.splitlines()[-1].startswith(f"{len(off)} of ")


def test_a_wrong_profile_is_not_measured(simlab):
    result = simlab("profiles", "check", "nowhere.toml", "--measure")
    assert (result.exit_code, result.stdout) == (2, "")
