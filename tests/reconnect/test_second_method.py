"""The published algorithms once more, written down on their own as coroutine-like scripts, against the machine.

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
            self.later(self.now_s + HTTP_S, {"answer": self.answered, "error": self.error, "429": self.stop}[outcome])

    def answered(self):
        self.attempts, self.busy = 0, False

    def error(self):
        self.busy = False
        self.later(self.now_s + 2.0, self.attempt)

    def stop(self):
        self.gave_up_s.append(round(self.now_s, 6))
        self.attempts, self.busy, self.ice, self.stopped = 0, False, "closed", True


def machine_times(policy, script, outcomes, until_s, seed=1, watch_state=True):
    """Return when the machine makes offers and gives up, in the same world."""
    machine = Reconnector(Rules(uniforms(stream(seed, "policy")), policy))
    queue, ties, outcomes = [], count(), iter(outcomes)
    offers_s, gave_up_s = [], []
    for at_s, state in script:
        heapq.heappush(queue, (at_s, next(ties), "state", state))

    def do(actions, now_s):
        for action in actions:
            if isinstance(action, StartAttempt):
                offers_s.append(round(now_s, 6))
                outcome = next(outcomes, "nothing")
                if outcome != "nothing":
                    heapq.heappush(queue, (now_s + HTTP_S, next(ties), "offer", outcome))
            elif isinstance(action, GiveUp):
                gave_up_s.append(round(now_s, 6))

    while True:
        timer_s = machine.next_timer_s()
        event_s = queue[0][0] if queue else float("inf")
        now_s = min(event_s, float("inf") if timer_s is None else timer_s)
        if now_s > until_s:
            return offers_s, gave_up_s
        if event_s > now_s:
            do(machine.handle_timer(now_s), now_s)
            continue
        _, _, kind, what = heapq.heappop(queue)
        if kind == "state":
            if not gave_up_s:  # the transport has no connection any more
                do(machine.state_changed(what, now_s), now_s)
        elif what == "answer":
            do(machine.answered(now_s), now_s)
        else:
            do(machine.offer_failed(now_s, 429 if what == "429" else None), now_s)


# Steps of 0.3137 s never fall together with 5 s, 2 s or 50 ms, so that nothing hangs on the order of ties.
scripts = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from(["disconnected", "connected", "failed", "checking"])),
    max_size=25,
).map(lambda row: [(sum(n for n, _ in row[: i + 1]) * 0.3137, state) for i, (_, state) in enumerate(row)])
outcomes = st.lists(st.sampled_from(["answer", "error", "error", "error", "429", "nothing"]), max_size=30)


@settings(max_examples=1000, deadline=None)
@given(scripts, outcomes)
def test_pipecats_algorithm_comes_out_as_it_is_described(script, results):
    reference = PublishedClient(script, results).run(600.0)
    offers_s, gave_up_s = machine_times(POLICIES["pipecat"], script, results, 600.0)
    assert offers_s == reference.offers_s
    assert gave_up_s == reference.gave_up_s


def waits_of(name, draws):
    """Yield the waits between failing tries as each project's own code would compute them, in seconds."""
    if name == "livekit":
        for ms in (0, 300, 1200, 2700, 4800, 7000, 7000, 7000, 7000, 7000):
            yield (next(draws) * 500 if ms == 0 else ms * (0.5 + next(draws))) / 1000
    elif name == "jitsi":
        for n in count(1):
            low_ms, high_ms = 1500 * n, 3**n * 1000
            yield (next(draws) * (high_ms - low_ms) + low_ms) / 1000
    elif name == "reconnecting-websocket":
        smallest_ms = 1000 + next(draws) * 4000
        for retry in count(0):
            next(draws)
            yield min(10_000, smallest_ms * 1.3**retry) / 1000
    elif name == "mediasoup-demo":
        for n in range(10):
            next(draws)
            yield min(8.0, 1.0 * 2**n)
    else:
        cap_s, base_s, sleep_s = 20.0, 1.0, 1.0
        for n in range(9):
            temp_s = min(cap_s, base_s * 2**n)
            draw = next(draws)
            if name == "aws-full-jitter":
                yield draw * temp_s
            elif name == "aws-equal-jitter":
                yield temp_s / 2 + draw * (temp_s / 2)
            else:
                sleep_s = min(cap_s, base_s + draw * (sleep_s * 3 - base_s))
                yield sleep_s


@pytest.mark.parametrize(
    ("name", "first_waits", "grace_s"),
    [
        ("livekit", True, 0.0),
        ("jitsi", False, 2.0),
        ("reconnecting-websocket", True, 0.0),
        ("mediasoup-demo", False, 0.0),
        ("aws-full-jitter", False, 0.0),
        ("aws-equal-jitter", False, 0.0),
        ("aws-decorrelated", False, 0.0),
    ],
)
@pytest.mark.parametrize("seed", range(20))
def test_failing_offers_follow_each_other_as_the_projects_own_formulas_say(name, first_waits, grace_s, seed):
    offers_s, _ = machine_times(POLICIES[name], [(1.0, "failed")], ["error"] * 100, 60.0, seed)
    draws = uniforms(stream(seed, "policy"))
    if not first_waits:
        next(draws)  # the machine draws for the first attempt too, which does not wait
    expected_s, now_s = [], 1.0 + grace_s
    waits_s = waits_of(name, draws)
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
