from simlab.batch.link_changes import link_changes
from simlab.profile import Scenario, load
from simlab.study.link_changes import LinkChange

TEXT = """
[link]
loss = "1%"
repeat = "50s"
[link.up]
delay = { model = "normal", mean = "30ms", deviation = "4ms" }
[[link.change]]
at = "5s"
ramp = "2s"
loss = "20%"
[[link.change]]
at = "9s"
direction = "up"
delay = { model = "normal", mean = "50ms", deviation = "4ms" }
"""


def test_the_changes_of_a_profile():
    first, second = link_changes(Scenario.of(load(TEXT, "x.toml")))
    assert first == LinkChange(5.0, 2.0, "loss 20%", "both", 50.0)
    told = "delay normal mean 50ms deviation 4ms reorder False"
    assert second == LinkChange(9.0, 0.0, told, "up", 50.0)
    assert link_changes(Scenario.of(load("", "x.toml"))) == ()
