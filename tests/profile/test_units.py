import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.profile import units


@pytest.mark.parametrize(
    ("text", "duration_s"),
    [
        ("40ms", 0.04),
        ("2s", 2.0),
        ("1min", 60.0),
        ("1.5h", 5400.0),
        ("250us", 0.00025),
        ("2 s", 2.0),
        (" 2s ", 2.0),
        ("0s", 0.0),
        (0, 0.0),
        (0.0, 0.0),
    ],
)
def test_durations(text, duration_s):
    assert units.parse_duration_s(text) == duration_s


@pytest.mark.parametrize(
    ("text", "rate_bytes_per_s"),
    [("2Mbit/s", 250_000.0), ("500kbit/s", 62_500.0), ("1Gbit/s", 125e6), ("8bit/s", 1.0), ("1bit/s", 0.125)],
)
def test_rates(text, rate_bytes_per_s):
    assert units.parse_rate_bytes_per_s(text) == rate_bytes_per_s


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("64KiB", 65_536),
        ("1500B", 1500),
        ("64kB", 64_000),
        ("1.5kB", 1500),
        ("1MiB", 1 << 20),
        ("2MB", 2_000_000),
        (0, 0),
    ],
)
def test_sizes(text, size_bytes):
    assert units.parse_size_bytes(text) == size_bytes


@pytest.mark.parametrize(
    ("value", "chance"),
    [("3%", 0.03), ("0%", 0.0), ("100%", 1.0), ("0.1 %", 0.001), (0.03, 0.03), (1, 1.0), (0, 0.0)],
)
def test_chances(value, chance):
    assert units.parse_chance(value) == chance


UNITLESS = [
    5,
    0.04,
    -1,
    True,
    False,
    math.nan,
    math.inf,
    "5",
    "",
    "ms",
    "1e3s",
    "nan s",
    "infs",
    "5 parsecs",
    "\uff11s",
    [],
    {},
]


@pytest.mark.parametrize("value", [*UNITLESS, "5Mbit/s", "5%", "9" * 31 + "s"])
def test_no_durations(value):
    with pytest.raises(ValueError, match="want a duration with its unit"):
        units.parse_duration_s(value)


@pytest.mark.parametrize("value", [*UNITLESS, "5ms", "5MB/s"])
def test_no_rates(value):
    with pytest.raises(ValueError, match="want a rate with its unit"):
        units.parse_rate_bytes_per_s(value)


@pytest.mark.parametrize("value", [*UNITLESS, "5s", "5 bytes"])
def test_no_sizes(value):
    with pytest.raises(ValueError, match="want a size with its unit"):
        units.parse_size_bytes(value)


@pytest.mark.parametrize("value", [True, "0.03", "3", "3 percent", "", [], {}, None])
def test_no_chances(value):
    with pytest.raises(ValueError, match="want a chance"):
        units.parse_chance(value)


@pytest.mark.parametrize(
    ("parse", "value", "want"),
    [
        (units.parse_duration_s, "-4ms", "want 0 or more"),
        (units.parse_size_bytes, "-4B", "want 0 or more"),
        (units.parse_size_bytes, "1.5B", "want a whole number of bytes"),
        (units.parse_rate_bytes_per_s, "0bit/s", "want more than 0"),
        (units.parse_rate_bytes_per_s, "-1kbit/s", "want 0 or more"),
        (units.parse_rate_bytes_per_s, 0, "want more than 0"),
        (units.parse_chance, "101%", r"want 1 \(100%\) or less"),
        (units.parse_chance, 1.5, r"want 1 \(100%\) or less"),
        (units.parse_chance, 10**400, r"want 1 \(100%\) or less"),
        (units.parse_chance, math.nan, r"want 1 \(100%\) or less"),
        (units.parse_chance, math.inf, r"want 1 \(100%\) or less"),
        (units.parse_chance, -0.1, "want 0 or more"),
        (units.parse_chance, "-3%", "want 0 or more"),
    ],
)
def test_out_of_range(parse, value, want):
    with pytest.raises(ValueError, match=want):
        parse(value)


@given(st.floats(0, 1e9))
def test_durations_survive_being_written(duration_s):
    assert units.parse_duration_s(units.duration_text(duration_s)) == duration_s


@given(st.floats(0, 1e12, exclude_min=True))
def test_rates_survive_being_written(rate_bytes_per_s):
    assert units.parse_rate_bytes_per_s(units.rate_text(rate_bytes_per_s)) == rate_bytes_per_s


@given(st.integers(0, 10**15))
def test_sizes_survive_being_written(size_bytes):
    assert units.parse_size_bytes(units.size_text(size_bytes)) == size_bytes


@given(st.floats(0, 1))
def test_chances_survive_being_written(chance):
    assert units.parse_chance(units.chance_text(chance)) == chance


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (units.duration_text(0.04), "40ms"),
        (units.duration_text(120.0), "120s"),
        (units.duration_text(1.5), "1.5s"),
        (units.duration_text(0.0), "0s"),
        (units.rate_text(250_000.0), "2Mbit/s"),
        (units.rate_text(62_500.0), "500kbit/s"),
        (units.rate_text(0.125), "1bit/s"),
        (units.size_text(65_536), "64KiB"),
        (units.size_text(1500), "1500B"),
        (units.size_text(0), "0B"),
        (units.chance_text(0.03), "3%"),
        (units.chance_text(1.0), "100%"),
    ],
)
def test_written_as_a_person_would(written, text):
    assert written == text


def test_minus_zero_is_zero():
    assert math.copysign(1.0, units.parse_chance(-0.0)) == 1.0
