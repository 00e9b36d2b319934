"""Policy files, and the profiles that name one."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from simlab.core.errors import InvalidInputError
from simlab.profile.check import sentences
from simlab.profile.files import Reader
from simlab.profile.nearest import quoted
from simlab.profile.policy import SUFFIX, PolicyKeys
from simlab.profile.text import parsed

DEFAULT_BASE = "pipecat-fixed"
"""What a policy file starts from where it does not say so itself."""

_CONTEXT = {"policy_file": True}


def load_policy(text: str, file: str, policies: Mapping[str, object] | None = None) -> PolicyKeys:
    """Read a policy file and check all of it.

    A policy without a name is called as the file is.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with a sentence for each fault that names the file and the key.
    """
    tables = parsed(text, file)
    stem = file.rpartition("/")[2].removesuffix(SUFFIX)
    try:
        return PolicyKeys.model_validate(
            {"name": stem, "base": DEFAULT_BASE, **tables},
            context={**_CONTEXT, "policies": policies},
        )
    except ValidationError as error:
        told = [told for _, told in sentences(error, tables, PolicyKeys)]
        raise InvalidInputError([f"{file}: {one}" for one in told]) from None


def inlined(
    tables: Mapping[str, Any], file: str, policies: Mapping[str, object] | None, read: Reader | None
) -> tuple[dict[str, Any], list[str]]:
    """Put the keys of a policy file in the place of its name, below those that the profile itself has.

    Parameters
    ----------
    file
        The profile, for messages.

    Returns
    -------
    The tables of the profile, and what is wrong with the file; without ``[policy]`` then.
    """
    policy = tables.get("policy")
    name = policy.get("name") if isinstance(policy, dict) else None
    if not isinstance(name, str) or not name.endswith(SUFFIX) or not isinstance(policy, dict):
        return dict(tables), []
    others = {key: value for key, value in tables.items() if key != "policy"}
    try:
        keys = load_policy(_text_of(name, read), name, policies)
    except InvalidInputError as error:
        return others, list(error.faults)
    except ValueError as error:
        return others, [f"{file}: policy.name is {quoted(name)}, {error}"]
    given = keys.model_dump(by_alias=True, exclude_none=True)
    own = {key: value for key, value in policy.items() if key != "name"}
    return {**others, "policy": {**given, **own}}, []


def _text_of(name: str, read: Reader | None) -> str:
    if read is None:
        reason = "no policy file can be read here"
    else:
        try:
            return read(name)
        except (OSError, UnicodeDecodeError) as error:
            reason = f"which cannot be read: {getattr(error, 'strerror', None) or 'it is not text in UTF-8'}"
    raise ValueError(reason)
