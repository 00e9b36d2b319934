"""Every body here runs under both clocks, on timelines of the same profiles.

The sessions on the real clock are run once, in processes of their own, most of them at the same time.
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
# SCTP tries again a second after the last time, so how long an outage lasts hangs on where between two
# checks the rebinding comes: 3.16 s at 5.1 to 5.6 s, at most 2.2 s elsewhere (virtual clock, steps of 0.1 s).
# From 5.0 s on backwards a machine may be 1.9 s late to connect before that matters.
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
at = "5s"
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
# Who encodes pictures takes a core. And the call behind the strict NAT may not begin late, as it does where
# the processes of all the others begin at the same moment: so it begins when the shortest of them is over.
ALONE, SHORTEST, LATER = "pictures", "clean", "strict NAT"
CLOCKS = ("virtual", "real")


@cache
def virtual_timeline(name, began_s=4.0):
    """Return a timeline under the virtual clock, with its blackout at another time if one is given."""
    return run_text(PROFILES[name].replace('at = "4s"', f'at = "{began_s:.6f}s"'))


@pytest.fixture(scope="session")
def real_timelines(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    runs = {name: (folder / name.replace(" ", "-"), text) for name, text in PROFILES.items()}
    alone = real_timeline(*runs[ALONE])
    processes = {name: start_real(*run) for name, run in runs.items() if name not in (ALONE, LATER)}
    processes[SHORTEST].wait(100)
    processes[LATER] = start_real(*runs[LATER])
    met = {name: finish_real(*runs[name], process) for name, process in processes.items()}
    return met | {ALONE: alone}


def real_timeline(out: Path, text: str) -> Timeline:
    return finish_real(out, text, start_real(out, text))


def start_real(out: Path, text: str):
    out.mkdir(parents=True)
    (out / "profile.toml").write_text(text)
    profile = str(out / "profile.toml")
    command = [sys.executable, "-m", "simlab", "run", profile, "--clock", "real", "--quiet"]
    return subprocess.Popen([*command, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish_real(out: Path, text: str, process: subprocess.Popen, more: int = 2) -> Timeline:
    """Return the timeline of a session; one that its own relay spoilt says nothing, and is had again."""
    said, _ = process.communicate(timeout=100)
    if process.returncode == 3 and b"Failed (validity)" in said and more:
        again = out / "again"
        return finish_real(again, text, start_real(again, text), more - 1)
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
    return run_text(RELAYED) if request.param == "virtual" else real_timeline(tmp_path / "r", RELAYED)
