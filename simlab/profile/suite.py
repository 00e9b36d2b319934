"""From TOML text to a checked suite."""

import re
from typing import Any

from pydantic import ValidationError

from simlab.core.errors import InvalidInputError
from simlab.profile.check import sentences
from simlab.profile.fields import TomlSchema
from simlab.profile.model import NAME_PATTERN
from simlab.profile.suite_tables import Suite
from simlab.profile.text import parsed

_SWEEP = re.compile(r"^\s*\[\[\s*sweep\s*\]\]|^\s*sweep\s*=", re.MULTILINE)


def is_suite(text: str) -> bool:
    """Tell whether a TOML text is a suite and no profile: it has sweeps."""
    return _SWEEP.search(text) is not None


def load_suite(text: str, file: str) -> Suite:
    """Read a suite and check all of it, but for what the profiles make of its sweeps.

    Parameters
    ----------
    file
        What to call it in messages. A suite without a name is named after it.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with a sentence for each fault that names the file and the key.
    """
    tables = parsed(text, file)
    stem = file.rpartition("/")[2].removesuffix(".toml")
    name = {"name": stem} if re.fullmatch(NAME_PATTERN, stem) else {}
    try:
        return Suite.model_validate({**name, **tables})
    except ValidationError as error:
        told = [told for _, told in sentences(error, tables, Suite)]
        raise InvalidInputError([f"{file}: {one}" for one in told]) from None


def suite_schema() -> dict[str, Any]:
    """Return the JSON Schema of a suite, for editors."""
    return Suite.model_json_schema(by_alias=True, schema_generator=TomlSchema)
