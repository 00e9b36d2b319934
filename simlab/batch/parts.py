"""A part of a night: the sessions of one cell, and whether it can be compared with another night's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from simlab.batch.plan import PlannedCell
from simlab.batch.settings import hash_of_network, settings_of, terms_of
from simlab.profile.model import Profile
from simlab.profile.suite_tables import Sweep


@dataclass(frozen=True)
class Part:
    """The sessions of one cell of a sweep.

    Parameters
    ----------
    numbers
        Those of its sessions in the plan, seed by seed.
    varied
        The values of the keys that vary.
    profile
        As the suite names it.
    network
        A hash of what the profile says but for the policy: as long as it is the same, nights can be compared.
    settings
        The same in words, by dotted keys, with the clock and the content of the files that it names.
    ran
        The profile with everything filled in.
    """

    labels: Mapping[str, str]
    numbers: range
    varied: Mapping[str, str]
    profile: str
    network: str
    settings: Mapping[str, str]
    ran: Profile = field(repr=False)

    @cached_property
    def terms(self) -> Mapping[str, str]:
        """Every term of its policy."""
        return terms_of(self.ran.policy)


def part_of(sweep: Sweep, name: str, number: int, cell: PlannedCell, settings: Mapping[str, str]) -> Part:
    """Return the part of a sweep that is one cell of its plan.

    Parameters
    ----------
    name
        The profile, as the suite names it.
    number
        Which cell of the plan it is.
    settings
        Dotted keys and values over the profile's, but for those that vary.
    """
    labels = {
        "sweep": sweep.name,
        "profile": cell.profile.name,
        "policy": cell.profile.policy.name,
        **cell.varied,
    }
    numbers = range(number * sweep.seeds, (number + 1) * sweep.seeds)
    laid = {**settings, **cell.varied}
    known = hash_of_network(name, laid), settings_of(name, laid, cell.profile.clock)
    return Part(labels, numbers, cell.varied, name, *known, cell.profile)
