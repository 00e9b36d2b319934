"""Words that several accounts share."""

import math

import pytest

from simlab.study.words import ends_text, number_text, share_text


@pytest.mark.parametrize(
    ("ends_s", "text"),
    [
        ((5.34, 17.2), "5.3 - 17.2 s"),
        ((5.34, math.inf), "5.3 s or more"),  # few sessions: nothing bounds how late, not "never"
        ((math.inf, math.inf), ""),
    ],
)
def test_the_ends_of_an_interval(ends_s, text):
    assert ends_text(*ends_s, unit=" s") == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.0, 0, "100%"),
        (249 / 250, 0, "99.6%"),  # one call of 250 was lost
        (1 / 250, 0, "0.4%"),
        (0.0, 0, "0%"),
        (0.876, 0, "88%"),
        (0.99999, 0, "> 99.9%"),
        (0.00001, 0, "< 0.1%"),
        (0.876, 1, "87.6%"),
        (0.99999, 1, "> 99.9%"),
        (1.0, 1, "100%"),
        (0.0, 1, "0%"),
    ],
)
def test_a_share_is_told_as_all_or_nothing_only_where_it_is(value, digits, text):
    assert share_text(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "0.25"), (12.3456, "12.35"), (9_999.0, "9999"), (21_600.0, "21600"), (0, "0")]
)
def test_no_number_has_an_exponent(value, text):
    assert number_text(value) == text
