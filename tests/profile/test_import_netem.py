"""What commands and scripts of netem say of a network, as a profile."""

import pytest

from simlab.core.impair import (
    CorrelatedDelaySpec,
    CorrelatedLossSpec,
    FourStateSpec,
    GilbertElliottSpec,
    NormalDelaySpec,
    ParetoDelaySpec,
    ParetoNormalDelaySpec,
    RateSpec,
    ReorderSpec,
    SlotSpec,
    TokenBucketSpec,
    UniformDelaySpec,
)
from tests.profile.importing import TC, comments, imported, netem, wrong


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
    assert link.rate == RateSpec(125_000, queue_packets=199)
    assert link.slot == SlotSpec(0.002, 0.01, 16, 20_480)
    told = comments("netem", TC + "loss 1% 25% rate 1mbit 14 seed 7 ecn duplicate 1% 5%")
    for word in ("copula", "overhead", "seed", "ecn", "correlation of duplicate", "Ethernet header", "both"):
        assert word in told


@pytest.mark.parametrize(
    ("word", "rate_bytes_per_s"),
    [
        ("1mbit", 125e3),
        ("1mbps", 1e6),
        ("8000", 1e3),
        ("1Kibit", 128),
        ("1.5gbit", 187.5e6),
        ("1mbit -14", 125e3),
        ("1mbit 20 100 -5", 125e3),
    ],
)
def test_netem_rates(word, rate_bytes_per_s):
    assert netem(f"rate {word}").rate.rate_bytes_per_s == rate_bytes_per_s


def test_netem_is_found_in_a_script():
    text = (
        "#!/bin/sh\n# slow\nip link set eth0 up\nsudo tc qdisc replace dev eth0 \\\n  root netem delay 5ms\n"
    )
    assert imported("netem", text).link.up.delay.mean_s == 0.005
    assert "Line 3 is no command of netem's" in comments("netem", text)


def test_netem_counts_the_packet_that_is_being_sent():
    assert netem("rate 1mbit limit 10").rate == RateSpec(125_000, queue_packets=9)
    assert netem("rate 1mbit").rate == RateSpec(125_000, queue_packets=999)
    assert netem("rate 1mbit limit 1k").rate == RateSpec(125_000, queue_packets=1023)


def test_the_beginning_of_a_word_is_an_option_as_tc_has_it():
    link = netem("d 10ms 2ms dist normal lo 1% dup 2% cor 3% ra 1mbit re 4%")
    assert link.delay == NormalDelaySpec(0.01, 0.002, reorder=False)
    assert (link.loss.loss_chance, link.duplicate.duplicate_chance) == (0.01, 0.02)
    assert (link.corrupt.corrupt_chance, link.rate.rate_bytes_per_s) == (0.03, 125_000)
    assert link.reorder == ReorderSpec(0.04, 1)


def test_zeros_take_netem_back():
    link = netem("delay 0ms 0ms corrupt 0% duplicate 0% reorder 0% loss 0% rate 0bit")
    assert (link.delay.mean_s, link.rate, link.reorder) == (0.0, None, None)


@pytest.mark.parametrize(
    "script",
    [
        "tc qdisc del dev eth0 root netem 2>/dev/null || true\ntc qdisc add dev eth0 root netem delay 5ms",
        f"{TC}delay 5ms 2> /dev/null || \\\n  tc qdisc change dev eth0 root netem delay 5ms",
        "modprobe ifb; modprobe netem; tc qdisc add dev eth0 parent 1:1 handle 10: netem delay 5ms;",
        "for d in eth0 ifb0; do tc qdisc add dev $d root netem delay 5ms; done",
        "tc qdisc add dev eth0 root netem delay 5ms\ntc qdisc add dev ifb0 root netem delay 5ms\nsleep 1",
        'ssh host "sudo tc qdisc add dev eth0 root netem delay 5ms" & ',
        "docker exec web sh -c 'sleep 1; tc qdisc add dev eth0 root netem delay 5ms >/tmp/log 2>&1'",
        "echo 'text of\n several lines'\ntc qdisc add dev eth0 root netem delay 5ms\r\n",
        "tc qdisc show dev eth0 root netem\ntc qdisc add dev eth0 root netem delay 5ms # and not 7ms",
        "[ -z $A ] || tc -n ns1 qdisc replace dev veth0 root netem delay 5ms",
    ],
)
def test_netem_in_scripts_as_they_are(script):
    assert imported("netem", script).link.up.delay.mean_s == 0.005


def test_the_other_lines_of_a_script_are_told_together():
    script = f"#!/bin/sh\nset -e\nmodprobe ifb\n\n{TC}delay 5ms\nsleep 5\n"
    assert "Lines 2-3, 6 are no commands of netem's, and left out." in comments("netem", script)


def test_a_token_bucket_beside_netem():
    script = (
        "tc qdisc add dev eth0 root handle 1: netem delay 30ms loss 1%\n"
        "tc qdisc add dev eth0 parent 1:1 handle 10: tbf rate 10000kbit burst 32kbit {}\n"
    )
    link = imported("netem", script.format("latency 30ms")).link.up
    assert (link.delay.mean_s, link.loss.loss_chance) == (0.03, 0.01)
    # tc-tbf(8): what waits is the rate times the latency, and the burst of 32 * 1024 / 8 bytes.
    assert link.rate == TokenBucketSpec(1_250_000, 4096, RateSpec(1_250_000, queue_bytes=37_500 + 4096))
    link = imported("netem", script.format("limit 3000 peakrate 12mbit mtu 1540")).link.up
    assert link.rate == TokenBucketSpec(1_250_000, 4096, RateSpec(1_250_000, queue_bytes=3000))
    told = comments("netem", script.format("limit 3000 peakrate 12mbit mtu 1540"))
    for words in ("tbf: a packet counts", "peakrate of tbf", "mtu of tbf", "before the rate"):
        assert words in told


@pytest.mark.parametrize(
    ("tbf", "told"),
    [
        ("rate 1mbit", "line 2: tbf wants a rate and a burst"),
        ("rate 1mbit burst 10k", "line 2: tbf wants a limit or a latency"),
        ("rate 1mbit burst 10x limit 3000", 'line 2: burst is "10x", want a size, such as "20k"'),
        ("rat 1mbit", 'line 2: "rat" is no option of tbf, did you mean "rate"?'),
    ],
)
def test_a_wrong_token_bucket(tbf, told):
    script = f"{TC}delay 5ms\ntc qdisc add dev eth0 parent 1:1 handle 10: tbf {tbf}\n"
    assert wrong("netem", script).startswith(f"a.txt: {told}")


def test_a_link_has_one_rate():
    script = f"{TC}rate 1mbit\ntc qdisc add dev eth0 parent 1:1 tbf rate 1mbit burst 10k limit 30k\n"
    assert wrong("netem", script) == (
        "a.txt: line 2: is a rate beside that of netem, which no profile has; want one of them"
    )


def test_a_rate_that_is_not_read_is_told():
    script = f"tc class add dev eth0 parent 1: classid 1:10 htb rate 500kbit\n{TC}delay 5ms\n"
    assert "Line 1 has a rate of its own, which is left out: give the link" in comments("netem", script)


def test_what_netem_loses_takes_nothing_of_its_rate():
    words = "netem loses and duplicates packets before the rate, and here that is behind it"
    assert words in comments("netem", TC + "loss 10% rate 1mbit")
    assert words not in comments("netem", TC + "delay 5ms rate 1mbit")


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
        ("rate x", 'rate is "x", want a rate, such as "1mbit"'),
        ("rate 50%", 'rate is "50%", want a rate, such as "1mbit"'),
        ("limit 0", "limit is 0, with which netem drops every packet; want 1 or more"),
        ("loss 1% loss 2%", "is a second loss in one command, which tc refuses; want one"),
        ("loss ${LOSS}%", 'loss is "${LOSS}%" (a variable of the script), want a percentage'),
        ("$NETEM", '"$NETEM" (a variable of the script) is no option of netem, want one of "limit"'),
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
