"""Comparisons in a report."""

from simlab.report.comparisons import comparisons_table
from simlab.report.finding import finding
from simlab.study.comparison import compare_groups
from simlab.study.summary import summarise
from tests.report.rows import outage, session

BY = ["profile", "policy"]


def paired(seeds, late_s):
    """Sessions of two policies on the same seeds, of which one is late."""
    rows, outages = [], []
    for policy, wait_s in (("quick", 2.0), ("late", late_s)):
        for seed in range(seeds):
            usable = 1 - (wait_s + 0.01 * seed) / 120
            row = session(len(rows), policy=policy, seed=seed, usable_fraction=usable, duration_s=120.0)
            rows.append(row)
            outages.append(outage(row, wait_s + 0.01 * seed))
    return rows, outages


def test_a_difference_is_told_with_its_verdict():
    rows, outages = paired(20, 9.0)
    compared = compare_groups(rows, outages, BY)
    (group,) = comparisons_table(compared).groups
    (row,) = group.rows
    assert (group.heading, row.names) == ("flaky", ["quick", "better than", "late"])
    assert [value.text for value in row.values][:2] == [
        "0.0 points (-16.1 to +16.1)",
        "+5.8 points (+5.8 to +5.8)",
    ]
    cells = summarise(rows, outages, BY)
    assert finding(cells, rows, outages, compared).startswith("With quick, 95 % of the outages")


def test_what_comparisons_cannot_tell_apart_the_finding_does_not():
    rows, outages = paired(3, 9.0)
    compared = compare_groups(rows, outages, BY)
    (row,) = comparisons_table(compared).groups[0].rows
    assert row.names == ["quick", "can't be told from", "late"]
    cells = summarise(rows, outages, BY)
    assert finding(cells, rows, outages, compared).startswith("6 sessions cannot tell them apart: with quick")


def test_the_finding_does_not_contradict_the_comparison():
    # The 95th percentile speaks for one, by a single session; what can be told speaks for the other.
    rows, outages = [], []
    for policy, waits_s, usable in (("even", [20.0] * 12, 0.5), ("quick", [10.0] * 11 + [21.0], 0.7)):
        for seed, wait_s in enumerate(waits_s):
            row = session(len(rows), policy=policy, seed=seed, usable_fraction=usable + seed / 1000)
            rows.append(row)
            outages.append(outage(row, wait_s))
    told = finding(summarise(rows, outages, BY), rows, outages, compare_groups(rows, outages, BY))
    assert told == (
        "quick is better than even: usable time 70.5 % against 50.5 % and longest outage 10.0 s against "
        "20.0 s; but with even, 95 % of the outages were over within 20.0 s, against 21.0 s with quick."
    )
