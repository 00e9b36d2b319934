"""``--set policy.KEY``: the overrides of ``[policy]``, in whatever policy a session follows."""

from collections.abc import Collection, Iterable, Iterator, Mapping

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


def idle(profiles: Collection[Profile], keys: Iterable[str]) -> Iterator[str]:
    """Say which overrides of ``[policy]`` change nothing in a policy, whatever else varies.

    Parameters
    ----------
    profiles
        Those of all cells, with their policies.
    keys
        Those of the overrides.
    """
    typed = [key for key in keys if _is_term(key)]
    if not typed:
        return
    reasons = [(one.policy.name, _reasons(one)) for one in profiles]
    for name in dict.fromkeys(name for name, _ in reasons):
        of_policy = [found for policy, found in reasons if policy == name]
        for key in typed:
            found = [one.get(_term_of(key)) for one in of_policy]
            if all(found):
                yield f"--set {key}: changes nothing in the policy {name}, since {found[0]}"


def _term_of(key: str) -> str:
    path = parse_key(key)
    return _TERMS.get(str(path[1]), "") if len(path) > 1 else ""


def _reasons(profile: Profile) -> Mapping[str, str]:
    policy = profile.policy
    # What a class in Python makes of its terms cannot be seen from here.
    is_code = policy.base is None and ":" in policy.name
    return {} if is_code else idle_terms(rules_of_scenario(Scenario(profile)).terms)
