"""Other tools' descriptions of networks, as profiles: text in, TOML text out."""

from collections.abc import Callable, Mapping

from simlab.core.errors import InvalidInputError
from simlab.profile.importers import csv_table, libwebrtc, mahimahi, netem
from simlab.profile.importers.text import Imported, Way, to_toml
from simlab.profile.load import LONGEST_TEXT, load

IMPORTERS: Mapping[str, Callable[[str], Imported]] = {
    "netem": netem.read,
    "mahimahi": mahimahi.read,
    "libwebrtc": libwebrtc.read,
    "csv": csv_table.read,
}
"""What can be imported, and what reads it."""


def import_text(kind: str, text: str, file: str, name: str, direction: Way = "both") -> str:
    """Return a profile that says what a text of another tool says.

    What was converted, halved, or has no equivalent stands in comments at its top.

    Parameters
    ----------
    kind
        One of ``IMPORTERS``.
    file
        What to call the text in messages; ``-`` is stdin.
    name
        Of the profile.
    direction
        Which direction of the network it is about.

    Raises
    ------
    InvalidInputError
        If the text is wrong, with its line, or says what no profile can.
    """
    file = "stdin" if file == "-" else file
    try:
        profile = to_toml(IMPORTERS[kind](text), name, direction)
    except ValueError as error:
        raise InvalidInputError([f"{file}: {error}"]) from None
    if len(profile) > LONGEST_TEXT:
        raise InvalidInputError([f"{file}: as a profile this is too long ({len(profile)} characters)"])
    try:
        load(profile, file)
    except InvalidInputError as error:
        raise InvalidInputError([f"{fault} (as a profile)" for fault in error.faults]) from None
    return profile
