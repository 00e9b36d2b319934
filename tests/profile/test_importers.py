"""What other tools say of a network, as a profile."""

import json
import tomllib

import pytest

from simlab.core.impair import (
    LibwebrtcLossSpec,
    NormalDelaySpec,
    RateSpec,
)
from simlab.profile.importers import IMPORTERS, import_text
from tests.profile.importing import TC, comments, imported, wrong


def test_mahimahi():
    text = "1\n3\n3\n700\n1000\n"
    profile = imported("mahimahi", text, "down")
    assert profile.link.down.rate.opportunities_ms == (1, 3, 3, 700, 1000)
    assert profile.link.up.rate is None
    assert (profile.evidence, profile.duration_s) == ("trace", 10.0)
    assert "1 gap of 0.5 s or more between opportunities, the longest 0.697 s, 69.7%" in comments(
        "mahimahi", text
    )


def test_a_trace_of_one_line_is_a_constant_rate():
    # As Pantheon's 12mbps.trace has it.
    assert imported("mahimahi", "1\r\n").link.up.rate.mean_rate_bytes_per_s == 1_504_000
    assert comments("mahimahi", "1").startswith("1 opportunity of 1504 bytes in 0.001 s")


def test_a_long_trace_stays_readable():
    text = "".join(f"{at_ms}\n" for at_ms in range(5000))
    written = import_text("mahimahi", text, "a.txt", "a")
    assert max(map(len, written.splitlines())) <= 110
    assert imported("mahimahi", text).link.up.rate.opportunities_ms == tuple(range(5000))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1\nx\n", 'a.txt: line 2 of the file is "x", want whole milliseconds'),
        ("", "a.txt: want at least one opportunity, the last of them after 0 ms"),
        ("5\n3\n", "a.txt: want opportunities in ascending order"),
    ],
)
def test_wrong_mahimahi(text, told):
    assert wrong("mahimahi", text) == told


ITEMS = """
# a pause of three seconds
item { link_capacity_kbps: 1000 queue_delay_ms: 10 }
item { time_since_first_sent_packet_ms: 3000, link_capacity_kbps: 0 }
item {
  time_since_first_sent_packet_ms: 6000; link_capacity_kbps: 1000
  loss_percent: 5 avg_burst_loss_length: 4
  delay_standard_deviation_ms: 3 allow_reordering: true queue_length_packets: 30
}
repeat_schedule_after_last_ms: 2000
"""
AS_JSON = json.dumps(
    {
        "item": [
            {"link_capacity_kbps": "1000", "queue_delay_ms": 10},
            {"time_since_first_sent_packet_ms": "3000", "link_capacity_kbps": 0},
            {
                "time_since_first_sent_packet_ms": 6000,
                "link_capacity_kbps": 1000,
                "loss_percent": 5,
                "avg_burst_loss_length": 4,
                "delay_standard_deviation_ms": 3,
                "allow_reordering": True,
                "queue_length_packets": 30,
            },
        ],
        "repeat_schedule_after_last_ms": 2000,
    }
)


@pytest.mark.parametrize("text", [ITEMS, AS_JSON], ids=["text", "json"])
def test_libwebrtc(text):
    link = imported("libwebrtc", text).link
    assert link.repeat_s == 8.0
    assert (link.up.delay.mean_s, link.up.rate.rate_bytes_per_s) == (0.01, 125_000)
    stands, goes_on = link.up.changes
    assert (stands.at_s, stands.settings.rate.rate_bytes_per_s) == (3.0, 0.125)
    assert goes_on.at_s == 6.0
    assert goes_on.settings.loss == LibwebrtcLossSpec(0.05, 4.0)
    assert goes_on.settings.delay == NormalDelaySpec(0.01, 0.003, reorder=True)
    assert goes_on.settings.rate == RateSpec(125_000, queue_packets=29)


def test_libwebrtc_as_protocol_buffers_write_it():
    # What MessageToJson and MessageToString(pointy_brackets=True) of protobuf 6.33 make of it.
    as_json = """{
      "repeatScheduleAfterLastMs": "2000",
      "item": [
        {"linkCapacityKbps": "1000", "queueDelayMs": "10"},
        {"timeSinceFirstSentPacketMs": "3000", "linkCapacityKbps": "0"},
        {"timeSinceFirstSentPacketMs": "6000", "queueLengthPackets": "30", "linkCapacityKbps": "1000",
         "lossPercent": "5", "delayStandardDeviationMs": "3", "allowReordering": true,
         "avgBurstLossLength": "4"}
      ]
    }"""
    brackets = ITEMS.replace("{", "<").replace("}", ">")
    assert imported("libwebrtc", as_json).link == imported("libwebrtc", ITEMS).link
    assert imported("libwebrtc", brackets).link == imported("libwebrtc", ITEMS).link


def test_a_list_of_items_is_a_schedule_too():
    assert imported("libwebrtc", '[{"queue_delay_ms": 7}]').link.down.delay.mean_s == 0.007


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("item { loss: 5 }", 'line 1: "loss" is unknown, want one of "time_since'),
        ("item {\n loss_percent: x }", 'line 2: loss_percent is "x", want a number'),
        ("item {\n loss_percent: 5", 'line 1: want "}", not the end'),
        ("\nitem [", 'line 2: want "{", not "["'),
        ("x", 'line 1: "x" is unknown, want item'),
        ("", "line 1: want at least one item"),
        (
            "item { loss_percent: 5 avg_burst_loss_length: 0 }",
            "line 1: avg_burst_loss_length is 0, want 1 or more, or -1",
        ),
        ("item <\n loss_percent: 5 }", 'line 2: want ":", not'),
        ("item {}\nitem {}", "line 2: want a time_since_first_sent_packet_ms after that of the item before"),
        ("item { loss_percent: 101 }", "line 1: loss_percent is 101, want 100 or less"),
        ('[{"loss_percent": 1},\n{"loss_percent": true}]', 'line 2: loss_percent is "True", want a number'),
        ('[{"loss_percent": -1}]', "line 1: loss_percent is -1, want 0 or more"),
        ('{"item": 3}', "line 1: want a list of items, each with its fields"),
        ('{"items": []}', 'line 1: "items" is unknown, want item and repeat_schedule_after_last_ms'),
        ('[{"a": 1},\n', "line 2: "),
        ("[" * 100_000, "line 1: lists are nested too deep"),
    ],
)
def test_wrong_libwebrtc(text, told):
    assert wrong("libwebrtc", text).startswith(f"a.txt: {told}")


def test_csv():
    rows = ["1000,1000,100,0", "# a comment", "", "6000,,80,1.5", "11000,300,80,1.5"]
    text = "\n".join(["time_ms, rate_kbps, rtt [ms], loss (%)", *rows])
    profile = imported("csv", text)
    up = profile.link.up
    assert (up.rate.rate_bytes_per_s, up.delay.mean_s, up.loss.loss_chance) == (125_000, 0.05, 0.0)
    assert [
        (c.at_s, c.settings.rate.rate_bytes_per_s, c.settings.delay.mean_s, c.settings.loss.loss_chance)
        for c in up.changes
    ] == [(5.0, 125_000, 0.04, 0.015), (10.0, 37_500, 0.04, 0.015)]
    assert (profile.source_kind, profile.duration_s) == ("rtt", 15.0)
    told = comments("csv", text)
    for word in ("halved", "queue", "first row is of 1 s"):
        assert word in told


@pytest.mark.parametrize("header", ["rate_bit/s", "rate (kbit/s)", "rate_mbit_s", "rate [Mbps]", "rate_gbps"])
def test_units_of_rates_in_csv(header):
    factor = {"bit": 1, "kbi": 1e3, "mbi": 1e6, "mbp": 1e6, "gbp": 1e9}[header[5:].strip("([ ")[:3].lower()]
    link = imported("csv", f"time_s,{header}\n0,2\n").link
    assert link.up.rate.rate_bytes_per_s == 2 * factor / 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: want a header with a unit in each column"),
        ("time_s,rate\n0,1\n", 'line 1: the column "rate" is unknown; want a header with a unit'),
        ("time_s,delay_ms\n0,1\n0,2\n", "line 3: want a time after that of the row above it"),
        ("time_s,delay_ms\n0,x\n", 'line 2: delay is "x", want a number of 0 or more'),
        ("time_s,delay_ms\n0,-1\n", 'line 2: delay is "-1", want a number of 0 or more'),
        ("time_s,delay_ms\n0,1,2\n", "line 2: want 2 values, not 3"),
        ("time_s,delay_ms\n", "line 2: want at least one row of numbers"),
        ("time_s,delay_ms,rtt_ms\n0,1,2\n", "line 1: want either delay or rtt"),
        ("time_s,delay_ms,delay_s\n0,1,2\n", "line 1: want one column of delay"),
        ("delay_ms,loss_%\n0,1\n", "line 1: want a header with a unit in each column"),
    ],
)
def test_wrong_csv(text, told):
    assert wrong("csv", text).startswith(f"a.txt: {told}")


@pytest.mark.parametrize("kind", IMPORTERS)
@pytest.mark.parametrize("text", ["\0", '"', "🦊\n" * 3, "{", "item", "netem x", "9" * 5000, "time_s,\n"])
def test_rubbish_is_a_sentence(kind, text):
    assert wrong(kind, text).startswith("a.txt: ")


def test_what_is_written_is_toml_whatever_the_words():
    written = import_text("netem", TC + "delay 5ms # \x7f 'é' \\", "a.txt", "a")
    assert tomllib.loads(written)["description"].startswith("netem delay 5ms")
