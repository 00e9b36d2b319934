"""From what a profile says of its policy to the rules that a client follows."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from math import inf

from simlab.core.rng import stream, uniforms
from simlab.profile.behaviour import ClientBehaviour
from simlab.profile.model import Client
from simlab.profile.policy import PolicyKeys
from simlab.profile.scenario import Scenario
from simlab.reconnect.alternatives import Alternatives
from simlab.reconnect.decisions import broken_by
from simlab.reconnect.liveness import ChromiumLiveness
from simlab.reconnect.liveness_consent import AioiceLiveness, FirefoxLiveness
from simlab.reconnect.liveness_model import Liveness
from simlab.reconnect.liveness_silence import MEDIA_SILENCE_S, MISSED_PINGS, SilenceLiveness, ping_liveness
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.rules import Rules
from simlab.reconnect.terms import Attempt, Policy
from simlab.webrtc.limits import ClientLimits
from simlab.webrtc.named import IN_MAIN, MAIN

MENDED = Policy("mended", "")

FOLLOWING = (
    "answer_timeout_s",
    "counter_reset",
    "keep_grace",
    "keep_retries",
    "close_old",
    "abandon_when_healed",
    "final_statuses",
    "transient_statuses",
    "outlast_disconnect",
)
"""The terms that ``[client.behaviour]`` decides in a policy that follows the client."""


def as_client(policy: Policy, behaviour: ClientBehaviour) -> Policy:
    """Return a policy with the faults of a client's behaviours, if it follows the client; else as it is."""
    if not policy.follow_client:
        return policy
    wrong = behaviour
    closes_always = wrong.close_old_after_failed_offer
    return replace(
        policy,
        follow_client=False,
        answer_timeout_s=inf if wrong.wait_for_answer_for_ever else MENDED.answer_timeout_s,
        counter_reset="answer" if wrong.reset_attempts_by_answer else "connected",
        keep_grace=wrong.keep_grace_after_recovery,
        keep_retries=wrong.keep_retry_after_giving_up,
        close_old="tried" if closes_always else "answered",
        abandon_when_healed=not closes_always,
        final_statuses=() if wrong.retry_after_refusal else MENDED.final_statuses,
        transient_statuses=() if wrong.transient_refusal_is_final else MENDED.transient_statuses,
        outlast_disconnect=wrong.reconnect_after_disconnect,
    )


def draws_of(seed: int) -> Iterator[float]:
    """Return the draws of a session's policy, which are the same for every policy and shift nobody else's."""
    return uniforms(stream(seed, "policy"))


def alternatives_of(
    policy: Policy | Rules | Alternatives, behaviour: ClientBehaviour, seed: int
) -> Alternatives:
    """Return what a client with these behaviours follows, which as a rule is one policy."""
    if isinstance(policy, Alternatives):
        return policy
    if isinstance(policy, Rules):
        return Alternatives(lambda _: policy)
    return Alternatives(lambda _: Rules(draws_of(seed), as_client(policy, behaviour)))


def find_rules(name: str) -> type[Rules]:
    """Return the class that ``MODULE:NAME`` names; modules are looked for in the working directory, too.

    Raises
    ------
    ValueError
        If there is none; the message says why.
    """
    module_name, _, class_name = name.partition(":")
    if module_name == MAIN:
        raise ValueError(IN_MAIN)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(import_module(module_name), class_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # what the module itself imports is missing
        raise ValueError(f"there is no module {error.name}") from None
    except AttributeError:
        raise ValueError(f"there is no {class_name} in {module_name}") from None
    if not (isinstance(found, type) and issubclass(found, Rules)):
        raise ValueError("want a subclass of simlab.reconnect.rules.Rules")  # noqa: TRY004 - a user's mistake
    return found


def changed(policy: Policy, keys: PolicyKeys) -> Policy:
    """Return a policy with the terms that a profile changes in it."""
    terms = keys.terms()
    if "actions" in terms:
        terms["actions"] = tuple(map(Attempt, terms["actions"]))
    return replace(policy, **terms)


def rules_of_scenario(scenario: Scenario) -> Rules:
    """Return the rules that the client of a scenario follows.

    Raises
    ------
    ValueError
        If a class that it names is not there.
    PolicyBrokenError
        If it raises.
    """
    keys, behaviour = scenario.profile.policy, scenario.profile.client.behaviour
    made: type[Rules] = Rules
    if keys.is_code:
        made = find_rules(keys.name)
        named = made.policy
    else:
        named = POLICIES[keys.base or keys.name]
    follows = named.follow_client if keys.follow_client is None else keys.follow_client
    # What the profile says of the policy goes before what it says of the client.
    policy = changed(as_client(replace(named, follow_client=follows), behaviour), keys)
    try:
        return made(draws_of(scenario.seed), replace(policy, name=keys.name))
    except Exception as error:
        if made is Rules:
            raise  # a bug in simlab
        raise broken_by(error, keys.name, made) from error


def liveness_of(client: Client, seed: int) -> Callable[[], Liveness]:
    """Return what makes the model of liveness of a client's connections.

    Their draws are from one stream, which nobody else draws from.
    """
    draws = uniforms(stream(seed, "liveness"))
    silence_s = MEDIA_SILENCE_S if client.media_silence_s is None else client.media_silence_s
    missed = MISSED_PINGS if client.missed_pings is None else client.missed_pings
    made: dict[str, Callable[[], Liveness]] = {
        "chromium": ChromiumLiveness,
        "firefox": lambda: FirefoxLiveness(draws),
        "aioice": lambda: AioiceLiveness(draws),
        "media": lambda: SilenceLiveness(silence_s),
        "ping": lambda: ping_liveness(missed, ClientLimits.of(client).ping_interval_s),
    }
    return made[client.liveness]
