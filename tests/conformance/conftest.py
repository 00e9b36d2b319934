"""Every body here runs under both clocks, on timelines of the same profiles.

The sessions on the real clock are run once, at the same time, in processes of their own; they take as
long as the longest of them.
"""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from simlab.core.timeline import Timeline
from simlab.study.metrics import metrics
from tests.virtual.sessions import run_text

BLACKOUT = """
duration = "{duration}"
[peers]
media = {media}
[link]
delay = "20ms"
[[fault]]
kind = "blackout"
at = "4s"
for = "{blackout}"
"""
HTTP_DEAD_TOO = """
[[fault]]
kind = "signalling"
at = "4s"
for = "{blackout}"
how = "refused"
"""
PICTURES = """
duration = "10s"
[peers]
media = ["audio", "video"]
[client]
start = true
[link]
delay = "20ms"
[[action]]
at = "4s"
do = "disconnect"
[[action]]
at = "6s"
do = "connect"
"""
STRICT_NAT = """
duration = "14s"
[peers]
media = []
[link]
delay = "20ms"
[nat]
mapping = "address-and-port-dependent"
filtering = "address-and-port-dependent"
[[fault]]
kind = "rebind"
at = "4s"
"""
ICE_RESTART = '[policy]\nname = "daily"\n'
PROFILES = {
    "pictures": PICTURES,
    "clean": 'duration = "8s"\n[link]\ndelay = "20ms"\n',
    "blackout 3 s": BLACKOUT.format(duration="16s", blackout="3s", media='["audio"]'),
    "blackout 8 s": BLACKOUT.format(duration="20s", blackout="8s", media="[]"),
    "blackout 16 s": BLACKOUT.format(duration="38s", blackout="16s", media='["audio"]'),
    "strict NAT": STRICT_NAT,
    "ice restart": BLACKOUT.format(duration="20s", blackout="9s", media='["audio"]') + ICE_RESTART,
    "all dead": (BLACKOUT + HTTP_DEAD_TOO).format(duration="28s", blackout="24s", media="[]"),
}
RELAYED = """
duration = "8s"
[peers]
media = []
[link]
delay = "20ms"
[ice]
policy = "relay"
"""
CLOCKS = ("virtual", "real")


@cache
def virtual_timeline(name):
    return run_text(PROFILES[name])


@pytest.fixture(scope="session")
def real_timelines(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    runs = {name: start_real(folder / name.replace(" ", "-"), text) for name, text in PROFILES.items()}
    return {name: finish_real(out, process) for name, (out, process) in runs.items()}


def start_real(out: Path, text: str):
    out.mkdir()
    (out / "profile.toml").write_text(text)
    profile = str(out / "profile.toml")
    command = [sys.executable, "-m", "simlab", "run", profile, "--clock", "real", "--quiet"]
    return out, subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def finish_real(out: Path, process: subprocess.Popen) -> Timeline:
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 0, said.decode()
    [timeline] = out.glob("*/timeline.jsonl")
    return Timeline.from_text(timeline.read_text())


@pytest.fixture(params=CLOCKS)
def timeline(request):
    """Return the timeline of a profile, by name, under the clock that the test runs with."""
    if request.param == "virtual":
        return virtual_timeline
    return request.getfixturevalue("real_timelines").__getitem__


@pytest.fixture
def measured(timeline):
    """Return the metrics of a profile, by name."""
    return lambda name: metrics(timeline(name))


@pytest.fixture(params=CLOCKS)
def relayed(request, tmp_path):
    """Return the timeline of a relayed call. It has a process more than the others, and runs beside none."""
    return (
        run_text(RELAYED) if request.param == "virtual" else finish_real(*start_real(tmp_path / "r", RELAYED))
    )
