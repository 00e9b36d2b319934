"""The catalogue: profiles in folders by family, and how one is found by its name.

A profile is known by its path below the catalogue without ``.toml``: ``nlc/3g``, or ``flaky`` for one that
is in no family.
"""

from collections.abc import Iterable
from difflib import get_close_matches

SUFFIX = ".toml"


def key_of(path: str) -> str:
    """Return what a profile is known by.

    Parameters
    ----------
    path
        Of its file below the catalogue, with ``/`` between its parts.
    """
    return path.removesuffix(SUFFIX)


def family_of(key: str) -> str:
    """Return the folder that a profile is in; empty for one that is in none."""
    return key.rpartition("/")[0]


def full_name_of(key: str) -> str:
    """Return the name that a profile of the catalogue has: ``nlc-3g`` for ``nlc/3g``."""
    return key.replace("/", "-")


def matching(wanted: str, keys: Iterable[str]) -> list[str]:
    """Return the profiles that a name may mean, those of one kind alone.

    The whole key or the whole name of a profile (``nlc/3g``, ``nlc-3g``) counts before the last part of a key
    (``3g``), which several families may have.
    """
    wanted = key_of(wanted)
    keys = list(keys)
    whole = [key for key in keys if wanted in (key, full_name_of(key))]
    return whole or [key for key in keys if wanted == key.rpartition("/")[2]]


def nearest(wanted: str, keys: Iterable[str]) -> str | None:
    """Return the profile whose key, or the last part of it, looks most like a name; None if none does."""
    wanted = key_of(wanted)
    known = {key.rpartition("/")[2]: key for key in keys} | {key: key for key in keys}
    near = get_close_matches(wanted, known, n=1) or get_close_matches(wanted.rpartition("/")[2], known, n=1)
    return known[near[0]] if near else None
