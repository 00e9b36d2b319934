"""What is named twice, and what nothing tells apart: refused before the first session runs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario


def named_twice(profiles: Sequence[str], policies: Sequence[str]) -> Iterator[str]:
    """Say which profiles and policies are named more than once on a command line or in a suite."""
    yield from _repeated("", profiles)
    yield from _repeated("--policy ", policies)


def _repeated(option: str, names: Sequence[str]) -> Iterator[str]:
    for name, number in Counter(names).items():
        if number > 1:
            yield f"{option}{name}: is given {_times(number)}: want it once"


def _times(number: int) -> str:
    return "twice" if number == 2 else f"{number} times"


def same_cells(cells: Iterable[tuple[Profile, Mapping[str, str]]]) -> Iterator[str]:
    """Say which cells nothing tells apart: their sessions would count as those of one, twice as many.

    Parameters
    ----------
    cells
        The profile of each, and the values of the keys that vary.
    """
    labels = [(one.name, one.policy.name, *varied.items()) for one, varied in cells]
    for (profile, policy, *varied), number in Counter(labels).items():
        if number > 1:
            named = [f"profile {profile}", f"policy {policy}", *(f"{key}={value}" for key, value in varied)]
            yield f"{number} cells are {', '.join(named)}: want each once, or other names"


def same_sessions(scenarios: Sequence[Scenario]) -> Iterator[str]:
    """Say which sessions are one and the same; those of one name that differ in anything else are not."""
    labels = Counter((one.profile.name, one.policy_name, one.seed) for one in scenarios)
    alike = [one for one in scenarios if labels[one.profile.name, one.policy_name, one.seed] > 1]
    lines = {one.hash: str(one) for one in alike}
    for found, number in Counter(one.hash for one in alike).items():
        if number > 1:
            yield f"{number} sessions are {lines[found]}: want each once"
