"""Policies that are followed all at once, until they want different things."""

from hypothesis import given
from hypothesis import strategies as st

from simlab.reconnect.alternatives import Alternatives
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.rules import Rules


def several(count, choose=lambda groups: groups[0]):
    return Alternatives(lambda number: Rules(iter(()), POLICIES["never"]), range(count), choose)


def test_one_policy_agrees_with_itself():
    alone = Alternatives(lambda _: Rules(iter(()), POLICIES["never"]))
    assert alone.agree({0: "an attempt"}) == "an attempt"
    assert [number for number, _ in alone.all_rules()] == [0]


def test_nobody_chooses_where_all_agree():
    def choose(_):
        raise AssertionError("there is nothing to choose")

    all_of_them = several(3, choose)
    assert all_of_them.agree(dict.fromkeys(range(3), "nothing")) == "nothing"
    assert all_of_them.kept == [0, 1, 2]


def test_those_that_are_not_left_have_no_rules_any_more():
    both = several(3, lambda groups: groups[1])
    assert both.agree({0: "wait", 1: "attempt", 2: "attempt"}) == "attempt"
    assert [number for number, _ in both.all_rules()] == [1, 2]
    assert both.agree({1: "give up", 2: "give up"}) == "give up"


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_choice_is_among_all_that_is_wanted_and_keeps_who_wants_it(wanted, luck):
    seen = []

    def choose(groups):
        seen.append(groups)
        return luck.choice(groups)

    all_of_them = several(len(wanted), choose)
    agreed = all_of_them.agree(dict(enumerate(wanted)))
    assert all_of_them.kept == [number for number, one in enumerate(wanted) if one == agreed]
    if len(set(wanted)) > 1:
        (groups,) = seen
        assert sorted(number for group in groups for number in group) == list(range(len(wanted)))
        assert [len({wanted[number] for number in group}) for group in groups] == [1] * len(set(wanted))
    else:
        assert seen == []
