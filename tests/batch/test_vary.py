"""Keys that take several values in turn."""

import pytest

from simlab.batch.vary import combinations, parse_vary
from simlab.core.errors import InvalidInputError


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0%,5%,10%", ["0%", "5%", "10%"]),
        ("true", ["true"]),
        ("2s..60s:30", [f"{2 * n}s" for n in range(1, 31)]),
        ("0..1:3", ["0", "0.5", "1"]),
        ("10ms..0ms:2", ["10ms", "0ms"]),
        ("2s .. 4s : 3", ["2s", "3s", "4s"]),
        ("[], ['audio']", ["[]", "['audio']"]),
        (
            "{ model = 'normal', mean = '1s', deviation = '2ms' },40ms",
            [
                "{ model = 'normal', mean = '1s', deviation = '2ms' }",
                "40ms",
            ],
        ),
    ],
)
def test_values(text, values):
    assert parse_vary([f"link.loss={text}"]) == {"link.loss": values}


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("link.loss", "--vary link.loss: want VALUE,VALUE"),
        ("link.loss=", "--vary link.loss: want VALUE,VALUE"),
        ("link.loss=1%,,2%", "--vary link.loss: want VALUE,VALUE"),
        ("link.loss=1s..2ms:3", 'want one unit at both ends, not "s" and "ms"'),
        (
            "link.loss=1s..2s:1",
            "--vary link.loss: the count is 1, want 2 to 9999 values from one end to the other; "
            "a single value stands alone",
        ),
        ("link.loss=1s..2s:0", "the count is 0, want 2 to 9999 values"),
        ("link.loss=1s..2s:10000", "the count is 10000, want 2 to 9999 values"),
        ("link.loss=2s...4s:3", '"2s...4s:3" is no range, want VALUE,VALUE… or LOW..HIGH:COUNT'),
        ("link.loss=2s..:3", '"2s..:3" is no range, want'),
        ("link.loss=..4s:3", '"..4s:3" is no range, want'),
        ("link.loss=1e3..2e3:2", '"1e3..2e3:2" is no range, want'),
        ("link.loss=1.2.3s..5s:3", '"1.2.3s..5s:3" is no range, want'),
        ("link.loss=2s,3s..4s:2", '"2s,3s..4s:2" is no range, want'),
        ("link.loss=2s,1s,2s", '--vary link.loss: "2s" is there 2 times, want each value once'),
        ("link.loss=2s..2s:3", '"2s" is there 3 times, want each value once'),
        (
            "fault[0].for=2s..4s",
            "--vary fault[0].for: the count is missing, "
            'want how many values from one end to the other: "2s..4s:5"',
        ),
        ("link.loss=0..1:", 'the count is missing, want how many values from one end to the other: "0..1:5"'),
        ("link.loss=0%..5%:1.5", 'the count is "1.5", want how many values'),
        ("seed=3", "--vary seed: is given twice"),
        ("li nk=1", "--vary li nk: want a dotted key"),
    ],
)
def test_what_is_wrong(setting, told):
    with pytest.raises(InvalidInputError) as caught:
        parse_vary(["seed=1,2", setting])
    (fault,) = caught.value.faults
    assert told in fault


@pytest.mark.parametrize(
    "text", [".s..1s:2", "../x.toml", "a..b", "'2..3'", "{ model = 'scripted', pattern = '..x.' }"]
)
def test_what_is_no_range_is_a_value(text):
    assert parse_vary([f"link.delay={text}"]) == {"link.delay": [text]}


def test_every_combination():
    assert combinations({"a": ["1", "2"], "b": ["x", "y"]}) == [
        {"a": "1", "b": "x"},
        {"a": "1", "b": "y"},
        {"a": "2", "b": "x"},
        {"a": "2", "b": "y"},
    ]
    assert combinations({}) == [{}]
