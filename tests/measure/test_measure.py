"""Measuring profiles: nothing right is found wrong, and what is wrong is found."""

import math

import numpy as np
import pytest
from scipy.stats import binom, multivariate_normal, norm

from simlab.batch.scenarios import load_file
from simlab.measure import LEVEL, Count, judged, measure
from simlab.measure.counts import Chain, Stretch, along, independent, interval, over_time
from simlab.measure.delays import _pareto_normal_quantile
from simlab.measure.losses import both_below
from simlab.measure.parts import runs_of
from simlab.profile import Scenario, load
from tests.profile.texts import FILES, PROFILES


def scenario_of(link, duration="20s", more="", seed=1):
    return Scenario.of(load(f'duration = "{duration}"\n[link]\n{link}\n{more}', "x.toml"), seed=seed)


def rows_of(asked, driven=None, level=LEVEL):
    (rows,) = judged([measure(asked, driven)], level)
    return rows


def off(asked, driven=None):
    return {row.what.partition(",")[0] for row in rows_of(asked, driven) if row.held is False}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PROFILES).as_posix())
def test_every_profile_of_the_catalogue_holds(file):
    # The level is that of the whole family: each profile has its share of it.
    rows = rows_of(Scenario.of(load_file(str(file), {})), level=LEVEL / len(FILES))
    assert rows
    assert [row for row in rows if row.held is not True] == []


MODELS = {
    "bernoulli": 'loss = "5%"',
    "bursts": 'loss = { model = "gilbert-elliott", loss = "8%", burst = 4 }',
    "h and k": 'loss = { model = "gilbert-elliott", p = "5%", r = "30%", h = "20%", k = "99%" }',
    "libwebrtc": 'loss = { model = "gilbert-elliott", loss = "8%", burst = 4, compat = "libwebrtc" }',
    "four states": 'loss = { model = "four-state", p13 = "2%", p31 = "30%", p32 = "20%", p23 = "40%" }',
    "weather": 'loss = { model = "gilbert-elliott", good = "2s", bad = "0.5s", loss_bad = "80%" }',
    "copula": 'loss = { model = "correlated", loss = "20%", correlation = "50%" }',
    "uniform": 'delay = "40ms"\njitter = "30ms"',
    "normal": 'delay = { model = "normal", mean = "40ms", deviation = "10ms" }',
    "pareto": 'delay = { model = "pareto", mean = "40ms", deviation = "20ms", reorder = true }',
    "pareto-normal": 'delay = { model = "pareto-normal", mean = "60ms", deviation = "20ms" }',
    "empirical": 'delay = { model = "empirical", samples = ["10ms", "12ms", "12ms", "30ms", "80ms"] }',
    "rfc8868": 'delay = { model = "rfc8868", mean = "50ms", deviation = "5ms", rate = "5Mbit/s" }',
    "correlated delay": 'delay = { model = "normal", mean = "40ms", deviation = "9ms", correlation = "50%" }',
    "netem": 'delay = { model = "pareto", mean = "9s", deviation = "2s", reorder = true, compat = "netem" }',
    "reorder": 'delay = "20ms"\nreorder = { chance = "25%", gap = 5 }',
    "copies": 'duplicate = "4%"\ndelay = "40ms"\njitter = "30ms"',
    "damage": 'corrupt = "4%"',
    "bits": 'corrupt = { bit_chance = "0.005%" }',
    "some": 'loss = { model = "gilbert-elliott", loss = "8%", burst = 4, only = { match = ["rtp"] } }',
    "in turns": 'repeat = "4s"\nloss = "5%"\n[[link.change]]\nat = "2s"\nloss = "20%"',
}
EXACT_MODELS = {
    "scripted": 'loss = { model = "scripted", pattern = "..x.x" }',
    "rate": 'rate = "300kbit/s"\nqueue = "20kB"',
    "packets": 'rate = "300kbit/s"\nqueue = "12packets"',
    "wait": 'rate = "300kbit/s"\nqueue = "300ms"',
    "ramp": 'rate = "300kbit/s"\n[[link.change]]\nat = "3s"\nramp = "8s"\nrate = "2Mbit/s"\n'
    '[[link.change]]\nat = "9s"\nramp = "2s"\nrate = "200kbit/s"',
    "codel": 'rate = "300kbit/s"\naqm = "codel"',
    "bucket": 'rate = { model = "token-bucket", rate = "300kbit/s", burst = "9kB" }',
    "policer": 'rate = { model = "token-bucket", rate = "300kbit/s", burst = "9kB", police = true }',
    "trace": 'rate = { model = "trace", ms = [0, 7, 7, 40, 95, 110, 112, 150, 150] }',
    # Every fourth opportunity is a rounding error away from a packet of the flow.
    "trace in step": f'rate = {{ model = "trace", ms = {list(range(5, 501, 5))} }}',
    "mtu": 'mtu = "900B"',
    "spike": 'delay = "20ms"\nspike = { every = "3s", for = "500ms", extra = "80ms", at = "1s" }',
    "pause": 'pause = { every = "2s", for = "300ms", at = "1s" }',
    "slot": 'slot = { min = "2ms", max = "10ms", packets = 4, bytes = "20kB" }',
}


@pytest.mark.parametrize("link", (MODELS | EXACT_MODELS).values(), ids=(MODELS | EXACT_MODELS).keys())
def test_each_model_is_measured_and_holds(link):
    rows = rows_of(scenario_of(link))
    assert all(row.held for row in rows)
    assert len({row.what for row in rows}) >= (1 if 'delay = "' in link or "delay = {" in link else 2)


# Seeds are fixed, so this either always passes or never; were they fresh, it would fail once in 10^6.
@pytest.mark.parametrize("link", MODELS.values(), ids=MODELS.keys())
def test_chance_is_allowed_what_it_should_be(link):
    level, rows = 0.2, []
    for seed in range(100, 115):
        findings = measure(scenario_of(link, "6s", seed=seed))
        number = sum(isinstance(finding, Count) for _, finding in findings)
        rows += [row for row in judged([findings], level * number)[0] if row.allowed]
    assert len(rows) >= 30
    wrong = sum(not row.held for row in rows)
    assert wrong <= binom.ppf(1 - 1e-6, len(rows), level)


@pytest.mark.parametrize(
    ("asked", "done", "what"),
    [
        ('loss = "5%"', 'loss = "9%"', {"loss"}),
        (MODELS["bursts"], 'loss = { model = "gilbert-elliott", loss = "8%", burst = 8 }', {"loss"}),
        (MODELS["bursts"], 'loss = "8%"', {"loss"}),
        (MODELS["weather"], 'loss = { model = "gilbert-elliott", good = "1s", bad = "5s" }', {"loss"}),
        (MODELS["four states"], 'loss = "30%"', {"loss"}),
        (EXACT_MODELS["scripted"], 'loss = { model = "scripted", pattern = "..x.xx" }', {"loss"}),
        ('delay = "40ms"', 'delay = "41ms"', {"delay"}),
        (MODELS["uniform"], 'delay = "40ms"\njitter = "20ms"', {"delay"}),
        (MODELS["normal"], 'delay = { model = "normal", mean = "42ms", deviation = "10ms" }', {"delay"}),
        (MODELS["pareto"], MODELS["pareto"].replace("pareto", "normal"), {"delay"}),
        (MODELS["rfc8868"], MODELS["rfc8868"].replace("5ms", "7ms"), {"delay"}),
        (MODELS["reorder"], MODELS["reorder"].replace("gap = 5", "gap = 3"), {"reorder"}),
        ('duplicate = "4%"', 'duplicate = "9%"', {"duplicate"}),
        ('corrupt = "4%"', 'corrupt = "9%"', {"corrupt"}),
        (MODELS["bits"], 'corrupt = { bit_chance = "0.01%" }', {"corrupt"}),
        (EXACT_MODELS["rate"], 'rate = "310kbit/s"\nqueue = "20kB"', {"rate while busy"}),
        (EXACT_MODELS["rate"], 'rate = "300kbit/s"\nqueue = "21kB"', {"queue"}),
        (EXACT_MODELS["packets"], 'rate = "300kbit/s"\nqueue = "11packets"', {"queue"}),
        (EXACT_MODELS["wait"], 'rate = "300kbit/s"\nqueue = "290ms"', {"queue"}),
        (EXACT_MODELS["ramp"], EXACT_MODELS["ramp"].replace('"8s"', '"7s"'), {"rate while busy"}),
        (EXACT_MODELS["codel"], 'rate = "290kbit/s"\naqm = "codel"', {"rate while busy"}),
        (EXACT_MODELS["bucket"], EXACT_MODELS["bucket"].replace("9kB", "12kB"), {"burst"}),
        (
            EXACT_MODELS["bucket"],
            EXACT_MODELS["bucket"].replace("300", "250"),
            {"rate of the tokens while waiting"},
        ),
        (EXACT_MODELS["trace"], EXACT_MODELS["trace"].replace("40", "20"), {"rate of the trace"}),
        ('mtu = "900B"', 'mtu = "1000B"', {"mtu"}),
        (EXACT_MODELS["spike"], EXACT_MODELS["spike"].replace('"80ms"', '"70ms"'), {"spike"}),
        (EXACT_MODELS["pause"], EXACT_MODELS["pause"].replace("300ms", "290ms"), {"pause"}),
        (EXACT_MODELS["slot"], EXACT_MODELS["slot"].replace("packets = 4", "packets = 6"), {"slot"}),
    ],
)
def test_what_is_not_as_asked_is_found(asked, done, what):
    found = off(scenario_of(asked), scenario_of(done))
    assert what <= found, found


@pytest.mark.parametrize("loss", ["10%", "20%"])
def test_a_loss_without_the_correlation_that_was_asked_for_is_found(loss):
    # Few packets are far enough apart to be independent, so this takes a longer flow than the others.
    driven = scenario_of(f'loss = "{loss}"', "180s")
    assert off(scenario_of(MODELS["copula"], "180s"), driven) == {"loss"}


BLACKOUT = '[[fault]]\nkind = "{}"\nat = "5s"\nfor = "{}"\n{}'


@pytest.mark.parametrize(
    ("kind", "more", "what"),
    [("blackout", "", "blackout"), ("block", 'match = ["rtp"]', "block"), ("pause", "", "pause")],
)
def test_faults_are_measured(kind, more, what):
    asked = scenario_of("", more=BLACKOUT.format(kind, "4s", more))
    assert off(asked) == set()
    assert {row.what.partition(",")[0] for row in rows_of(asked)} >= {what}
    assert what in off(asked, scenario_of("", more=BLACKOUT.format(kind, "3.9s", more)))


def test_netems_own_loss_is_shown_and_not_judged():
    link = 'loss = { model = "correlated", loss = "5%", correlation = "50%", compat = "netem" }'
    rows = [row for row in rows_of(scenario_of(link)) if row.what.startswith("loss")]
    assert [row.held for row in rows] == [None, None]


def test_independent_counts_are_binomial():
    np.testing.assert_allclose(independent([(0.03, 400)]), binom.pmf(range(401), 400, 0.03), atol=1e-13)
    mixed = np.convolve(binom.pmf(range(31), 30, 0.2), binom.pmf(range(11), 10, 0.7))
    np.testing.assert_allclose(independent([(0.2, 30), (0.7, 10)]), mixed, atol=1e-13)


P, R, H, K = 0.05, 0.3, 0.2, 0.99
GILBERT = Chain(np.array([[1 - P, P], [R, 1 - R]]), np.array([1 - K, 1 - H]), np.array([1.0, 0.0]))


def step_by_step(chain, runs, start):
    """The same distribution by going through the packets one by one, count by count."""
    at = np.zeros((len(start), sum(runs[::2]) + 1))
    at[:, 0] = start
    for number, run in enumerate(runs):
        for _ in range(run):
            at = chain.moves.T @ at
            if number % 2 == 0:
                lost = np.roll(at * chain.counts[:, None], 1, axis=1)
                at = at * (1 - chain.counts[:, None]) + lost
    return at.sum(axis=0)


@pytest.mark.parametrize("runs", [[60], [1, 3, 20, 40, 5], [0, 7, 33]])
def test_counts_along_a_chain(runs):
    chances = along(GILBERT, [Stretch(GILBERT.start, runs)])
    np.testing.assert_allclose(chances, step_by_step(GILBERT, runs, GILBERT.start), atol=1e-13)
    assert chances.sum() == pytest.approx(1)


def test_two_stretches_add_up():
    one, other = Stretch(GILBERT.start, [20]), Stretch(GILBERT.settled(), [30])
    both = np.convolve(along(GILBERT, [one]), along(GILBERT, [other]))
    np.testing.assert_allclose(along(GILBERT, [one, other]), both, atol=1e-13)


def test_the_variance_of_a_chain_is_that_of_its_formula():
    # Var = [L(1 - L) + 2 D² g b λ / (1 - λ)] / n for many packets, with λ = 1 - p - r; the rest is of the
    # order of 1 / n².
    count = 20_000
    chances = along(GILBERT, [Stretch(GILBERT.settled(), [count])])
    share = np.arange(count + 1) / count
    mean = float(chances @ share)
    bad, memory, difference = P / (P + R), 1 - P - R, (1 - H) - (1 - K)
    loss = bad * (1 - H) + (1 - bad) * (1 - K)
    formula = loss * (1 - loss) + 2 * difference**2 * bad * (1 - bad) * memory / (1 - memory)
    assert mean == pytest.approx(loss, rel=1e-9)
    assert count * float(chances @ (share - mean) ** 2) == pytest.approx(formula, rel=1e-3)


def test_counts_over_time_are_those_of_a_chain_whose_moves_stay():
    chances = over_time([GILBERT.moves] * 40, GILBERT.counts, GILBERT.start)
    np.testing.assert_allclose(chances, step_by_step(GILBERT, [40], GILBERT.start), atol=1e-13)


@pytest.mark.parametrize("level", [0.5, 0.01, 1e-8])
def test_intervals_leave_out_what_is_rare(level):
    chances = binom.pmf(range(101), 100, 0.1)
    low, high = interval(chances, level)
    assert binom.cdf(low - 1, 100, 0.1) <= level / 2 < binom.cdf(low, 100, 0.1)
    assert binom.sf(high, 100, 0.1) <= level / 2 < binom.sf(high - 1, 100, 0.1)


@pytest.mark.parametrize(("chance", "correlation"), [(0.03, 0.25), (0.5, 0.9), (0.2, 0.0)])
def test_the_chance_of_two_in_a_row(chance, correlation):
    quantile = norm.ppf(chance)
    pair = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]])
    assert both_below(chance, correlation) == pytest.approx(pair.cdf([quantile, quantile]), rel=1e-4)


def test_quantiles_of_pareto_normal():
    # By a million draws: the share below a quantile has a deviation of 0.0005 at most; five of them.
    draws = np.random.default_rng(5)
    pareto = 2 / math.sqrt(3) * (draws.random(1_000_000) ** (-1 / 3) - 1.5)
    values = (draws.standard_normal(1_000_000) + 3 * pareto) / math.sqrt(10)
    for share in (0.05, 0.5, 0.95):
        assert np.mean(values <= _pareto_normal_quantile(share)) == pytest.approx(share, abs=0.0025)


@pytest.mark.parametrize(
    ("numbers", "before", "runs"),
    [([0, 1, 2], 0, [3]), ([2, 3, 7], 0, [0, 2, 2, 3, 1]), ([4, 4, 5], 4, [2]), ([], 0, [0])],
)
def test_runs(numbers, before, runs):
    assert runs_of(numbers, before) == runs
