"""Pages of studies made by hand."""

import re
from html.parser import HTMLParser

from simlab.report.finding import finding
from simlab.report.study_page import study_page
from simlab.report.tables import cells_table, share
from simlab.report.values import Found, Replay
from simlab.report.worst import worst_sessions
from simlab.study.recovery_plot import finding as drawn_finding
from simlab.study.summary import summarise
from tests.report.rows import outage, session

BY = ["profile", "policy"]
EVIL = "<script>alert(1)</script>\x1b[31m\x00\u202e"


def rows_of(waits):
    """Sessions of one outage each, and their outages, by policy."""
    rows, outages = [], []
    for policy, waits_s in waits.items():
        for wait_s in waits_s:
            rows.append(session(len(rows), policy=policy))
            outages.append(outage(rows[-1], wait_s))
    return rows, outages


def found_of(rows, outages, **more):
    return Found("a-study", BY, rows, outages, [], "simlab sweep flaky", **more)


class Elements(HTMLParser):
    """What is in a page: the elements, and the ids."""

    def __init__(self):
        super().__init__()
        self.names, self.ids = [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]


def elements(page):
    found = Elements()
    found.feed(page)
    return found


def told(waits):
    rows, outages = rows_of(waits)
    return finding(summarise(rows, outages, BY), rows, outages)


def test_the_finding_sets_the_best_against_the_worst():
    quick, slow = [1.0 + 0.1 * n for n in range(20)], [9.0 + 0.1 * n for n in range(20)]
    assert told({"slow": slow, "middle": [5.0] * 20, "quick": quick}) == (
        "With quick, 95 % of the outages were over within 2.8 s, against 10.8 s with slow."
    )


def test_a_share_of_outages_that_was_not_counted_is_said_to_be_an_estimate():
    rows = [session(number) for number in range(20)]
    outages = [outage(row, 2.0 if n < 4 else 7.0, recovered=n >= 4) for n, row in enumerate(rows)]
    assert "an estimated 95 % of the outages were over within 7.0 s" in finding(
        summarise(rows, outages, BY), rows, outages
    )


def test_the_finding_says_where_nothing_can_be_told():
    assert told({"one": [1.0, 9.0], "other": [2.0, 8.0]}) == (
        "4 sessions cannot tell them apart: with other, 95 % of the outages were over within 8.0 s, against "
        "9.0 s with one."
    )


def test_a_side_without_an_outage_is_the_best_and_said_to_be_so():
    rows, outages = rows_of({"late": [16.0 + n for n in range(12)]})
    rows += [session(len(rows) + n, policy="none") for n in range(12)]
    assert finding(summarise(rows, outages, BY), rows, outages) == (
        "With none, there was no outage in 12 sessions, against 12 outages in 12 sessions with late."
    )


def test_calls_that_never_came_about_are_not_said_to_be_without_an_outage():
    dead = [session(n, connect_bot_ready_s=None, succeeded=False) for n in range(3)]
    cells = summarise(dead, [], BY)
    assert finding(cells, dead, []) == "With pipecat, 0 % of 3 calls were saved: 3 never came about."
    good = [session(3 + n, policy="good") for n in range(3)]
    assert finding(summarise(dead + good, [], BY), dead + good, []) == (
        "6 sessions cannot tell them apart: with good, 100 % of the calls were saved, against 0 % with "
        "pipecat."
    )
    assert drawn_finding(cells) == "No outage, but 3 of 3 calls never came about"


def test_where_no_call_came_about_with_any_policy_the_finding_says_so():
    dead = [
        session(n, policy=policy, connect_bot_ready_s=None, succeeded=False)
        for n, policy in enumerate(("one", "one", "other", "other"))
    ]
    assert finding(summarise(dead, [], BY), dead, []) == (
        "4 sessions cannot tell them apart: with one, 0 % of the calls were saved, as with other."
    )


def test_the_finding_says_what_was_taken_together():
    rows, outages = [], []
    for policy, more_s in (("quick", 0.0), ("late", 9.0)):
        for wait_s in ("4s", "16s"):
            for seed in range(12):
                rows.append(session(len(rows), policy=policy, seed=seed, wait=wait_s))
                outages.append(outage(rows[-1], more_s + seed) | {"wait": wait_s})
    by = [*BY, "wait"]
    assert finding(summarise(rows, outages, by), rows, outages) == (
        "With quick, 95 % of the outages were over within 11.0 s, against 20.0 s with late, all values of "
        "wait taken together."
    )


def test_the_finding_of_one_policy_and_of_nothing():
    assert told({"pipecat": [2.0, 3.0]}) == (
        "With pipecat, 100 % of 2 calls were saved, and 95 % of the outages were over within 3.0 s."
    )
    rows = [session(0)]
    assert finding(summarise(rows, [], BY), rows, []) == "There was no outage in 1 session."
    assert told({"pipecat": [2.0]}).startswith("With pipecat, 100 % of 1 call was saved, and 95 % ")
    assert finding([], [], []) == "No session could be run."


def test_the_table_has_the_best_policy_first_in_each_profile():
    rows = [
        session(0, policy="bad", succeeded=False),
        session(1, policy="good"),
        session(2, profile="other", policy="bad"),
    ]
    table = cells_table(summarise(rows, [], BY))
    assert [(group.heading, [row.names for row in group.rows]) for group in table.groups] == [
        ("flaky", [["good"], ["bad"]]),
        ("other", [["bad"]]),
    ]


def test_a_share_is_never_rounded_to_all_or_nothing():
    assert [share(value) for value in (0.0, 0.0001, 0.5, 0.99999, 1.0)] == [
        "0 %",
        "< 0.1 %",
        "50.0 %",
        "> 99.9 %",
        "100 %",
    ]


def test_labels_of_users_are_escaped_everywhere():
    rows = [session(0, profile=EVIL, policy=EVIL), session(1, profile="plain", policy=EVIL)]
    outages = [outage(row, 5.0) for row in rows]
    failures = [{"session": 2, "profile": EVIL, "policy": "p", "seed": 1, "stage": EVIL, "reason": EVIL}]
    chosen = worst_sessions(rows, outages, failures, 5)
    replays = [Replay(f"simlab run '{EVIL}'", EVIL, "", [EVIL], EVIL) for _ in chosen]
    pairs = list(zip(chosen, replays, strict=True))
    page = study_page(Found(EVIL, BY, rows, outages, failures, f"simlab sweep {EVIL}", worst=pairs))
    assert "script" not in elements(page).names
    assert EVIL not in page
    assert page.count("&lt;script&gt;") > 10
    assert not set("\x1b\x00\u202e") & set(page)


def test_a_page_asks_for_nothing_and_its_ids_are_its_own():
    rows, outages = rows_of({"one": [1.0, 2.0], "other": [3.0, 4.0]})
    rows += [row | {"session": row["session"] + 4, "profile": "second"} for row in rows]
    outages += [row | {"session": row["session"] + 4, "profile": "second"} for row in outages]
    chosen = worst_sessions(rows, outages, [], 5)
    page = study_page(found_of(rows, outages, worst=[(one, Replay("simlab run flaky")) for one in chosen]))
    found = elements(page)
    assert found.names.count("svg") == 2
    assert len(set(found.ids)) == len(found.ids) > 20
    assert {"script", "img", "iframe", "object"}.isdisjoint(found.names)
    # The names of XML's vocabularies are no addresses that anything is fetched from.
    assert {word for word in re.findall(r"https?://[^\"\s]+", page) if "www.w3.org" not in word} == set()
    assert "default-src 'none'" in page


def test_the_same_study_gives_the_same_page():
    rows, outages = rows_of({"one": [1.0, 2.0], "other": [3.0, 4.0]})
    assert study_page(found_of(rows, outages)) == study_page(found_of(rows, outages))


def test_a_study_of_which_nothing_ran_has_a_page():
    failures = [{"session": 0, "profile": "p", "policy": "q", "seed": 1, "stage": "server", "reason": "gone"}]
    chosen = worst_sessions([], [], failures, 5)
    pairs = [(one, Replay("simlab run p")) for one in chosen]
    page = study_page(Found("none", BY, [], [], failures, "simlab sweep p", worst=pairs))
    assert "No session could be run." in page
    assert "could not be run (server): gone" in page


def test_one_is_not_told_as_several():
    rows, outages = rows_of({"livekit": [2.0], "never": [30.0]})
    cells = summarise(rows, outages, BY)
    drawn = "livekit: 1 of 1 outage ended, 95 % of all within 2.0 s;\n"
    drawn += "never: 1 of 1 outage ended, 95 % of all within 30.0 s"
    assert drawn_finding(cells) == drawn
    cells = summarise(rows, outages[1:], BY)
    assert finding(cells, rows, outages[1:]) == (
        "2 sessions cannot tell them apart: with livekit, there was no outage in 1 session, against 1 outage "
        "in 1 session with never."
    )
