"""Which sessions of a study share a curve."""

import pytest

from simlab.study.grouping import drawn_by, together

BY = ["profile", "policy", "link.loss"]


def rows(profiles, policies, losses):
    return [
        {"profile": f"net{one}", "policy": f"p{two}", "link.loss": f"{three}%"}
        for one in range(profiles)
        for two in range(policies)
        for three in range(losses)
    ]


@pytest.mark.parametrize(
    ("counts", "by"),
    [
        ((2, 2, 3), BY),
        ((2, 2, 4), ["profile", "policy"]),
        ((12, 8, 1), ["policy"]),
        ((13, 1, 1), ["profile"]),
    ],
)
def test_there_are_twelve_curves_at_most_as_far_as_policies_allow(counts, by):
    assert drawn_by(rows(*counts), BY) == by


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (BY, ""),
        (["profile", "policy"], "3 values of link.loss together"),
        (["policy"], "2 profiles and 3 values of link.loss together"),
        (["link.loss"], "2 profiles and 4 policies together"),
    ],
)
def test_what_is_taken_together_is_told(by, told):
    assert together(rows(2, 4, 3), BY, by) == told
