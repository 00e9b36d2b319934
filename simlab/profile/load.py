"""From TOML text to a checked profile."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from simlab.core.errors import InvalidInputError
from simlab.profile.check import sentences
from simlab.profile.faulty import Path
from simlab.profile.files import Reader
from simlab.profile.model import NAME_PATTERN, Profile
from simlab.profile.overrides import apply, dotted, how_to_write
from simlab.profile.policy_file import inlined
from simlab.profile.text import LONGEST_TEXT, parsed

_NOTHING: Mapping[str, str] = {}


def load(
    text: str,
    file: str,
    overrides: Mapping[str, str] = _NOTHING,
    *,
    policies: Mapping[str, object] | None = None,
    read: Reader | None = None,
) -> Profile:
    """Read a profile and check all of it.

    Parameters
    ----------
    text
        TOML.
    file
        What to call it in messages. A profile without a name is named after it.
    overrides
        Dotted keys (``link.up.delay``, ``fault[0].for``) and the text of their values, over the file's own.
    policies
        Those that exist, and their terms; None checks neither the name nor what it comes to.
    read
        Returns the text of a file that the profile names (a trace, measured delays), and raises OSError where
        it cannot; None refuses such names.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with a sentence for each fault that names the file (or ``--set``) and the key.
    """
    return checked(parsed(text, file), file, overrides, policies=policies, read=read)


def checked(
    tables: dict[str, Any],
    file: str,
    overrides: Mapping[str, str] = _NOTHING,
    *,
    policies: Mapping[str, object] | None = None,
    read: Reader | None = None,
) -> Profile:
    """Check the tables of a profile as ``load`` does; they may be changed by it.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with a sentence for each fault.
    """
    origins, faults = apply(tables, overrides)
    tables, found = inlined(tables, file, policies, read)
    faults += found
    profile: Profile | None = None
    context = {"policies": policies, "read": read, "overridden": origins}
    try:
        profile = Profile.model_validate({"name": _name_of(file), **tables}, context=context)
    except ValidationError as error:
        faults += [_placed(path, told, file, origins, overrides) for path, told in sentences(error, tables)]
    if profile is None or faults:
        raise InvalidInputError(faults)
    return profile


def _name_of(file: str) -> str:
    stem = file.rpartition("/")[2].removesuffix(".toml")
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub("[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:64]
    return stem if re.fullmatch(NAME_PATTERN, stem) else name or "unnamed"


def _placed(
    path: Path, told: str, file: str, origins: Mapping[Path, str], overrides: Mapping[str, str]
) -> str:
    for length in range(len(path), 0, -1):
        key = origins.get(path[:length])
        if key is not None:
            told += how_to_write(overrides[key], told)
            return f"--set {told}" if key == dotted(path) else f"--set {key}: {told}"
    return f"{file}: {told}"


__all__ = ["LONGEST_TEXT", "checked", "load"]
