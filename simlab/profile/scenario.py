"""A scenario: all that a session needs, settled and frozen."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import tomli_w

from simlab.core.errors import InvalidInputError
from simlab.core.rng import stream
from simlab.profile.model import Clock, Profile
from simlab.profile.policy import PolicyKeys
from simlab.profile.policy_words import told
from simlab.profile.units import duration_text
from simlab.profile.weather import settle


@dataclass(frozen=True)
class Scenario:
    """A profile whose policy, seed and clock are the ones that the session runs with.

    ``load`` of ``to_toml()`` gives the same profile again, so a saved scenario is itself a profile that
    runs as it stands.
    """

    profile: Profile

    @staticmethod
    def of(
        profile: Profile,
        *,
        policy_name: str | None = None,
        policy: PolicyKeys | None = None,
        seed: int | None = None,
        clock: Clock | None = None,
    ) -> "Scenario":
        """Settle a profile; what is None stays as the profile has it.

        A policy given here takes the place of the profile's, together with what the profile changed in it;
        its own name alone changes nothing.
        The profile's weather is drawn from the seed, and becomes faults.

        Raises
        ------
        InvalidInputError
            If the seed is negative or needs more than 63 bits, or the weather draws too many faults.
        """
        changes: dict[str, object] = {}
        if policy_name is not None and policy_name != profile.policy.name:
            changes["policy"] = PolicyKeys(name=policy_name)
        if policy is not None:
            changes["policy"] = policy
        if seed is not None:
            if not 0 <= seed < 2**63:
                raise InvalidInputError([f"seed is {seed}, want 0 or more and less than 2^63"])
            changes["seed"] = seed
        if clock is not None:
            changes["clock"] = clock
        if profile.weather:
            changes |= {"faults": settle(profile, profile.seed if seed is None else seed), "weather": ()}
        return Scenario(profile.model_copy(update=changes))

    def of_client(self, number: int) -> "Scenario":
        """Return the scenario of one of several clients: the same, but for what is drawn from the seed.

        Parameters
        ----------
        number
            From 1; the first one has the luck that it would have alone.
        """
        if number == 1:
            return self
        seed = int(stream(self.seed, "client", str(number)).integers(2**63))
        return Scenario(self.profile.model_copy(update={"seed": seed}))

    def with_policy(self, policy: PolicyKeys) -> "Scenario":
        """Return the same with another policy."""
        return Scenario(self.profile.model_copy(update={"policy": policy}))

    @property
    def policy_name(self) -> str:
        """Which reconnection policy the client follows."""
        return self.profile.policy.name

    @property
    def policy_told(self) -> str:
        """The policy, with what is changed in it: ``"livekit (max_attempts=10)"``."""
        return told(self.profile.policy)

    @property
    def seed(self) -> int:
        """Where everything random comes from."""
        return self.profile.seed

    @property
    def clock(self) -> Clock:
        """Which clock the session runs under."""
        return self.profile.clock

    def to_toml(self) -> str:
        """Return the scenario as a profile, with every default filled in."""
        return tomli_w.dumps(self.profile.to_toml())

    @cached_property
    def hash(self) -> str:
        """BLAKE2b of ``to_toml()``, 16 hexadecimal digits: the same for the same scenario, on any machine."""
        return hashlib.blake2b(self.to_toml().encode(), digest_size=8).hexdigest()

    def __str__(self) -> str:
        return self.line([self.policy_told])

    def line(self, policies: Sequence[str]) -> str:
        """Return it in a line, with the policies that a session of it stands for."""
        named = ("policy " if len(policies) == 1 else "policies ") + ", ".join(policies)
        lasts = duration_text(self.profile.duration_s)
        return f"{self.profile.name}, {named}, seed {self.seed}, {self.clock} clock, {lasts}"
