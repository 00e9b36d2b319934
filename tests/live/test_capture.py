"""The packets of a live session: as many as the timeline says, and there though the relay is killed."""

import os
import signal
import subprocess
import sys

import pytest

from simlab.capture import CAPTURE, KEYS
from simlab.capture.records import CLIENT_SIDE, Record
from simlab.capture.summary import summarise
from simlab.capture.table import table
from simlab.live import capture
from simlab.live.capture import CaptureQueue
from simlab.live.session import Settings, run
from tests.capture import tshark
from tests.live.processes import alive, child, children, eventually
from tests.live.test_session import in_background, last
from tests.virtual.sessions import scenario
from tests.virtual.test_capture import links_of

tshark.needs_tshark()

LOSSY = """
duration = "6s"
[link]
delay = "20ms"
loss = "3%"
[[fault]]
kind = "blackout"
at = "4s"
for = "500ms"
"""
RECORD = Record(CLIENT_SIDE, True, 1.0, ("127.0.0.1", 1), ("127.0.0.2", 2), b"payload")


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("capture")
    return folder, run(scenario(LOSSY), Settings(capture_in=folder))


def test_tshark_and_the_summary_count_what_the_timeline_counts(captured):
    folder, timeline = captured
    wanted = links_of(timeline)
    assert {"blackout", "loss"} == {*wanted["down"]["dropped"], *wanted["up"]["dropped"]}
    assert tshark.links(folder) == wanted
    found = summarise(folder / CAPTURE)
    assert {way: {**link, "injected": {}} for way, link in wanted.items()} == found["links"]
    assert found["lost"] == 0
    assert [event["capture_lost"] for event in timeline.events if event.kind == "total"] == [0, 0]


def test_the_table_counts_what_the_timeline_counts(captured):
    folder, timeline = captured
    found = table(folder / CAPTURE)
    for way, wanted in links_of(timeline).items():
        rows = found.filter(found["direction"] == way)
        assert rows["seq"].to_list() == list(range(wanted["offered"]))
        assert rows["copies"].sum() == wanted["delivered"]
        assert dict(rows["cause"].drop_nulls().value_counts().rows()) == wanted["dropped"]
    # The relay sends what is due within the next microsecond, and nothing earlier.
    assert (found["delivered_s"] - found["sent_s"]).min() >= 0.02 - 1e-6


def test_tshark_warns_of_nothing_and_decrypts_to_sctp(captured):
    folder, _ = captured
    assert tshark.warnings(folder) == set()
    assert tshark.count(folder, "sctp.data_payload_proto_id == 51") > 50
    assert tshark.count(folder, "dtls.record.content_type == 23 and not sctp") == 0
    assert len((folder / KEYS).read_text().splitlines()) == 1


def test_the_capture_of_a_relay_that_is_killed_opens(tmp_path):
    path = tmp_path / CAPTURE

    def kill():
        relay = child(os.getpid(), "relay")
        eventually(lambda: path.exists() and path.stat().st_size > 20_000)
        os.kill(relay, signal.SIGKILL)

    thread = in_background(kill)
    timeline = run(scenario(LOSSY, duration="30s"), Settings(capture_in=tmp_path))
    thread.join()
    assert last(timeline)[:2] == ("failed", "relay")
    found = summarise(path, tmp_path / KEYS)
    assert found["links"]["up"]["offered"] > 20
    assert tshark.warnings(tmp_path) == set()
    eventually(lambda: children(os.getpid()) == {})


def test_the_capture_of_a_simlab_that_is_killed_is_beside_the_run_folders(tmp_path):
    command = (sys.executable, "-m", "simlab", "run", "clean", "--clock", "real", "--capture")
    process = subprocess.Popen((*command, "--out", tmp_path), stdout=subprocess.DEVNULL)

    def captured():
        found = list(tmp_path.glob(f".capture-clean-pipecat-s1.*/{CAPTURE}"))
        return found[0] if found and found[0].stat().st_size > 20_000 else None

    try:
        path = eventually(captured)
        others = children(process.pid)
    finally:
        process.kill()
        process.wait()
    eventually(lambda: not any(map(alive, others)))
    assert summarise(path)["links"]["up"]["offered"] > 20
    assert tshark.warnings(path.parent) == set()


def test_a_writer_that_is_killed_costs_the_relay_nothing_but_the_capture(tmp_path):
    queue = CaptureQueue(tmp_path / CAPTURE, "")
    queue.start(0.0)
    queue.put(RECORD)
    eventually(lambda: (tmp_path / CAPTURE).stat().st_size > 500)
    queue._process.kill()
    queue._process.wait()

    puts = []

    def gone():
        puts.append(queue.put(RECORD))
        return queue.lost > 0

    eventually(gone)
    for _ in range(10):
        gone()
    queue.close()
    assert queue.lost == len(puts)
    assert summarise(tmp_path / CAPTURE)["links"]["up"]["offered"] == 1


def test_what_the_writer_is_too_slow_for_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(capture, "_MOST_WAITING", 100)
    queue = CaptureQueue(tmp_path / CAPTURE, "")
    for _ in range(130):
        queue.put(RECORD)
    queue.start(0.0)
    queue.close()
    assert queue.lost == 30
    found = summarise(tmp_path / CAPTURE)
    assert (found["links"]["up"]["offered"], found["lost"], found["is_cut"]) == (100, 30, False)


def test_a_folder_that_is_not_there_is_an_error_with_its_name(tmp_path):
    with pytest.raises(OSError, match=r"cannot write .*/nowhere/.*: No such file or directory"):
        CaptureQueue(tmp_path / "nowhere" / CAPTURE, "")
