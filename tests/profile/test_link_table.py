import pytest

from simlab.core.errors import InvalidInputError
from simlab.core.impair import (
    BernoulliSpec,
    ConstantDelaySpec,
    DuplicateSpec,
    GilbertElliottSpec,
    NormalDelaySpec,
    RateSpec,
    UniformDelaySpec,
)
from simlab.core.packet import Direction
from simlab.profile import load


def link_of(text):
    return load(text, "x.toml").link


def test_a_direction_goes_over_the_common_keys_one_by_one():
    link = link_of(
        """
        [link]
        delay = "40ms"
        loss = "1%"
        rate = "2Mbit/s"
        duplicate = "1%"
        [link.up]
        rate = "500kbit/s"
        queue = "1500B"
        duplicate = 0
        """
    )
    assert link.down.rate == RateSpec(250_000.0, 65_536)
    assert link.up.rate == RateSpec(62_500.0, 1500)
    assert link.up.loss == link.down.loss == BernoulliSpec(0.01)
    assert (link.up.duplicate, link.down.duplicate) == (DuplicateSpec(0.0), DuplicateSpec(0.01))
    assert link.of(Direction.UP) is link.up
    assert link.of(Direction.DOWN) is link.down


@pytest.mark.parametrize(
    ("keys", "spec"),
    [
        ("", ConstantDelaySpec(0.0)),
        ("delay = '40ms'", ConstantDelaySpec(0.04)),
        ("delay = 0", ConstantDelaySpec(0.0)),
        ("delay = '40ms'\njitter = '10ms'", UniformDelaySpec(0.04, 0.01, False)),
        ("delay = '40ms'\njitter = '0ms'", ConstantDelaySpec(0.04)),
        ("delay = {model = 'constant', mean = '40ms'}", ConstantDelaySpec(0.04)),
        ("delay = {model = 'uniform', mean = '40ms', jitter = '5ms'}", UniformDelaySpec(0.04, 0.005, False)),
        (
            "delay = {model = 'normal', mean = '40ms', deviation = '5ms', reorder = true}",
            NormalDelaySpec(0.04, 0.005, True),
        ),
    ],
)
def test_delays(keys, spec):
    assert link_of(f"[link]\n{keys}").up.delay == spec


@pytest.mark.parametrize(
    ("value", "spec"),
    [
        ("'3%'", BernoulliSpec(0.03)),
        ("0.03", BernoulliSpec(0.03)),
        ("{model = 'bernoulli', loss = 1}", BernoulliSpec(1.0)),
        ("{model = 'gilbert-elliott', loss = '20%', burst = 4}", GilbertElliottSpec(0.0625, 0.25)),
        ("{model = 'gilbert-elliott', loss = 0.5, burst = 2.0}", GilbertElliottSpec(0.5, 0.5)),
        ("{model = 'gilbert-elliott', p = '1%', r = 0.25}", GilbertElliottSpec(0.01, 0.25, 0.0, 1.0)),
        (
            "{model = 'gilbert-elliott', p = '1%', r = 0.25, h = '10%', k = 0.99}",
            GilbertElliottSpec(0.01, 0.25, 0.1, 0.99),
        ),
    ],
)
def test_losses(value, spec):
    assert link_of(f"link.loss = {value}").down.loss == spec


def test_a_directions_own_delay_table_settles_its_jitter():
    link = link_of(
        """
        [link]
        delay = "40ms"
        jitter = "10ms"
        [link.up]
        delay = { model = "normal", mean = "30ms", deviation = "5ms" }
        [link.down]
        delay = "20ms"
        """
    )
    assert link.up.delay == NormalDelaySpec(0.03, 0.005, False)
    assert link.down.delay == UniformDelaySpec(0.02, 0.01, False)


JITTER = "want no jitter beside a delay table that says how delay varies"
NORMAL = "{model = 'normal', mean = '1s', deviation = '1s'}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"[link]\ndelay = {NORMAL}\njitter = '1ms'", f'link.jitter is "1ms", {JITTER}'),
        (f"[link]\ndelay = {NORMAL}\n[link.up]\njitter = '1ms'", f'link.up.jitter is "1ms", {JITTER}'),
        ("link.queue = '3B'", 'link.queue is "3B", want a rate beside it'),
        ("link.down.queue = '3B'", 'link.down.queue is "3B", want a rate beside it'),
        ("link.down.queue = '3B'\nlink.up.rate = '1bit/s'", 'link.down.queue is "3B", want a rate beside it'),
    ],
)
def test_keys_that_do_not_go_together(text, fault):
    with pytest.raises(InvalidInputError) as caught:
        load(text, "x.toml")
    assert caught.value.faults == (f"x.toml: {fault}",)


def test_a_common_queue_needs_a_rate_in_one_direction_only():
    link = link_of("link.queue = '3B'\nlink.up.rate = '8bit/s'")
    assert (link.up.rate, link.down.rate) == (RateSpec(1.0, 3), None)


def test_signalling_takes_the_links_mean_delay():
    profile = load(
        "link.up.delay = '10ms'\nlink.down.delay = {model='normal', mean='30ms', deviation='9ms'}", "x"
    )
    assert [profile.signalling_delay_s(d) for d in (Direction.UP, Direction.DOWN)] == [0.01, 0.03]
    profile = load("link.up.delay = '10ms'\nsignalling.delay = '5ms'", "x")
    assert [profile.signalling_delay_s(d) for d in (Direction.UP, Direction.DOWN)] == [0.005, 0.005]
