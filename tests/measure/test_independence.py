"""Settings of a link do not touch each other's luck: over random profiles, all the way from TOML."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simlab.core.packet import Direction
from simlab.measure import tapped_link
from simlab.measure.flow import flow
from simlab.measure.taps import drain, drive
from simlab.profile import Scenario, load

# For each key, values whose decisions about a packet do not depend on when it comes to the stage. A rate,
# slots and pauses do depend on that, and delays that keep the order on the packets before.
VALUES = {
    "mtu": ["mtu = '600B'", "mtu = '1000B'"],
    "loss": [
        "loss = '5%'",
        "loss = '30%'",
        "loss = { model = 'gilbert-elliott', loss = '10%', burst = 4 }",
        "loss = { model = 'gilbert-elliott', good = '3s', bad = '0.5s' }",
        "loss = { model = 'four-state', p13 = '2%', p31 = '30%', p32 = '20%', p23 = '40%' }",
        "loss = { model = 'correlated', loss = '20%', correlation = '50%' }",
        "loss = { model = 'bernoulli', loss = '30%', only = { match = ['rtp'], nth = [1, 2, 5, 9] } }",
    ],
    "duplicate": ["duplicate = '5%'", "duplicate = { chance = '20%', only = { match = ['rtp'] } }"],
    "corrupt": ["corrupt = '5%'", "corrupt = { bit_chance = '0.1%' }"],
    "delay": [
        "delay = { model = 'uniform', mean = '40ms', jitter = '30ms', reorder = true }",
        "delay = { model = 'normal', mean = '40ms', deviation = '10ms', reorder = true }",
        "delay = { model = 'pareto', mean = '40ms', deviation = '10ms', reorder = true }",
    ],
}
LINKS = st.fixed_dictionaries({}, optional={key: st.sampled_from(lines) for key, lines in VALUES.items()})


def decisions(lines, seed):
    """Return what each stage does with each packet that comes to it first: the delay and the flipped bits."""
    text = "\n".join(['duration = "5s"', "[link]", *lines.values()])
    scenario = Scenario.of(load(text, "x.toml"), seed=seed)
    link = tapped_link(scenario, Direction.UP)
    drive(link, flow(1, Direction.UP, 5.0))
    drain(link)
    found = {}
    for tap in link.stages:
        decided = found[tap.name] = {}
        for passage in tap.passages:
            left = [
                (round(left_s - passage.due_s, 9), int.from_bytes(payload) ^ int.from_bytes(passage.payload))
                for left_s, payload in passage.left[:1]
            ]
            decided.setdefault(passage.packet.seq, (len(passage.left), left))
    return found


@settings(max_examples=150)
@given(LINKS, st.sampled_from(sorted(VALUES)), st.data(), st.integers(0, 2**63 - 1))
def test_a_setting_that_is_added_removed_or_changed_leaves_the_others_decisions(lines, key, data, seed):
    value = data.draw(st.sampled_from([None, *VALUES[key]]))
    changed = {**lines, key: value}
    before, after = (decisions({k: v for k, v in each.items() if v}, seed) for each in (lines, changed))
    for name in before.keys() & after.keys() - {key}:
        for seq in before[name].keys() & after[name].keys():
            assert before[name][seq] == after[name][seq], (name, seq)
