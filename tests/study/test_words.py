"""Words that several accounts share."""

import math

import pytest

from simlab.study.words import ends_text


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
