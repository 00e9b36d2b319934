"""Sessions where only Linux's own calls are missing: what simlab does under the virtual clock on macOS."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MACOS = Path(__file__).with_name("macos")
# Loss, so that DTLS has something to send again, and connections of HTTP that are used again.
PROFILE = """
duration = "20s"
[peers]
media = []
[link]
delay = "20ms"
loss = "20%"
[signalling]
path = "link"
[[fault]]
kind = "blackout"
at = "6s"
for = "9s"
"""


def simlab(folder, *arguments, **environment):
    """Run the command in a folder, and return its exit status, stdout and stderr."""
    command = [sys.executable, "-m", "simlab", *arguments]
    found = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=100
    )
    return found.returncode, found.stdout, found.stderr


@pytest.fixture
def on_both(tmp_path):
    """Return a function that runs the command as on macOS and as here, and gives both results' folders."""
    (tmp_path / "lossy.toml").write_text(PROFILE)

    def run(*arguments):
        places = []
        for name, environment in (("there", {"PYTHONPATH": str(MACOS)}), ("here", {})):
            options = (*arguments, "--quiet", "--out", name)
            status, out, error = simlab(tmp_path, *options, **environment)
            assert status == 0, error
            places.append(tmp_path / out.strip())
        return places

    return run


def test_a_session_is_the_same_but_for_how_openssl_is_told_the_time(on_both):
    there, here = on_both("run", "lossy.toml")
    (head_there, *rest_there), (head_here, *rest_here) = (
        (place / "timeline.jsonl").read_text().splitlines() for place in (there, here)
    )
    assert rest_there == rest_here
    assert json.loads(head_there) == json.loads(head_here) | {"dtls_timer": "sleeps"}
    assert json.loads(head_here)["dtls_timer"] == "redirected"


def test_a_sweep_over_several_processes_is_the_same(on_both):
    arguments = ("--policy", "pipecat", "--policy", "livekit", "--seeds", "2", "--jobs", "2")
    there, here = on_both("sweep", "lossy.toml", *arguments)
    for name in ("sessions.parquet", "outages.parquet", "summary.json"):
        assert (there / name).read_bytes() == (here / name).read_bytes(), name


def test_the_real_clock_says_which_addresses_it_lacks_and_what_to_do(tmp_path):
    status, out, error = simlab(tmp_path, "run", "clean", "--clock", "real", PYTHONPATH=str(MACOS))
    assert (status, out) == (2, "")
    missing = ", ".join(f"127.0.0.{number}" for number in range(2, 8))
    assert error == (
        f"Error: --clock real wants addresses that this machine has not: {missing}; "
        "on macOS, sudo ifconfig lo0 alias ADDRESS up gives it one\n"
    )
