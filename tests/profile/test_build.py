from simlab.core.impair import (
    BernoulliStage,
    ConstantDelayStage,
    GilbertElliottStage,
    NormalDelayStage,
    UniformDelayStage,
)
from simlab.core.packet import Direction
from simlab.profile import Scenario, links, load
from simlab.profile.build import stages
from tests.profile.texts import FULL, SHIPPED

UP, DOWN = Direction.UP, Direction.DOWN
STUN = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
RTP = b"\x80\x60" + bytes(50)


def names(scenario, direction):
    return [stage.name for stage in stages(scenario, direction)]


def links_of(name, **settled):
    return links(Scenario.of(load(SHIPPED[name], f"{name}.toml"), **settled))


def fates(link, payload, times_s):
    return ["".join(drop.cause for drop in link.receive(payload, at_s)) for at_s in times_s]


def test_the_order_of_stages():
    scenario = Scenario.of(load(FULL, "full.toml"))
    assert names(scenario, UP) == ["blackout", "block", "queue", "loss", "duplicate", "corrupt", "delay"]
    assert names(scenario, DOWN) == ["block", "queue", "loss", "duplicate", "corrupt", "delay"]
    assert isinstance(stages(scenario, UP)[3], BernoulliStage)
    assert isinstance(stages(scenario, UP)[-1], UniformDelayStage)
    assert isinstance(stages(scenario, DOWN)[2], GilbertElliottStage)
    assert isinstance(stages(scenario, DOWN)[-1], UniformDelayStage)


def test_a_stage_that_would_do_nothing_is_left_out():
    scenario = Scenario.of(load("", "empty.toml"))
    assert names(scenario, UP) == ["delay"]
    assert isinstance(stages(scenario, UP)[0], ConstantDelayStage)


def test_normal_delay():
    text = "link.delay = {model = 'normal', mean = '40ms', deviation = '5ms'}"
    assert isinstance(stages(Scenario.of(load(text, "x")), DOWN)[-1], NormalDelayStage)


def test_clean():
    for link in links_of("clean").values():
        assert link.receive(RTP, 1.0) == []
        assert [d.due_s for d in link.release(2.0)] == [1.02]


def test_a_blackout_takes_everything():
    for link in links_of("blackout").values():
        times_s = [14.9, 15.0, 30.9, 31.0]
        assert fates(link, RTP, times_s) == ["", "blackout", "blackout", ""]


def test_blocked_ice_lets_media_pass():
    for link in links_of("ice_blocked").values():
        assert fates(link, STUN, [14.9, 15.0, 39.9]) == ["", "block", "block"]
        assert fates(link, RTP, [39.9, 40.0]) == ["", ""]
        assert fates(link, STUN, [40.0]) == [""]


def test_signalling_faults_leave_the_link_alone():
    (link, _) = links(
        Scenario.of(load("[[fault]]\nkind='signalling'\nat=0\nfor='30s'\nhow='reset'", "x"))
    ).values()
    assert fates(link, RTP, [1.0]) == [""]


def test_links_are_fresh_and_repeatable():
    def run(seed):
        link = links_of("flaky", seed=seed)[UP]
        return [
            fates(link, RTP, [n / 50 for n in range(2000)]),
            [(d.seq, d.due_s) for d in link.release(1000.0)],
        ]

    assert run(7) == run(7)
    assert run(7) != run(8)
