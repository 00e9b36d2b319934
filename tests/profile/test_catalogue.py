"""The catalogue: every profile of it loads, says what it is, and runs."""

import json
import math

import pytest

from simlab.batch.scenarios import load_file
from simlab.batch.session import run_scenario
from simlab.cli.json_out import print_json
from simlab.profile import Scenario, schema
from simlab.profile.catalogue import family_of, full_name_of, key_of, matching, nearest
from tests.profile.texts import FILES, PROFILES

KEYS = sorted(key_of(file.relative_to(PROFILES).as_posix()) for file in FILES)
BY_OTHERS = {
    "atc",
    "devtools",
    "firefox",
    "ietf",
    "libwebrtc",
    "lighthouse",
    "nlc",
    "quic-interop",
    "webpagetest",
}
BY_WHAT_HAPPENS = {"cellular", "holes", "ladder", "loss", "mtu", "nat", "places", "rtt", "wifi"}


def file_of(key):
    return PROFILES / f"{key}.toml"


def test_families():
    assert {family_of(key) for key in KEYS} >= BY_OTHERS | BY_WHAT_HAPPENS
    assert len(KEYS) >= 100


@pytest.mark.parametrize("key", KEYS)
def test_each_says_what_it_is_and_where_its_numbers_come_from(key):
    text = file_of(key).read_text()
    profile = load_file(str(file_of(key)), {})
    assert profile.name == full_name_of(key)
    assert profile.description
    assert len(profile.source) > 20
    # Numbers that were a round trip in the source are one way here, and the file has to say so.
    assert ("halved" in profile.source) == (profile.source_kind == "rtt")
    assert text.splitlines()[0] == f"#:schema {'../' * key.count('/')}profile.schema.json"


def test_the_schema_that_the_files_name_is_the_one_that_is_printed(capsys):
    print_json(schema())
    committed = (PROFILES / "profile.schema.json").read_text()
    assert committed == capsys.readouterr().out, "simlab profiles schema > profiles/profile.schema.json"
    assert json.loads(committed)["properties"]["link"]


@pytest.mark.parametrize("key", KEYS)
def test_each_runs(key):
    profile = load_file(str(file_of(key)), {"peers.media": "[]"})
    few = min(profile.peers.clients, 3)
    profile = profile.model_copy(update={"peers": profile.peers.model_copy(update={"clients": few})})
    # Long enough for every fault of it and for an answer over 2 s each way, and no longer: there are more
    # than a hundred of them.
    ends_s = max((fault.until_s for fault in profile.faults if fault.until_s < math.inf), default=0.0)
    duration_s = min(profile.duration_s, max(ends_s + 2, 10.0))
    run = run_scenario(Scenario(profile.model_copy(update={"duration_s": duration_s})))
    assert run.failed is None
    assert run.timeline.events[-1].kind == "end"
    for way in run.metrics["links"].values():
        assert way["delivered"] > 0


@pytest.mark.parametrize(
    ("key", "up", "down"),
    [
        ("nlc/3g", (41_250, 0.1), (97_500, 0.1)),
        ("atc/edge", (25_000, 0.44), (30_000, 0.4)),
        ("webpagetest/cable", (125_000, 0.014), (625_000, 0.014)),
    ],
)
def test_the_uplink_is_the_clients(key, up, down):
    link = load_file(str(file_of(key)), {}).link
    assert [(way.rate.rate_bytes_per_s, pytest.approx(way.delay.mean_s)) for way in (link.up, link.down)] == [
        up,
        down,
    ]


def test_the_ladder_of_blackouts():
    rungs = [load_file(str(file_of(key)), {}) for key in KEYS if family_of(key) == "ladder"]
    lasts_s = [fault.for_s for profile in rungs for fault in profile.faults]
    assert lasts_s == [3, 5, 8, 10, 16, 23, 25, 28, 30, 32, 35, 40, 60]


def test_rfc_8867_5_3_changes_each_direction_at_its_own_times():
    link = load_file(str(file_of("ietf/rfc8867-5.3")), {}).link
    rates = [
        [(change.at_s, change.settings.rate.rate_bytes_per_s) for change in way.changes]
        for way in (link.up, link.down)
    ]
    assert rates == [
        [(20, 125_000), (40, 62_500), (60, 250_000)],
        [(35, 100_000), (70, 250_000)],
    ]


KNOWN = ["flaky", "atc/3g", "nlc/3g", "nlc/edge-good", "ietf/rfc8867-5.1"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("flaky", ["flaky"]),
        ("nlc/3g", ["nlc/3g"]),
        ("nlc-3g", ["nlc/3g"]),
        ("nlc/3g.toml", ["nlc/3g"]),
        ("edge-good", ["nlc/edge-good"]),
        ("rfc8867-5.1", ["ietf/rfc8867-5.1"]),
        ("3g", ["atc/3g", "nlc/3g"]),
        ("atc", []),
        ("", []),
    ],
)
def test_what_a_name_means(wanted, found):
    assert matching(wanted, KNOWN) == found


@pytest.mark.parametrize(
    ("wanted", "near"),
    [("flakyy", "flaky"), ("nlc/3gg", "nlc/3g"), ("edge-goood", "nlc/edge-good"), ("zzz", None)],
)
def test_the_nearest_name(wanted, near):
    assert nearest(wanted, KNOWN) == near
