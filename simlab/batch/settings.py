"""What a cell of a night was run with, kept so that later nights can tell what has changed."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simlab.batch.files import text_of
from simlab.batch.policies import as_keys
from simlab.batch.scenarios import find
from simlab.profile.model import Profile
from simlab.profile.overrides import apply, dotted
from simlab.profile.policy import PolicyKeys
from simlab.profile.text import parsed
from simlab.reconnect.policy import POLICIES
from simlab.webrtc.policies import changed

_NOT_THE_NETWORK = (
    "policy",
    "expect",
    "seed",
    "name",
    "description",
    "source",
    "source_kind",
    "evidence",
)
_NO_TERMS = ("name", "base", "source", "description")
_LONGEST_TEXT = 60
_MOST_TOLD = 3
_ABSENT = "not given"
Step = str | int


def hash_of_network(name: str, settings: Mapping[str, str]) -> str:
    """Hash what is written in a profile and laid over it: what a new version adds by default is no change."""
    written = _of_network(_tables(name))
    laid = {key: value for key, value in settings.items() if key.partition(".")[0] not in _NOT_THE_NETWORK}
    text = json.dumps([written, laid], sort_keys=True, default=str)
    return _hash(text.encode())


def settings_of(name: str, settings: Mapping[str, str], clock: str) -> dict[str, str]:
    """Return the same, by dotted keys, with the clock and the content of the files that the profile names."""
    tables = _tables(name)
    apply(tables, settings)
    found = {**flat(_of_network(tables)), "clock": clock}
    folder = find(name).parent
    named = {key: folder / file for key, file in found.items() if key.rpartition(".")[2] == "file"}
    contents = {
        f"content of {key}": _hash(file.read_bytes()) for key, file in named.items() if file.is_file()
    }
    return found | contents


def settled_of(profile: Profile) -> dict[str, str]:
    """Return the settings of a profile with every default filled in, by dotted keys."""
    return flat(_of_network(profile.to_toml()))


def terms_of(keys: PolicyKeys) -> dict[str, str]:
    """Return every term of a policy; none of one in Python, which simlab cannot see into."""
    base = POLICIES.get(keys.base or keys.name)
    if base is None:
        return {}
    terms = as_keys(changed(base, keys))
    return flat({name: value for name, value in terms.items() if name not in _NO_TERMS})


def difference(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Say in words what was other than it is; nothing where nothing was."""
    keys = [key for key in dict.fromkeys([*new, *old]) if old.get(key) != new.get(key)]
    told = [f"{key} was {old.get(key, _ABSENT)}, is {new.get(key, _ABSENT)}" for key in keys[:_MOST_TOLD]]
    more = [f"and {len(keys) - _MOST_TOLD} more"] if len(keys) > _MOST_TOLD else []
    return "; ".join([*told, *more])


def flat(tables: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of tables as texts, by dotted keys; a long one as its beginning and a hash."""
    return {dotted(path): _text(value) for path, value in _leaves((), tables)}


def _leaves(path: tuple[Step, ...], value: Any) -> Iterator[tuple[tuple[Step, ...], Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves((*path, key), one)
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value):
            yield from _leaves((*path, number), one)
    else:
        yield path, value


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[: _LONGEST_TEXT // 2]}... ({_hash(text.encode())})"


def _tables(name: str) -> dict[str, Any]:
    path: Path = find(name)
    return parsed(text_of(path, "a profile"), str(path))


def _of_network(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tables.items() if key not in _NOT_THE_NETWORK}


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()
