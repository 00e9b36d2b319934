"""``simlab profiles import``."""

import io
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from simlab.cli.main import main


def of_stdin(*arguments, text):
    return CliRunner().invoke(main, ["profiles", "import", *arguments], input=io.BytesIO(text))


def test_a_command_of_netem_from_stdin():
    result = of_stdin("netem", "-", "--name", "slow", text=b"tc qdisc add dev eth0 root netem delay 50ms")
    assert result.exit_code == 0
    profile = tomllib.loads(result.stdout)
    assert (profile["name"], profile["link"]) == ("slow", {"delay": "50ms"})
    assert result.stdout.startswith("# It is in both directions here")


@pytest.mark.parametrize(
    ("file", "options", "ways"),
    [
        ("driving.up", [], ["up"]),
        ("driving.down", [], ["down"]),
        ("driving.down", ["--direction", "up"], ["up"]),
        ("driving.txt", [], ["rate", "queue"]),
    ],
)
def test_a_trace_is_of_the_direction_that_its_name_ends_in(simlab, file, options, ways):
    Path(file).write_text("1\n5\n")
    result = simlab("profiles", "import", "mahimahi", file, *options)
    profile = tomllib.loads(result.stdout)
    assert list(profile["link"]) == ways
    assert profile["name"] == "driving"
    Path("own.toml").write_text(result.stdout)
    assert simlab("profiles", "check", "own.toml").exit_code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"netem\ndelay 5", "Error: stdin: line 1"),
        (b"\xff", "Error: stdin: is not text in UTF-8"),
        (b"", "Error: stdin: line 1: want a command"),
    ],
)
def test_wrong_input_is_a_sentence(text, told):
    result = of_stdin("csv" if text.startswith(b"netem") else "netem", "-", text=text)
    assert result.exit_code == 2
    assert result.stderr.startswith(told)


def test_a_file_that_is_not_there(simlab):
    result = simlab("profiles", "import", "csv", "nowhere.csv")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: nowhere.csv: cannot be read: No such file or directory\n",
    )


def test_a_name_that_no_profile_can_have():
    result = of_stdin("csv", "-", "--name", "a/b", text=b"time_s,delay_ms\n0,1\n")
    assert (result.exit_code, "--name a/b: want at most 64 letters" in result.stderr) == (2, True)
