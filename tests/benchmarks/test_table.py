import json

import pytest

from benchmarks.table import BEGIN, END, main, put_in

FOUND = {
    "python": "3.13.1",
    "machine": "x86_64, 2 processors",
    "figures": [
        {
            "name": "session: a",
            "value": 1712.4,
            "unit": "x life",
            "at_least": 1500,
            "at_most": None,
            "met": True,
        },
        {"name": "memory: b", "value": 130.26, "unit": "MB", "at_least": None, "at_most": 120, "met": False},
        {"name": "session: c", "value": 2.0, "unit": "", "at_least": None, "at_most": None, "met": None},
    ],
}
WRITTEN = f"""before
{BEGIN}
Measured by `make bench` with Python 3.13.1 on x86_64, 2 processors:

| | measured | wanted |
|---|---|---|
| session: a | 1,712 x life | at least 1,500 |
| memory: b | 130.3 MB (not met) | at most 120 |
{END}
after
"""


def test_the_figures_that_are_wanted_stand_between_the_marks_however_often_they_are_written(tmp_path):
    found, readme = tmp_path / "bench.json", tmp_path / "README.md"
    found.write_text(json.dumps(FOUND))
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        assert main(str(found), str(readme)) == 0
        assert readme.read_text() == WRITTEN


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}\n{END}\n{BEGIN}\n{END}"])
def test_a_text_without_its_marks_is_left_alone(text):
    with pytest.raises(ValueError, match="once each"):
        put_in(text, "lines")


def test_without_figures_it_says_how_to_have_them(tmp_path, capsys):
    assert main(str(tmp_path / "bench.json"), str(__file__)) == 2
    assert "`make bench` writes the figures" in capsys.readouterr().err
