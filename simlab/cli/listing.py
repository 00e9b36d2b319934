"""Print what profiles there are."""

from pathlib import Path
from typing import Any

from simlab.batch.scenarios import catalogue, load_all
from simlab.cli.show import echo
from simlab.cli.tables import table_of
from simlab.core.errors import InvalidInputError
from simlab.profile.catalogue import family_of
from simlab.profile.model import Profile
from simlab.profile.units import duration_text


def profiles() -> list[dict[str, Any]]:
    """Return what there is to say of each profile of the catalogue.

    Raises
    ------
    InvalidInputError
        If a profile of it is wrong.
    """
    files = catalogue()
    loaded, faults = load_all(map(str, files.values()), {}, imports=False)
    if faults:
        raise InvalidInputError(faults)
    return [_told(key, file, profile) for (key, file), profile in zip(files.items(), loaded, strict=True)]


def _told(key: str, file: Path, profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "key": key,
        "family": family_of(key),
        "file": str(file),
        "duration_s": profile.duration_s,
        "faults": len(profile.faults),
        "evidence": profile.evidence,
        "description": profile.description,
    }


def print_profiles() -> None:
    """Print a row for each profile of the catalogue, family by family.

    Raises
    ------
    InvalidInputError
        As ``profiles`` does.
    """
    table = table_of("profile", "lasts", "faults", "evidence", "description")
    family = ""
    for one in profiles():
        if one["family"] != family:
            family = one["family"]
            table.add_row()
        lasts = duration_text(one["duration_s"])
        table.add_row(one["key"], lasts, str(one["faults"]), one["evidence"], one["description"])
    echo(table)
