import math

import pytest

from simlab.core.errors import InvalidInputError
from simlab.core.impair import (
    CodelSpec,
    CorrelatedDelaySpec,
    EmpiricalDelaySpec,
    FourStateSpec,
    LibwebrtcLossSpec,
    NetemLossSpec,
    NormalDelaySpec,
    RateSpec,
    ScriptedLossSpec,
    SelectedSpec,
    Selection,
    Step,
    TimedGilbertElliottSpec,
    TokenBucketSpec,
    TraceSpec,
)
from simlab.core.packet import Direction, PacketClass
from simlab.profile import Scenario, links, load
from simlab.profile.changes import steps
from tests.profile.models import MODELS

UP, DOWN = Direction.UP, Direction.DOWN
RTP = b"\x80\x60" + bytes(1000)
STUN = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)


def up(keys):
    return load(f"[link]\n{keys}", "x.toml").link.up


def faults_of(text, **more):
    with pytest.raises(InvalidInputError) as caught:
        load(text, "x.toml", **more)
    return [fault.removeprefix("x.toml: ") for fault in caught.value.faults]


@pytest.mark.parametrize("text", MODELS)
def test_a_saved_scenario_loads_as_the_same(text):
    scenario = Scenario.of(load(text, "a.toml"))
    again = Scenario.of(load(scenario.to_toml(), "b.toml"))
    assert again.profile.link == scenario.profile.link
    assert again.profile.faults == scenario.profile.faults
    assert again.to_toml() == scenario.to_toml()
    assert again.profile.link != load("", "c.toml").link or again.profile.faults


@pytest.mark.parametrize("text", MODELS)
def test_links_carry_packets_and_account_for_each(text):
    for link in links(Scenario.of(load(text, "a.toml"))).values():
        released, drops = [], []
        for n in range(2000):
            released += link.release(n / 100)
            drops += link.receive(RTP if n % 3 else STUN, n / 100)
        while (due_s := link.next_due_s()) is not None:
            released += link.release(due_s)
        assert len(link) == 0
        assert link.offered == 2000
        # A copy is one packet more; only links that make them have any.
        copies = len(released) + link.dropped.total() - 2000
        assert copies >= 0 if "duplicate" in text else copies == 0
        assert released
        assert sum(link.dropped.values()) >= len(drops)


@pytest.mark.parametrize(
    ("keys", "name", "spec"),
    [
        (
            "loss = {model = 'gilbert-elliott', good = '20s', bad = '1.5s', loss_bad = '90%'}",
            "loss",
            TimedGilbertElliottSpec(20.0, 1.5, 0.9, 0.0),
        ),
        (
            "loss = {model = 'gilbert-elliott', loss = '5%', burst = 4, compat = 'libwebrtc'}",
            "loss",
            LibwebrtcLossSpec(0.05, 4),
        ),
        (
            "loss = {model = 'correlated', loss = '5%', correlation = 0.5, compat = 'netem'}",
            "loss",
            NetemLossSpec(0.05, 0.5),
        ),
        ("loss = {model = 'four-state', p13 = '25%'}", "loss", FourStateSpec(0.25, 0.75, 0.0, 1.0, 0.0)),
        ("loss = {model = 'scripted', drop = [3, 7]}", "loss", ScriptedLossSpec(frozenset({3, 7}))),
        (
            "loss = {model = 'scripted', pattern='x.', only = {match = ['rtp'], larger = '10B', nth = [2]}}",
            "loss",
            SelectedSpec(
                ScriptedLossSpec(pattern="x."),
                Selection(frozenset({PacketClass.RTP}), 10, None, frozenset({2})),
            ),
        ),
        (
            "delay = {model = 'normal', mean = '40ms', deviation = '5ms', correlation = '50%'}",
            "delay",
            CorrelatedDelaySpec(NormalDelaySpec(0.04, 0.005, False), 0.5),
        ),
        ("rate = '8bit/s'\nqueue = '3packets'", "rate", RateSpec(1.0, None, 3)),
        ("rate = '8bit/s'\nqueue = '1packet'", "rate", RateSpec(1.0, None, 1)),
        ("rate = '8bit/s'\nqueue = '3s'", "rate", RateSpec(1.0, None, None, 3.0)),
        ("rate = '8bit/s'\naqm = 'codel'", "rate", CodelSpec(RateSpec(1.0, 65_536), 0.005, 0.1)),
        (
            "rate = {model = 'token-bucket', rate = '8bit/s', burst = '9B', police = true}",
            "rate",
            TokenBucketSpec(1.0, 9, None),
        ),
        ("rate = {model = 'trace', ms = [1, 2]}", "rate", TraceSpec((1, 2), RateSpec(math.inf, 65_536))),
    ],
)
def test_specs(keys, name, spec):
    assert getattr(up(keys), name) == spec


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("link.loss = {model = 'correlated', loss = 0.1, correlation = 1}", "less than 1 (100%)"),
        ("link.loss = {model = 'four-state', p13 = 0.9, p14 = 0.2}", "p13 + p14"),
        ("link.loss = {model = 'scripted'}", "want either drop or pattern"),
        ("link.loss = {model = 'scripted', pattern = 'abc'}", 'want a pattern of "x"'),
        ("link.loss = {model = 'scripted', drop = [0]}", "from 1 on"),
        (
            "link.loss = {model = 'gilbert-elliott', loss = 0.6, burst = 2, compat = 'libwebrtc'}",
            "want a mean burst of more than 2 packets with a loss of 0.6",
        ),
        (
            "link.delay = {model = 'pareto', mean = '5ms', deviation = '10ms'}",
            "want a mean of 0.5774 deviations",
        ),
        (
            "link.delay = {model='pareto', mean='50ms', deviation='10ms', shape=2}",
            "shape of more than 2",
        ),
        ("link.delay = {model = 'rfc8868', mean = '14ms'}", "want a mean of 3 deviations"),
        ("link.delay = {model = 'empirical'}", "want either samples or file"),
        ("link.delay = {model = 'empirical', file = 'x'}", "no file can be read here"),
        ("link.rate = {model = 'trace', ms = [3, 2]}", "in ascending order"),
        ("link.rate = {model = 'trace', ms = [0]}", "the last of them after 0 ms"),
        (
            "link.rate = {model = 'trace', ms = [1]}\nlink.aqm = 'codel'",
            "want a plain rate beside it",
        ),
        ("link.aqm = 'codel'", "want a rate beside it"),
        ("link.rate = '1bit/s'\nlink.queue = 'x'", 'link.queue is "x", want a size ("64KiB"), a number'),
        ("link.reorder = '10%'", "want a delay beside it"),
        ("link.slot = {min = '2s', max = '1s'}", "want max to be min or more"),
        ("link.spike = {every = '1s', for = '1s', extra = '1s'}", "want for to be less than every"),
        ("link.corrupt = {}", "want either chance or bit_chance"),
        ("link.mtu = {size = '3B', onyl = {}}", 'link.mtu.onyl is unknown, did you mean "only"?'),
        ("link.mtu = {size = '3B', only = {mach = []}}", 'only.mach is unknown, did you mean "match"?'),
        ("link.mtu = {size = '3B', only = {match = ['x']}}", '"x" is no packet class'),
        ("link.mtu = {size = '3B', only = {nth = [0]}}", "want numbers from 1 on"),
        ("[[link.change]]\nat = '1s'\ndely = '1s'", 'link.change[0].dely is unknown, did you mean "delay"?'),
        ("[[link.change]]\nloss = 0", "link.change[0].at is missing"),
        (
            "[[link.change]]\nat = '2s'\n[[link.change]]\nat = '1s'",
            'link.change[1].at is "1s", want no time before that of the change above it',
        ),
        ("link.repeat = '5s'", "want a change to repeat"),
        ("link.repeat = '5s'\n[[link.change]]\nat = '6s'", "want it to be over when the changes repeat"),
        (
            "link.loss = {model='scripted', drop=[1]}\n[[link.change]]\nat='1s'\nloss=0.1\nramp='1s'",
            "ramp",
        ),
        (
            "[[link.change]]\nat = '1s'\nrate = '1bit/s'\nramp = '1s'",
            "want no ramp from a link without a rate",
        ),
        (
            "link.rate = '1bit/s'\n[[link.change]]\nat = '1s'\nrate = {model = 'trace', ms = [1]}",
            "want a plain rate before and after a change",
        ),
        ("[[fault]]\nkind = 'block'\nat = 0\nfor = '1s'", "want match, larger, smaller, flow or nth"),
    ],
)
def test_what_does_not_go_together(text, fault):
    (told,) = faults_of(text)
    assert fault in told


def test_files_are_read_by_the_reader_that_is_handed_over():
    files = {"x.csv": "delay_ms,what\n12,a\n9.5,b\n", "y.csv": "12ms\n1s\n", "z.down": "1\n5\n\n9\n"}
    text = (
        "[link.up]\ndelay = {model='empirical', file='x.csv'}\nrate = {model='trace', file='z.down'}\n"
        "[link.down]\ndelay = {model = 'empirical', file = 'y.csv'}"
    )
    link = load(text, "x.toml", read=files.__getitem__).link
    assert link.up.delay == EmpiricalDelaySpec((0.0095, 0.012))
    assert link.down.delay == EmpiricalDelaySpec((0.012, 1.0))
    assert link.up.rate == TraceSpec((1, 5, 9), RateSpec(math.inf, 65_536))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("12\n", 'line 1 of the file is "12", want a duration with its unit'),
        ("delay_s\n1\nx\n", 'line 3 of the file is "x"'),
        ("", "want at least one delay in the file"),
    ],
)
def test_files_of_delays_that_are_wrong(content, fault):
    (told,) = faults_of("link.delay = {model='empirical', file='f'}", read=lambda name: content)
    assert fault in told


def test_files_that_cannot_be_read():
    def read(name):
        raise FileNotFoundError(2, "No such file or directory")

    (told,) = faults_of("link.delay = {model='empirical', file='f'}", read=read)
    assert told == 'link.delay: the file "f" cannot be read: No such file or directory'


def test_changes_lie_over_each_other_and_repeat():
    link = load(
        """
        [link]
        delay = "20ms"
        repeat = "10s"
        [[link.change]]
        at = "4s"
        loss = "10%"
        ramp = "2s"
        [[link.change]]
        at = "8s"
        delay = "30ms"
        direction = "up"
        """,
        "x.toml",
    ).link
    of = {d: [(s.at_s, s.ramp_s) for s in steps(link.of(d), "loss", 10.0, 25.0)] for d in (UP, DOWN)}
    assert of[UP] == of[DOWN] == [(0.0, 0.0), (4.0, 2.0), (10.0, 0.0), (14.0, 2.0), (20.0, 0.0), (24.0, 2.0)]
    delays = [(s.at_s, s.spec.mean_s) for s in steps(link.up, "delay", 10.0, 25.0)]
    assert delays == [(0.0, 0.02), (8.0, 0.03), (10.0, 0.02), (18.0, 0.03), (20.0, 0.02), (28.0, 0.03)]
    assert len(steps(link.down, "delay", 10.0, 25.0)) == 1
    assert isinstance(steps(link.up, "loss", None, 25.0)[0], Step)


def test_a_pause_holds_and_releases_in_a_burst():
    text = "[link]\ndelay='10ms'\n[[fault]]\nkind='pause'\nat='1s'\nfor='2s'\nmatch=['rtp']"
    link = links(Scenario.of(load(text, "x.toml")))[UP]
    for at_s, payload in ((0.5, RTP), (1.0, RTP), (1.5, STUN), (2.9, RTP), (3.0, RTP)):
        assert link.receive(payload, at_s) == []
    out = [(p.arrived_s, round(p.due_s, 9)) for p in link.release(9.0)]
    assert out == [(0.5, 0.51), (1.5, 1.51), (1.0, 3.01), (2.9, 3.01), (3.0, 3.01)]


def test_a_block_of_the_first_two_of_a_class():
    text = "[[fault]]\nkind='block'\nat='1s'\nfor='9s'\nmatch=['stun.request']\nnth=[1, 3]\ndirection='up'"
    link = links(Scenario.of(load(text, "x.toml")))[UP]
    fates = [bool(link.receive(STUN, at_s)) for at_s in (0.5, 1.5, 2.0, 3.0, 4.0, 12.0)]
    assert fates == [False, True, False, True, False, False]
