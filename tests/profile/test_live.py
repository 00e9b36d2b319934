"""Links that are changed while they run: what is not changed goes on as it would have."""

from pathlib import Path

import pytest

from simlab.core.errors import InvalidInputError
from simlab.core.link import Link
from simlab.core.packet import Direction
from simlab.profile.build import links
from simlab.profile.faults import BlackoutFault
from simlab.profile.live import LiveStages, left_out
from simlab.profile.load import load
from simlab.profile.scenario import Scenario
from simlab.profile.setting import changed

CATALOGUE = Path(__file__).parents[2] / "profiles"
# A relay alone injects nothing.
ALONE = [path for path in sorted(CATALOGUE.glob("*.toml")) if path.name != "nightly.toml"]  # that is a suite
SOME = [path for path in sorted(CATALOGUE.glob("*/*.toml"))[::9] if path.parent.name != "attacks"]
RTP = b"\x80\x60" + bytes(100)
UP = Direction.UP


def scenario(text):
    return Scenario.of(load(text, "x.toml"))


class Running:
    """A link under a live scenario, with a packet every 10 ms."""

    def __init__(self, text):
        self.scenario = scenario(text)
        self.live = LiveStages(self.scenario, UP)
        self.link = Link(self.live.stages)
        self.left, self.sent = {}, 0

    def until(self, end_s):
        while self.sent * 0.01 < end_s - 1e-9:
            at_s = self.sent * 0.01
            self.take(at_s)
            self.link.receive(RTP, at_s)
            self.sent += 1
        return self

    def take(self, at_s):
        self.left |= {one.seq: one.due_s for one in self.link.release(at_s)}

    def set(self, now_s, **values):
        self.take(now_s)
        self.scenario = changed(self.scenario, {f"link.{key}": value for key, value in values.items()})
        self.live.change(self.scenario, now_s)
        self.link.restage(self.live.stages)

    def end(self):
        self.take(1e9)
        return self.left


LOSSY = '[link]\nloss = "30%"\ndelay = "40ms"\njitter = "10ms"\n'


def test_a_change_reseeds_nothing():
    plain = Running(LOSSY).until(4.0).end()
    one = Running(LOSSY)
    one.until(1.0).set(1.0, delay="200ms")
    one.until(2.0).set(2.0, delay="40ms")
    changed_ = one.until(4.0).end()
    # The same packets are lost throughout, and those before the first change come as they would have.
    assert sorted(changed_) == sorted(plain)
    assert {n: s for n, s in changed_.items() if n < 100} == {n: s for n, s in plain.items() if n < 100}
    # The jitter, too, is what it would have been: 160 ms more in the second second, and no more after it.
    moved = {round(changed_[n] - plain[n], 9) for n in plain if 105 <= n < 195}
    assert moved == {0.16}
    assert all(changed_[n] == plain[n] for n in plain if n >= 230)


def test_a_loss_that_is_set_and_taken_back_leaves_the_luck_of_the_others():
    plain = Running(LOSSY).until(4.0).end()
    one = Running(LOSSY)
    one.until(1.0).set(1.0, loss="100%")
    one.until(2.0).set(2.0, loss="30%")
    lossy = one.until(4.0).end()
    assert sorted(lossy) == [n for n in sorted(plain) if not 100 <= n < 200]


def test_a_rate_that_is_set_times_what_waits_again():
    # 130 bytes on the wire every 10 ms into 6500 bytes/s: 20 ms each, and so 50 wait after a second.
    one = Running('[link]\nrate = "52kbit/s"\nqueue = "1MB"\n')
    one.until(1.0).set(1.0, rate="10.4Mbit/s")
    left = one.end()
    assert left[49] == pytest.approx(1.0)
    # Of packet 50 nothing was sent at 1 s; from then on each takes 0.1 ms.
    assert left[99] == pytest.approx(1.0 + 50 * 0.0001)


def test_a_rate_that_is_taken_away_lets_everything_go():
    one = Running('[link]\nrate = "52kbit/s"\nqueue = "1MB"\n')
    one.until(1.0).set(1.0, rate=None, queue=None)
    assert set(list(one.end().values())[50:]) == {1.0}


@pytest.mark.parametrize("path", [*SOME, *ALONE])
def test_without_a_change_a_live_link_is_the_link_of_a_session(path):
    given = Scenario.of(
        load(
            path.read_text(),
            path.name,
            read=lambda file: (path.parent / file).read_text(encoding="utf-8-sig"),
        )
    )
    session, live = links(given)[UP], Link(LiveStages(given, UP).stages)
    ends = []
    for link in (session, live):
        for number in range(400):
            link.receive(RTP, number * 0.05)
        ends.append([(one.seq, round(one.due_s, 9), one.payload) for one in link.release(1e9)])
    assert ends[0] == ends[1]


def kinds(text):
    return [type(stage).__name__ for stage in LiveStages(scenario(text), UP).stages]


def test_what_cannot_change_by_itself_stands_bare_and_what_would_do_nothing_is_left_out():
    assert kinds("") == []
    assert kinds('[link]\nloss = "1%"\ndelay = "0ms"\n') == ["BernoulliStage"]
    assert kinds(LOSSY) == ["BernoulliStage", "UniformDelayStage"]
    later = LOSSY + '[[link.change]]\nat = "1s"\nloss = "2%"\n'
    assert kinds(later) == ["ScheduledStage", "UniformDelayStage"]
    # Its count of the packets that it selects goes on while it is not needed.
    loss = '{ model = "bernoulli", loss = "1%", only = { match = ["rtp"] } }'
    selected = f'[link]\ndelay = "40ms"\nloss = {loss}\n'
    assert kinds(selected) == ["ScheduledStage", "ConstantDelayStage"]


def test_a_stage_that_stood_bare_changes_as_one_that_did_not():
    # The change of the loss of one comes from its profile, that of the other is set.
    planned = Running(LOSSY + '[[link.change]]\nat = "1s"\nloss = "60%"\ndelay = "90ms"\n')
    one = Running(LOSSY)
    one.until(1.0).set(1.0, loss="60%", delay="90ms")
    assert one.until(3.0).end() == planned.until(3.0).end()


def test_a_delay_that_was_left_out_comes_back():
    one = Running('[link]\ndelay = "0ms"\n')
    one.until(1.0).set(1.0, delay="40ms")
    left = one.until(2.0).end()
    assert {round(left[n] - n * 0.01, 9) for n in range(100)} == {0.0}
    assert {round(left[n] - n * 0.01, 9) for n in range(100, 200)} == {0.04}


def test_faults_come_and_go():
    one = Running("")
    fault = BlackoutFault.model_validate({"kind": "blackout", "at": "1s", "for": "1s"})
    endless = fault.model_copy(update={"at_s": 2.5, "for_s": float("inf")})
    one.live.add(fault)
    one.live.add(endless)
    one.link.restage(one.live.stages)
    one.until(3.0)
    one.live.remove(endless)
    one.link.restage(one.live.stages)
    left = one.until(3.5).end()
    assert sorted(left) == [*range(100), *range(200, 250), *range(300, 350)]


def link_of(text, values):
    return changed(scenario(text), values).profile.link


def test_what_is_set_for_both_holds_for_both():
    link = link_of('[link.up]\nloss = "1%"\n[link]\nloss = "2%"\n', {"link.loss": "5%"})
    assert link.up.loss == link.down.loss
    assert link.up.loss.loss_chance == 0.05


def test_what_is_set_for_one_leaves_the_other():
    link = link_of('[link]\nloss = "2%"\ndelay = "40ms"\njitter = "5ms"\n', {"link.down.delay": "90ms"})
    assert (link.up.delay.mean_s, link.down.delay.mean_s, link.down.delay.jitter_s) == (0.04, 0.09, 0.005)
    assert link.up.loss == link.down.loss


def test_what_is_set_is_no_longer_changed_by_the_profile():
    text = '[link]\nloss = "2%"\ndelay = "9ms"\n[[link.change]]\nat = "3s"\nloss = "50%"\ndelay = "30ms"\n'
    link = link_of(text, {"link.up.loss": "5%"})
    (up,), (down, _) = link.up.changes, link.down.changes
    assert up.settings.loss.loss_chance == 0.05
    assert up.settings.delay.mean_s == 0.03
    assert {change.settings.loss.loss_chance for change in link.down.changes} >= {0.5}
    assert down.at_s == 3.0


def test_every_fault_of_a_change_is_listed():
    values = {
        "link.loss": "500%",
        "link.dlay": "3ms",
        "link.up.delay": "-1ms",
        "nat.timeout": "3s",
        "link.change": [],
    }
    with pytest.raises(InvalidInputError) as error:
        changed(scenario(""), values)
    told = error.value.faults
    assert [one.split()[1].rstrip(":") for one in told] == [
        "link.dlay",
        "nat.timeout",
        "link.change",
        "link.loss",
        "link.up.delay",
    ]
    assert 'set: link.dlay is unknown, did you mean "delay"?' in told
    assert 'set: link.loss is "500%", want 1 (100%) or less' in told


def test_what_needs_a_session_is_left_out_with_a_note():
    text = """
[[fault]]
kind = "blackout"
at = "1s"
for = "1s"
[[fault]]
kind = "server-freeze"
at = "1s"
for = "1s"
[[weather]]
kind = "signalling"
every = "5s"
for = "1s"
how = "refused"
"""
    notes = left_out(load(text, "x.toml"), "x.toml")
    assert [note.partition(", ")[0] for note in notes] == [
        'x.toml: fault[1].kind is "server-freeze"',
        'x.toml: weather[0].kind is "signalling"',
    ]


@pytest.mark.parametrize("key", ["link.rate", "link.up.rate", "link.down.rate"])
def test_a_rate_is_taken_away_with_the_queue_in_front_of_it(key):
    before = scenario('[link]\ndelay = "40ms"\n')
    limited = changed(before, {key: "1Mbit/s"})
    assert changed(limited, {key: None}).profile.link.to_toml() == before.profile.link.to_toml()


@pytest.mark.parametrize("also", [{}, {"link.up.rate": "2Mbit/s"}, {"link.down.loss": "1%"}])
def test_a_key_that_is_set_for_both_is_taken_from_one_direction(also):
    limited = changed(scenario(""), {"link.rate": "1Mbit/s", "link.queue": "16KiB"} | also)
    table = changed(limited, {"link.up.rate": None, "link.down.loss": None}).profile.link.to_toml()
    assert (table["up"].get("rate"), table["up"].get("queue")) == (None, None)
    assert (table["down"]["rate"], table["down"]["queue"]) == ("1Mbit/s", "16KiB")


def test_a_queue_that_is_set_without_a_rate_is_wrong():
    limited = changed(scenario(""), {"link.rate": "1Mbit/s"})
    with pytest.raises(InvalidInputError, match="want a rate beside it"):
        changed(limited, {"link.rate": None, "link.queue": "16KiB"})
