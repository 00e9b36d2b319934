"""The policies that a session follows: that of its scenario, or all those that it stands for."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from simlab.profile.policy import PolicyKeys
from simlab.profile.scenario import Scenario
from simlab.reconnect.alternatives import Alternatives, Choose
from simlab.reconnect.rules import Rules
from simlab.webrtc.policies import rules_of_scenario


@dataclass(frozen=True)
class _Followed:
    """Policies of which a session does not know yet which one it follows."""

    policies: Sequence[PolicyKeys]
    left: Alternatives

    def names(self) -> list[str]:
        """Return the names of those that are left, each once."""
        return list(dict.fromkeys(self.policies[number].name for number in self.left.kept))


_following: ContextVar[_Followed | None] = ContextVar("following", default=None)


@contextmanager
def following(scenarios: Sequence[Scenario], choose: Choose) -> Iterator[Alternatives]:
    """Let the clients of a session follow the policies of several scenarios, which differ in that alone.

    Parameters
    ----------
    choose
        Settles which to go on with, once they want different things.
    """
    policies = [scenario.profile.policy for scenario in scenarios]
    several = Alternatives(_rules_of(scenarios[0], policies), range(len(policies)), choose)
    token = _following.set(_Followed(policies, several))
    try:
        yield several
    finally:
        _following.reset(token)


def _rules_of(client: Scenario, policies: Sequence[PolicyKeys]) -> Callable[[int], Rules]:
    """Return what makes a client's rules by the number of the policy."""
    return lambda number: rules_of_scenario(client.with_policy(policies[number]))


def policies_of_scenario(scenario: Scenario) -> Alternatives:
    """Return the policy that the client of a scenario follows, or those of ``following``.

    Raises
    ------
    ValueError
        If a class that it names is not there.
    """
    rules = rules_of_scenario(scenario)
    followed = _following.get()
    if followed is None:
        return Alternatives(lambda _: rules)
    return followed.left.of_another(_rules_of(scenario, followed.policies))


def names_followed(scenario: Scenario) -> Callable[[], list[str]]:
    """Return what tells the names of the policies that a session stands for, which become fewer."""
    followed = _following.get()
    return (lambda: [scenario.policy_name]) if followed is None else followed.names
