"""``--set policy.KEY``: the overrides of ``[policy]``, in whatever policy a session follows."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from simlab.core.errors import InvalidInputError
from simlab.profile.load import checked
from simlab.profile.model import Profile
from simlab.profile.overrides import parse_key
from simlab.profile.policy import PolicyKeys
from simlab.profile.scenario import Scenario
from simlab.reconnect.idle import idle_terms
from simlab.reconnect.policy import POLICIES
from simlab.webrtc.policies import rules_of_scenario

_TABLE = "policy"
_WHICH = ("policy", "policy.name", "policy.base")
_TERMS = {field.alias or name: name for name, field in PolicyKeys.model_fields.items()}


def parted(overrides: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the overrides of ``[policy]``, and the others."""
    terms = {key: value for key, value in overrides.items() if _is_term(key)}
    return terms, {key: value for key, value in overrides.items() if key not in terms}


def _is_term(key: str) -> bool:
    return key.partition(".")[0] == _TABLE


def with_terms(policy: PolicyKeys, terms: Mapping[str, str]) -> PolicyKeys:
    """Lay overrides over the keys of a policy.

    Parameters
    ----------
    terms
        Dotted keys, such as ``policy.grace``, and the text of their values.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with a sentence for each fault.
    """
    if not terms:
        return policy
    tables = {_TABLE: policy.model_dump(by_alias=True, exclude_none=True)}
    return checked(tables, f"--policy {policy.name}", terms, policies=POLICIES).policy


def faults_of_terms(policies: Iterable[PolicyKeys], terms: Mapping[str, str]) -> list[str]:
    """Return what is wrong with overrides that are to be laid over each of the policies of ``--policy``."""
    which = [key for key in terms if key in _WHICH]
    faults = [f"--set {key}: --policy says which policy it is, want one of the two" for key in which]
    for policy in () if faults else policies:
        try:
            with_terms(policy, terms)
        except InvalidInputError as error:
            faults += error.faults
    return faults


def without_idle(profile: Profile, below: PolicyKeys, keys: Iterable[str]) -> Profile:
    """Return a profile in which those overrides that change nothing in its policy are as below them."""
    typed = {_term_of(key) for key in keys}
    left = {term: getattr(below, term) for term in _reasons(profile) if term in typed} if typed else {}
    policy = profile.policy.model_copy(update=left)
    return profile.model_copy(update={"policy": policy}) if left else profile


def idle(profiles: Collection[Profile], keys: Iterable[str], varied: Collection[str] = ()) -> Iterator[str]:
    """Say which overrides of ``[policy]`` change nothing, whatever else varies.

    One that stays the same changes nothing in any of the policies. One that varies is told for each policy
    in which it changes nothing, since that would have the same sessions once for each value.

    Parameters
    ----------
    profiles
        Those of all cells, with their policies.
    keys
        Those of the overrides.
    varied
        Those among them that vary.
    """
    policies, found = _idle(profiles, keys)
    for (name, key), reason in found.items():
        told = f"--set {key}: changes nothing in the policy {name}, since {reason}"
        if key in varied:
            yield f"{told}: each value would count its sessions again"
        elif all((other, key) in found for other in policies):
            yield told


def partly_idle(profiles: Collection[Profile], keys: Iterable[str]) -> list[str]:
    """Say which overrides change something in some of the policies alone; the others are left as they are."""
    policies, found = _idle(profiles, keys)
    return [
        f"{key} changes nothing in the policy {name}, which stays as it is: {reason}"
        for (name, key), reason in found.items()
        if not all((other, key) in found for other in policies)
    ]


def same_in_part(profiles: Iterable[Profile], varied: Mapping[str, Sequence[str]]) -> list[str]:
    """Say where keys of ``[policy]`` that vary change nothing, beside others with which they do.

    Parameters
    ----------
    profiles
        Those of all cells, with their policies.
    varied
        The values of the keys that vary.
    """
    typed = {
        key: (_term_of(key), len(values))
        for key, values in varied.items()
        if _is_term(key) and len(values) > 1
    }
    return list(
        dict.fromkeys(
            f"{key} changes nothing in the policy {one.policy.name} where {reasons[term]}: "
            f"its {number} values have the same sessions there"
            for one in (profiles if typed else ())
            for reasons in [_reasons(one)]
            for key, (term, number) in typed.items()
            if term in reasons
        )
    )


def _idle(
    profiles: Collection[Profile], keys: Iterable[str]
) -> tuple[Collection[str], dict[tuple[str, str], str]]:
    """Return the policies by name, and why a key changes nothing in any cell of one, by policy and key."""
    typed = {key: _term_of(key) for key in keys if _is_term(key)}
    of_policy: dict[str, list[Mapping[str, str]]] = {}
    for one in profiles if typed else ():
        of_policy.setdefault(one.policy.name, []).append(_reasons(one))
    return of_policy, {
        (name, key): reasons[0][term]
        for name, reasons in of_policy.items()
        for key, term in typed.items()
        if all(term in one for one in reasons)
    }


def _term_of(key: str) -> str:
    path = parse_key(key)
    return _TERMS.get(str(path[1]), "") if len(path) > 1 else ""


def _reasons(profile: Profile) -> Mapping[str, str]:
    policy = profile.policy
    # What a class in Python makes of its terms cannot be seen from here.
    return {} if policy.is_code else idle_terms(rules_of_scenario(Scenario(profile)).terms)
