"""``simlab plot`` of a trend."""

import json
from xml.etree import ElementTree

import pytest


def record(night, sweep, level):
    labels = {"suite": "nightly", "night": night, "sweep": sweep, "profile": "flaky", "policy": "pipecat"}
    judged = {"varied": {}, "network": "n", "worse": False, "accepted": False, "seeds": [1, 2, 3, 4, 5]}
    names = ("success_rate", "down_time", "usable_fraction", "attempts", "violations")
    return labels | judged | {"values": dict.fromkeys(names, [level] * 5)}


@pytest.fixture
def trend(here):
    file = here / "nightly-trend.jsonl"
    nights = [record(night, sweep, 1.0 + (night > 4)) for night in range(1, 9) for sweep in ("a", "b")]
    file.write_text("".join(json.dumps(one) + "\n" for one in nights))
    return file


def test_each_sweep_gets_a_picture_beside_the_trend(simlab, here, trend):
    result = simlab("plot", "nightly-trend.jsonl", "--format", "svg", "--measure", "attempts")
    names = [f"nightly-trend-{sweep}-attempts.svg" for sweep in ("a", "b")]
    assert (result.exit_code, result.stdout.split()) == (0, names)
    for name in names:
        ElementTree.parse(here / name)
        assert "attempts per session 2 since night 5, 1 before" in (here / name).read_text()


def test_one_sweep_goes_into_a_file_and_several_into_a_folder(simlab, here, trend):
    assert simlab("plot", str(trend), "--out", "there").exit_code == 0
    assert sorted(path.name for path in (here / "there").iterdir()) == [
        "nightly-trend-a-down_time.png",
        "nightly-trend-b-down_time.png",
    ]
    lines = trend.read_text().splitlines(keepends=True)
    trend.write_text("".join(line for line in lines if '"sweep": "a"' in line))
    assert simlab("plot", str(trend), "--out", "one.pdf").stdout == "one.pdf\n"
    assert (here / "one.pdf").read_bytes().startswith(b"%PDF")
    printed = simlab("plot", str(trend), "--out", "one.pdf", "--json").stdout
    assert json.loads(printed) == {"pictures": ["one.pdf"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no trend\n" * 8, "line 1: Expecting value"),
        ('{"a": 1}\n' * 8, "line 5: is no record of a night: want suite"),
    ],
)
def test_of_a_file_that_is_no_trend_the_first_lines_are_told(simlab, here, text, told):
    (here / "other.jsonl").write_text(text)
    result = simlab("plot", "other.jsonl")
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.splitlines()[-1] == "  other.jsonl: and 3 more of its lines"
    assert len(result.stderr.splitlines()) == 7


def test_what_is_asked_of_something_else_is_told(simlab, here, trend):
    (here / "empty.jsonl").write_text("")
    for words, told in (
        (("plot", "empty.jsonl"), "empty.jsonl: no night has been recorded"),
        (("plot", ".", "--measure", "attempts"), "--measure attempts: . is no trend file"),
        (("plot", str(trend), "--kind", "heat"), "is no study folder"),
        (
            ("plot", str(trend), "--out", "a.png"),
            "--out a.png: want a folder: each of the 2 sweeps has a picture",
        ),
    ):
        result = simlab(*words)
        assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert sorted(path.name for path in here.iterdir()) == ["empty.jsonl", "nightly-trend.jsonl", "profiles"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["trend.jsonl"], "trend.jsonl: no such file"),
        (["trend.jsonl", "--measure", "attempts"], "trend.jsonl: no such file"),
        (["nowhere", "--measure", "attempts"], "nowhere: no such file"),
    ],
)
def test_what_is_not_there_is_told(simlab, here, words, told):
    result = simlab("plot", *words)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"Error: {told}\n")


def test_the_measures_are_those_of_nights():
    from simlab.cli.plot import _MEASURES
    from simlab.study.nights import MEASURES

    assert set(_MEASURES) == set(MEASURES)
