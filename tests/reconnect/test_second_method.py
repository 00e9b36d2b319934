"""The published algorithms once more, written down on their own, against the machine.

Each reference is a plain simulation with its own event loop, from the description of the algorithm alone
(facts of ``docs/policies.md``); it shares no code with the machine but the random draws.
"""

import heapq
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlab.core.rng import stream, uniforms
from simlab.reconnect.actions import GiveUp, StartAttempt
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.reconnector import Reconnector
from simlab.reconnect.rules import Rules

HTTP_S = 0.05


class PublishedClient:
    """smallWebRTCTransport.ts 1.10.8 in the words of its description, with setTimeout and all.

    ``script`` are the ICE states of whatever connection is the current one; ``outcomes`` what becomes of each
    offer: an answer, an error, a refusal, or nothing ever.
    """

    def __init__(self, script, outcomes):
        self.attempts, self.busy, self.ice, self.stopped = 0, False, "new", False
        self.offers_s, self.gave_up_s = [], []
        self.outcomes = iter(outcomes)
        self.queue, self.ties = [], count()
        for at_s, state in script:
            self.later(at_s, self.ice_event, state)

    def later(self, at_s, call, *args):
        heapq.heappush(self.queue, (at_s, next(self.ties), call, args))

    def run(self, until_s):
        while self.queue and self.queue[0][0] <= until_s:
            self.now_s, _, call, args = heapq.heappop(self.queue)
            call(*args)
        return self

    def ice_event(self, state):
        if self.stopped:
            return
        self.ice = state
        if state == "failed":
            self.attempt()
        elif state == "disconnected":
            self.later(self.now_s + 5.0, self.grace_over)

    def grace_over(self):
        if self.ice == "disconnected":
            self.attempt()

    def attempt(self):
        if self.busy:
            return
        if self.attempts >= 3:
            self.stop()
            return
        self.busy = True
        self.attempts += 1
        self.offers_s.append(round(self.now_s, 6))
        outcome = next(self.outcomes, "nothing")
        if outcome != "nothing":
            self.later(
                self.now_s + HTTP_S, {"answer": self.answered, "error": self.error, "429": self.stop}[outcome]
            )

    def answered(self):
        self.attempts, self.busy = 0, False

    def error(self):
        self.busy = False
        self.later(self.now_s + 2.0, self.attempt)

    def stop(self):
        self.gave_up_s.append(round(self.now_s, 6))
        self.attempts, self.busy, self.ice, self.stopped = 0, False, "closed", True


class MachineWorld(PublishedClient):
    """The machine in the same world, with the same script and outcomes."""

    def __init__(self, policy, script, outcomes, seed=1):
        self.machine = Reconnector(Rules(uniforms(stream(seed, "policy")), policy))
        super().__init__(script, outcomes)

    def run(self, until_s):
        while True:
            timer_s = self.machine.next_timer_s()
            event_s = self.queue[0][0] if self.queue else float("inf")
            self.now_s = min(event_s, float("inf") if timer_s is None else timer_s)
            if self.now_s > until_s:
                return self
            if event_s > self.now_s:
                self.do(self.machine.handle_timer(self.now_s))
            else:
                _, _, call, args = heapq.heappop(self.queue)
                call(*args)

    def ice_event(self, state):
        if not self.gave_up_s:  # the transport has no connection any more
            self.do(self.machine.state_changed(state, self.now_s))

    def do(self, actions):
        for action in actions:
            if isinstance(action, GiveUp):
                self.gave_up_s.append(round(self.now_s, 6))
            elif isinstance(action, StartAttempt):
                self.offers_s.append(round(self.now_s, 6))
                outcome = next(self.outcomes, "nothing")
                if outcome != "nothing":
                    self.later(self.now_s + HTTP_S, self.over, outcome)

    def over(self, outcome):
        if outcome == "answer":
            self.do(self.machine.answered(self.now_s))
        else:
            self.do(self.machine.offer_failed(self.now_s, 429 if outcome == "429" else None))


# Steps of 0.3137 s never fall together with 5 s, 2 s or 50 ms, so that nothing hangs on the order of ties.
scripts = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from(["disconnected", "connected", "failed", "checking"])),
    max_size=25,
).map(lambda row: [(sum(n for n, _ in row[: i + 1]) * 0.3137, state) for i, (_, state) in enumerate(row)])
outcomes = st.lists(st.sampled_from(["answer", "error", "error", "error", "429", "nothing"]), max_size=30)


@settings(max_examples=1000)
@given(scripts, outcomes)
def test_pipecats_algorithm_comes_out_as_it_is_described(script, results):
    reference = PublishedClient(script, results).run(600.0)
    machine = MachineWorld(POLICIES["pipecat"], script, results).run(600.0)
    assert machine.offers_s == reference.offers_s
    assert machine.gave_up_s == reference.gave_up_s


def livekit(draws):
    for ms in (0, 300, 1200, 2700, 4800, 7000, 7000, 7000, 7000, 7000):
        yield (next(draws) * 500 if ms == 0 else ms * (0.5 + next(draws))) / 1000


def jitsi(draws):
    for n in count(1):
        low_ms, high_ms = 1500 * n, 3**n * 1000
        yield (next(draws) * (high_ms - low_ms) + low_ms) / 1000


def reconnecting_websocket(draws):
    smallest_ms = 1000 + next(draws) * 4000
    for retry in count(0):
        next(draws)
        yield min(10_000, smallest_ms * 1.3**retry) / 1000


def mediasoup_demo(draws):
    for n in range(10):
        next(draws)
        yield min(8.0, 1.0 * 2**n)


def aws_full_jitter(draws):
    for n in range(9):
        yield next(draws) * min(20.0, 2**n)


def aws_equal_jitter(draws):
    for n in range(9):
        temp_s = min(20.0, 2**n)
        yield temp_s / 2 + next(draws) * (temp_s / 2)


def aws_decorrelated(draws):
    sleep_s = 1.0
    for _ in range(9):
        sleep_s = min(20.0, 1.0 + next(draws) * (sleep_s * 3 - 1.0))
        yield sleep_s


@pytest.mark.parametrize(
    ("formula", "first_waits", "grace_s"),
    [
        (livekit, True, 0.0),
        (jitsi, False, 2.0),
        (reconnecting_websocket, True, 0.0),
        (mediasoup_demo, False, 0.0),
        (aws_full_jitter, False, 0.0),
        (aws_equal_jitter, False, 0.0),
        (aws_decorrelated, False, 0.0),
    ],
)
@pytest.mark.parametrize("seed", range(20))
def test_failing_offers_follow_each_other_as_the_projects_own_formulas_say(
    formula, first_waits, grace_s, seed
):
    name = formula.__name__.replace("_", "-")
    offers_s = MachineWorld(POLICIES[name], [(1.0, "failed")], ["error"] * 100, seed).run(60.0).offers_s
    draws = uniforms(stream(seed, "policy"))
    if not first_waits:
        next(draws)  # the machine draws for the first attempt too, which does not wait
    expected_s, now_s = [], 1.0 + grace_s
    waits_s = formula(draws)
    if not first_waits:
        expected_s.append(now_s)
        now_s += HTTP_S
    for wait_s in waits_s:
        now_s += wait_s
        if now_s > 60.0:
            break
        expected_s.append(now_s)
        now_s += HTTP_S
    assert offers_s == pytest.approx(expected_s, abs=2e-6)
