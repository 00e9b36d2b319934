"""A recording whose saving fails is kept elsewhere: nobody can record it again."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

import simlab
from simlab.batch.recording import save_recording
from simlab.core.errors import SimlabError
from simlab.core.timeline import Event, Timeline
from simlab.live.intercept.recordings import Recordings
from simlab.profile.header import header
from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario

SCENARIO = Scenario.of(Profile(name="login", duration="3s"), clock="real")
TIMELINE = Timeline.of(
    header(SCENARIO), [Event(0.0, "session", "begin"), Event(3.0, "session", "end", {"reason": "stopped"})]
)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Where the system keeps temporary files."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    return tmp_path / "elsewhere"


@pytest.fixture
def full(tmp_path):
    """A place where no folder can be made."""
    (tmp_path / "file").touch()
    return tmp_path / "file"


@pytest.fixture
def captured(tmp_path):
    folder = tmp_path / "captured"
    folder.mkdir()
    (folder / "capture.pcapng").write_bytes(b"packets")
    return folder


def test_it_can_be_opened_where_the_error_says(full, elsewhere, captured):
    with pytest.raises(SimlabError, match="file: the run could not be saved") as caught:
        save_recording(full, SCENARIO, TIMELINE, captured)
    ((kept,),) = (folder.iterdir() for folder in elsewhere.iterdir())
    assert str(caught.value).endswith(f"; the recording is kept in {kept}, its packets in {captured}")
    assert simlab.open(kept).timeline.events == TIMELINE.events
    assert (captured / "capture.pcapng").read_bytes() == b"packets"


def test_where_there_is_no_room_anywhere_the_packets_stay(full, elsewhere, captured):
    elsewhere.rmdir()
    with pytest.raises(SimlabError, match="nor could it be kept elsewhere") as caught:
        save_recording(full, SCENARIO, TIMELINE, captured)
    assert str(caught.value).endswith(f", its packets in {captured}")


def test_packets_that_were_in_a_folder_that_gets_no_name_are_moved_back(
    elsewhere, tmp_path, captured, monkeypatch
):
    def no_name(draft, target):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        real = Path.rename
        patch.setattr(Path, "rename", lambda one, to: no_name(one, to) if one.is_dir() else real(one, to))
        with pytest.raises(SimlabError, match="could not be saved: permission denied"):
            save_recording(tmp_path / "out", SCENARIO, TIMELINE, captured)
    assert (captured / "capture.pcapng").read_bytes() == b"packets"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_client_that_cannot_be_saved_keeps_no_other_from_being_saved(captured):
    def save(scenario, timeline, packets):
        if scenario == "scenario 1":
            raise SimlabError("no room")
        return f"folder of {scenario}"

    recording = SimpleNamespace(clients=[1, 2], session=lambda client: (f"scenario {client}", "timeline"))
    recordings = Recordings(*[None] * 5, save, "http://upstream")
    with pytest.raises(SimlabError) as caught:
        recordings._save_all(recording, captured)
    assert str(caught.value) == "client 1: no room\nclient 2 is saved in folder of scenario 2"
    assert captured.exists()
