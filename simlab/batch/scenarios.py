"""From what a user names - files, policies, seeds, overrides - to scenarios."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simlab import store
from simlab.batch.files import text_beside, text_of
from simlab.batch.peers import check_peers
from simlab.batch.policies import policy_keys, why_not_python
from simlab.batch.terms import faults_of_terms, idle, parted, with_terms, without_idle
from simlab.batch.twice import named_twice, same_sessions
from simlab.core.errors import InvalidInputError
from simlab.profile.catalogue import SUFFIX, family_of, key_of, matching, nearest
from simlab.profile.load import load
from simlab.profile.model import Clock, Profile
from simlab.profile.nearest import quoted
from simlab.profile.policy import PolicyKeys
from simlab.profile.scenario import Scenario
from simlab.profile.suite import is_suite
from simlab.reconnect.policy import POLICIES

CATALOGUE = Path("profiles")
"""Where a profile that is named without a path is looked for first, in the working directory."""

BUILT_IN = Path(__file__).parents[1] / "catalogue"
"""The catalogue that comes with the package: the same files as ``profiles/`` of the repository."""


@dataclass(frozen=True)
class Wanted:
    """What sessions to run: each profile with each policy and each seed.

    Parameters
    ----------
    profiles
        Files, or names of the catalogue.
    policies
        Names, files, or classes as ``MODULE:NAME``; without one, each profile's own.
    seed, clock
        None leaves them as the profile has them.
    seeds
        How many, from ``seed`` on.
    overrides
        Dotted keys of the profile, and the text of their values; those of ``[policy]`` are of every policy.
    """

    profiles: Sequence[str]
    policies: Sequence[str] = ()
    seed: int | None = None
    seeds: int = 1
    clock: Clock | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)


def scenarios(wanted: Wanted) -> list[Scenario]:
    """Return the scenarios, profile by profile, policy by policy, seed by seed.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with every fault of every profile, or two sessions are the same.
    """
    profiles = settled(wanted)
    found = [
        Scenario.of(profile, seed=profile.seed + number)
        for profile in profiles
        for number in range(wanted.seeds)
    ]
    if faults := [*same_sessions(found), *idle(profiles, wanted.overrides)]:
        raise InvalidInputError(faults)
    check_peers(found)
    return found


def settled(wanted: Wanted, varied: Collection[str] = ()) -> list[Profile]:
    """Return each profile with each policy, the clock and the first seed; its weather is not drawn yet.

    Overrides of ``[policy]`` that change nothing in a policy are left out there, but for those that vary.

    Raises
    ------
    InvalidInputError
        If anything is wrong or named twice, with every fault of every profile.
    """
    policies, faults = _policies(wanted.policies)
    faults += named_twice(wanted.profiles, wanted.policies)
    terms, others = parted(wanted.overrides) if wanted.policies else ({}, wanted.overrides)
    faults += faults_of_terms(policies or (PolicyKeys(),), terms)
    profiles, found = load_all(wanted.profiles, others)
    faults += found
    if faults:
        raise InvalidInputError(list(dict.fromkeys(faults)))
    fixed = [key for key in terms if key not in varied]
    return [
        without_idle(profile, below, fixed)
        for one in profiles
        for profile, below in _of(one, policies, terms, wanted)
    ]


def _policies(names: Iterable[str]) -> tuple[list[PolicyKeys], list[str]]:
    policies: list[PolicyKeys] = []
    faults: list[str] = []
    for name in names:
        try:
            policies.append(policy_keys(name))
        except InvalidInputError as error:
            faults += error.faults
    return policies, faults


def _of(
    profile: Profile, policies: Sequence[PolicyKeys], terms: Mapping[str, str], wanted: Wanted
) -> Iterator[tuple[Profile, PolicyKeys]]:
    """Return a profile with each policy, and the policy without the overrides."""
    given = {"seed": wanted.seed, "clock": wanted.clock}
    changes = {name: value for name, value in given.items() if value is not None}
    for policy in policies or (profile.policy,):
        # The profile's own policy by its name keeps what the profile changes in it.
        own = policy == PolicyKeys(name=profile.policy.name)
        below = profile.policy if own else policy
        yield profile.model_copy(update={**changes, "policy": with_terms(below, terms)}), below


def load_all(
    names: Iterable[str], overrides: Mapping[str, str], *, imports: bool = True
) -> tuple[list[Profile], list[str]]:
    """Load profiles, and return those that are right, and what is wrong with the others."""
    profiles: list[Profile] = []
    faults: list[str] = []
    for name in names:
        try:
            profiles.append(load_file(name, overrides, imports=imports))
        except InvalidInputError as error:
            faults += error.faults
    return profiles, faults


def load_file(name: str, overrides: Mapping[str, str], *, imports: bool = True) -> Profile:
    """Load a profile by its file, or by its name in the catalogue.

    Files that it names are looked for beside it.

    Parameters
    ----------
    imports
        Whether to import a policy in Python that it names, to see whether it is one.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or is wrong.
    """
    path = find(name)
    text = text_of(path, "a profile")
    if is_suite(text):
        raise InvalidInputError([f"{path}: is a suite for simlab nightly, want a profile"])
    profile = load(
        text,
        str(path),
        overrides,
        policies=POLICIES,
        read=lambda file: text_beside(path, file),
    )
    policy = profile.policy
    reason = why_not_python(policy.name) if policy.is_code and imports else None
    if reason:
        raise InvalidInputError([f"{path}: policy.name is {quoted(policy.name)}, {reason}"])
    return profile


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError as error:  # its name is too long, which Path.exists() does not tell from Python 3.14 on
        raise InvalidInputError([f"{quoted(str(path))}: {store.reason(error)}"]) from error
    return True


def find(name: str) -> Path:
    """Return the file of a profile: the path itself, or a profile of that name in the catalogue.

    Raises
    ------
    InvalidInputError
        If there is neither, or the catalogue has several of that name.
    """
    if "\n" in name and not os.path.isfile(name):  # Path.is_file raises where the text is too long for a name
        raise InvalidInputError(
            [f"{quoted(name)}: want the name of a profile or of a file, not what is in it"]
        )
    path = Path(name)
    is_there = _is_there(path)
    if name and (path.is_file() or (is_there and path.name != name)):
        return path
    files = catalogue()
    found = matching(name, files)
    if len(found) > 1:
        raise InvalidInputError(
            [f"{name}: there are {len(found)} of that name, say which: {', '.join(found)}"]
        )
    if found:
        return files[found[0]]
    if name and is_there:
        return path
    near = nearest(name.removeprefix(f"{CATALOGUE}/"), files)
    hint = f', did you mean "{_as_typed(near, files[near])}"?' if near else ""
    raise InvalidInputError([f"{name or quoted(name)}: there is no such file{hint}"])


def _as_typed(key: str, file: Path) -> str:
    return key if file.is_relative_to(BUILT_IN) else str(file)


def catalogue() -> dict[str, Path]:
    """Return the files of the catalogue by their keys: those in no family first, then family by family.

    They are those of the package, and those of ``profiles/`` in the working directory, which come before
    them. Suites are none.
    """
    files = {key: file for folder in (BUILT_IN, CATALOGUE) for key, file in _files_in(folder)}
    return dict(sorted(files.items(), key=lambda item: (family_of(item[0]), item[0])))


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    for pattern in (f"*{SUFFIX}", f"*/*{SUFFIX}"):
        for file in folder.glob(pattern):
            if not suite_at(file):
                yield key_of(file.relative_to(folder).as_posix()), file


def suite_at(file: Path) -> bool:
    """Tell whether a file is a suite and no profile; one that cannot be read is none."""
    try:
        return is_suite(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False
