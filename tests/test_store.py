"""Run folders: whole or not at all, never over one another, and the same again when read."""

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simlab import store
from simlab.core.errors import InvalidInputError, SimlabError
from simlab.core.timeline import Event, Timeline
from simlab.profile.load import load
from simlab.profile.scenario import Scenario

SCENARIO = Scenario.of(load('name = "lift"\nseed = 7', "lift.toml"))
END = Event(30.0, "session", "end", {"reason": "duration"})
FAILED = Event(2.5, "session", "failed", {"stage": "server", "reason": "it died"})


def timeline(*events: Event) -> Timeline:
    return Timeline.of({"schema": 1}, [Event(0.0, "session", "begin"), *events])


def save(parent: Path, *events: Event) -> Path:
    return store.save(parent, SCENARIO, timeline(*events), {"seed": 7}, b"picture")


def test_a_run_folder_holds_four_files(tmp_path: Path) -> None:
    folder = save(tmp_path, END)
    assert sorted(path.name for path in folder.iterdir()) == [
        "metrics.json",
        "scenario.toml",
        "timeline.jsonl",
        "timeline.png",
    ]
    assert (folder / "scenario.toml").read_text() == SCENARIO.to_toml()
    assert (folder / "timeline.jsonl").read_text() == timeline(END).to_text()
    assert json.loads((folder / "metrics.json").read_text()) == {"seed": 7}
    assert (folder / "timeline.png").read_bytes() == b"picture"


def test_its_name_says_what_ran(tmp_path: Path) -> None:
    stamp, *rest = save(tmp_path, END).name.split("-")
    assert rest == ["lift", "pipecat", "s7"]
    assert len(stamp) == len("20261123T035638Z")
    assert stamp.endswith("Z")


def test_a_failed_session_is_marked(tmp_path: Path) -> None:
    folder = save(tmp_path, FAILED)
    assert folder.name.endswith("-lift-pipecat-s7-failed")
    assert store.load(folder).timeline.events[-1] == FAILED


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path: Path) -> None:
    folders = [save(tmp_path, END) for _ in range(5)]
    assert len(set(folders)) == 5
    assert sorted(tmp_path.iterdir()) == sorted(folders)


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    folder = save(tmp_path, END)
    assert store.load(folder) == store.Saved(SCENARIO, timeline(END), {"seed": 7}, folder)


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Make writing beyond ``size`` bytes of a file fail, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_folder_behind(tmp_path: Path) -> None:
    with small_files(100), pytest.raises(SimlabError, match="could not be saved: file too large"):
        save(tmp_path, END)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_an_older_picture_as_it_was(tmp_path: Path) -> None:
    picture = tmp_path / "timeline.svg"
    store.add(picture, b"old")
    with small_files(2), pytest.raises(SimlabError, match="could not be written"):
        store.add(picture, b"new and longer")
    assert picture.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [picture]


def test_a_place_that_cannot_be_written_is_found_before_the_session(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInputError, match=r"--out .*/file: it is a file, want a folder"):
        store.prepare(tmp_path / "file")
    with pytest.raises(InvalidInputError, match=r"--out .*/file/below: .*/file is a file, want a folder"):
        store.prepare(tmp_path / "file" / "below")


def test_a_place_is_made_where_there_is_none(tmp_path: Path) -> None:
    store.prepare(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("timeline.jsonl", b"", "it is empty"),
        ("timeline.jsonl", b'{"schema":1}\n{"t_s":', "timeline.jsonl: "),
        ("timeline.jsonl", b'{"schema":1}\n{"t_s":1,"source":"x","kind":"y"}', "'x' is missing or unknown"),
        ("timeline.jsonl", b'{"schema":1}\n5', "timeline.jsonl: line 2: want an object"),
        ("timeline.jsonl", b"[1,2]\n", "timeline.jsonl: line 1: want an object"),
        ("timeline.jsonl", b'{"schema":2}\n', "timeline.jsonl: line 1: schema is 2, want 1"),
        (
            "timeline.jsonl",
            b'{"schema":1,"duration_s":"x"}\n',
            'timeline.jsonl: line 1: duration_s is "x", want a number',
        ),
        ("timeline.jsonl", b"{}\n", "timeline.jsonl: line 1: schema is null, want 1"),
        ("timeline.jsonl", DEEP, "timeline.jsonl: line 1: lists or objects are nested too deep"),
        ("metrics.json", DEEP, "metrics.json: lists or objects are nested too deep"),
        ("metrics.json", b"{", "metrics.json: "),
        ("metrics.json", b"[]", "metrics.json: want an object"),
        ("scenario.toml", b"seed = -1", "scenario.toml: seed is -1, want 0 or more"),
        ("scenario.toml", b"\xff\xfe", "scenario.toml: the text is not UTF-8"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    folder = save(tmp_path, END)
    (folder / name).write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        store.load(folder)
    assert told in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = save(tmp_path, END)
    (folder / "metrics.json").unlink()
    with pytest.raises(InvalidInputError, match=r"metrics\.json: no such file or directory"):
        store.load(folder)
    with pytest.raises(InvalidInputError, match="nowhere: no such folder"):
        store.load(tmp_path / "nowhere")
    with pytest.raises(InvalidInputError, match=r"scenario\.toml: not a run folder"):
        store.load(folder / "scenario.toml")
    (tmp_path / "other").mkdir()
    with pytest.raises(InvalidInputError, match="other: is neither a run nor a study: it has no scenario"):
        store.load(tmp_path / "other")


def test_records_are_added_below_a_last_line_without_an_end(tmp_path):
    file = tmp_path / "trend.jsonl"
    file.write_text('{"night": 1}')  # as an editor leaves it
    store.append(file, [{"night": 2}])
    assert store.records(file) == [{"night": 1}, {"night": 2}]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["timeline.jsonl", "metrics.json", "scenario.toml"])
def test_what_is_never_at_its_end_is_not_read(tmp_path: Path, name: str) -> None:
    folder = save(tmp_path, END)
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        (folder / name).unlink()
        make(folder / name)
        with pytest.raises(InvalidInputError) as caught:
            store.load(folder)
        assert str(caught.value) == f"{folder / name}: is a pipe, a socket or a device, want a file"


@pytest.mark.timeout(20)
def test_records_are_not_looked_for_in_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "trend.jsonl")
    for use in (store.records, store.prepare_append):
        with pytest.raises(InvalidInputError, match=r"trend\.jsonl: is a pipe, a socket or a device"):
            use(tmp_path / "trend.jsonl")
    store.prepare_append(Path(os.devnull))
    assert store.records(Path(os.devnull)) == []


def test_records_that_are_nested_too_deep_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "trend.jsonl").write_bytes(b"{}\n" + DEEP + b"\n")
    with pytest.raises(InvalidInputError, match=r"trend\.jsonl: line 2: .* nested too deep"):
        store.records(tmp_path / "trend.jsonl")


# A line separator is no end of a line in JSON, and an exception's message may have half a character.
@pytest.mark.parametrize("reason", ["one\u2028two\x85three", "a name: \udcff \ud800"])
def test_any_reason_is_read_as_it_was_written(tmp_path: Path, reason: str) -> None:
    folder = save(tmp_path, Event(1.0, "session", "failed", {"stage": "server", "reason": reason}), END)
    assert store.load(folder).timeline.events[1]["reason"] == reason
    store.append(tmp_path / "trend.jsonl", [{"reason": reason}, {}])
    assert store.records(tmp_path / "trend.jsonl") == [{"reason": reason}, {}]
