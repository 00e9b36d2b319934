"""What other tools say of a network, as a profile."""

import json
import tomllib

import pytest

from simlab.core.errors import InvalidInputError
from simlab.core.impair import (
    CorrelatedDelaySpec,
    CorrelatedLossSpec,
    FourStateSpec,
    GilbertElliottSpec,
    LibwebrtcLossSpec,
    NormalDelaySpec,
    ParetoDelaySpec,
    ParetoNormalDelaySpec,
    RateSpec,
    ReorderSpec,
    SlotSpec,
    UniformDelaySpec,
)
from simlab.profile import load
from simlab.profile.importers import IMPORTERS, import_text

TC = "tc qdisc add dev eth0 root netem "


def imported(kind, text, direction="both"):
    return load(import_text(kind, text, "a.txt", "a", direction), "a.toml")


def netem(options):
    return imported("netem", TC + options).link.up


def comments(kind, text):
    lines = import_text(kind, text, "a.txt", "a").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))


def wrong(kind, text):
    with pytest.raises(InvalidInputError) as caught:
        import_text(kind, text, "a.txt", "a")
    (fault,) = caught.value.faults
    return fault


@pytest.mark.parametrize(
    ("options", "delay"),
    [
        ("delay 100ms 20ms", UniformDelaySpec(0.1, 0.02, reorder=True)),
        ("latency 100ms 20ms distribution uniform", UniformDelaySpec(0.1, 0.02, reorder=True)),
        ("delay 100ms 20ms distribution normal rate 1mbit", NormalDelaySpec(0.1, 0.02, reorder=False)),
        ("delay 0.1s 20msecs distribution pareto", ParetoDelaySpec(0.1, 0.02, 3.0, reorder=True)),
        ("delay 100ms 20ms distribution paretonormal", ParetoNormalDelaySpec(0.1, 0.02, reorder=True)),
        ("delay 100ms 20ms 25%", CorrelatedDelaySpec(UniformDelaySpec(0.1, 0.02, reorder=True), 0.25)),
    ],
)
def test_netem_delay(options, delay):
    assert netem(options).delay == delay


def test_netem_delay_is_constant_without_jitter():
    assert netem("delay 1500us").delay.mean_s == 0.0015
    assert netem("delay 10ms 0ms").delay.mean_s == 0.01


@pytest.mark.parametrize(
    ("options", "loss"),
    [
        ("loss gemodel 1%", GilbertElliottSpec(0.01, 0.99, 0.0, 1.0)),
        ("loss gemodel 1% 25%", GilbertElliottSpec(0.01, 0.25, 0.0, 1.0)),
        ("loss gemodel 1 25 90 0.1", GilbertElliottSpec(0.01, 0.25, 0.1, 0.999)),
        ("loss state 2% 30% 20% 40% 0.5%", FourStateSpec(0.02, 0.3, 0.2, 0.4, 0.005)),
        ("loss state 2%", FourStateSpec(0.02, 0.98, 0.0, 1.0, 0.0)),
        ("loss random 3% 25%", CorrelatedLossSpec(0.03, 0.25)),
        ("drop 3% 25%", CorrelatedLossSpec(0.03, 0.25)),
    ],
)
def test_netem_loss(options, loss):
    assert netem(options).loss == loss


def test_netem_loss_without_correlation_is_independent():
    assert netem("loss 0.3").loss.loss_chance == 0.003
    assert netem("loss random 0.3% 0%").loss.loss_chance == 0.003


def test_the_rest_of_netem():
    link = netem(
        "delay 10ms reorder 25% 50% gap 5 duplicate 1% corrupt 0.1% rate 1mbit 14 limit 200 "
        "slot 2ms 10ms packets 16 bytes 20k seed 7 ecn"
    )
    assert link.reorder == ReorderSpec(0.25, 5)
    assert (link.duplicate.duplicate_chance, link.corrupt.corrupt_chance) == (0.01, 0.001)
    assert link.rate == RateSpec(125_000, queue_packets=200)
    assert link.slot == SlotSpec(0.002, 0.01, 16, 20_480)
    told = comments("netem", TC + "loss 1% 25% rate 1mbit 14 seed 7 ecn duplicate 1% 5%")
    for word in ("copula", "overhead", "seed", "ecn", "correlation of duplicate", "Ethernet header", "both"):
        assert word in told


@pytest.mark.parametrize(
    ("word", "rate_bytes_per_s"),
    [("1mbit", 125e3), ("1mbps", 1e6), ("8000", 1e3), ("1Kibit", 128), ("1.5gbit", 187.5e6)],
)
def test_netem_rates(word, rate_bytes_per_s):
    assert netem(f"rate {word}").rate.rate_bytes_per_s == rate_bytes_per_s


def test_netem_is_found_in_a_script():
    text = (
        "#!/bin/sh\n# slow\nip link set eth0 up\nsudo tc qdisc replace dev eth0 \\\n  root netem delay 5ms\n"
    )
    assert imported("netem", text).link.up.delay.mean_s == 0.005
    assert "Line 3 is no command of netem's" in comments("netem", text)


def test_netem_in_one_direction():
    link = imported("netem", TC + "delay 5ms", "up").link
    assert (link.up.delay.mean_s, link.down.delay.mean_s) == (0.005, 0.0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("delya 1ms", '"delya" is no option of netem, did you mean "delay"?'),
        ("delay 100", 'delay is "100", want a time with its unit (s, ms, us, ns), such as "100ms"'),
        ("delay", "want delay at the end of the command"),
        ("loss 101%", 'loss is "101%", want a percentage, such as "0.3%"'),
        ("loss x", 'loss is "x", want a percentage, such as "0.3%"'),
        ("distribution normal", "distribution wants a delay with a jitter"),
        ("delay 1ms distribution normal", "distribution wants a jitter beside the delay"),
        ("delay 1ms gap 5", "gap wants reorder beside it"),
        ("reorder 5%", "reorder wants a delay beside it"),
        ("rate 0", 'rate is "0", want a rate, such as "1mbit"'),
        ("slot distribution normal 1ms 2ms", "slot distribution has no equivalent"),
        ("limit 1.5", 'limit is "1.5", want a whole number'),
    ],
)
def test_wrong_netem(options, told):
    assert wrong("netem", "\n" + TC + options).startswith(f"a.txt: line 2: {told}")


def test_netem_needs_one_command():
    assert wrong("netem", "tc qdisc show").startswith('a.txt: line 1: want a command with "netem" in it')
    assert wrong("netem", f"{TC}loss 1%\n{TC}loss 2%") == (
        "a.txt: line 2: is a second netem command; want one for each profile"
    )
    assert wrong("netem", "netem 'x").startswith("a.txt: line 1: no closing quotation")


def test_what_no_profile_can_say_is_said():
    # The shortest delay would be negative: 10 ms less 20 ms / √3.
    assert wrong("netem", TC + "delay 10ms 20ms distribution pareto").endswith("(as a profile)")


def test_mahimahi():
    text = "1\n3\n3\n700\n1000\n"
    profile = imported("mahimahi", text, "down")
    assert profile.link.down.rate.opportunities_ms == (1, 3, 3, 700, 1000)
    assert profile.link.up.rate is None
    assert (profile.evidence, profile.duration_s) == ("trace", 10.0)
    assert "1 gap of 0.5 s or more between opportunities, the longest 0.697 s, 69.7%" in comments(
        "mahimahi", text
    )


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
    assert goes_on.settings.rate == RateSpec(125_000, queue_packets=30)


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
