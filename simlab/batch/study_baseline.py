"""What a cell of a night is compared with where the suite names a stored study."""

from collections.abc import Mapping
from pathlib import Path

from simlab import store
from simlab.batch.baseline import Before, in_brackets
from simlab.batch.parts import Part
from simlab.batch.resume import cells_of
from simlab.batch.settings import difference, settled_of, terms_of
from simlab.batch.study_files import OUTAGES, SESSIONS, tables
from simlab.core.errors import InvalidInputError
from simlab.profile.model import Profile
from simlab.study.nights import sample_of


class StudyBaseline:
    """The sessions of a stored study, to compare a night with.

    Raises
    ------
    InvalidInputError
        If the folder does not hold a study, or a table of it is damaged or does not fit the other.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        try:
            files = {name: store.content(Path(folder) / name) for name in (SESSIONS, OUTAGES)}
            sessions, outages = tables(files, Path(folder), ("profile", "policy"))
        except InvalidInputError as error:
            raise InvalidInputError([f"baseline.study: {fault}" for fault in error.faults]) from None
        self._sessions, self._outages = sessions.to_dicts(), outages.to_dicts()
        self._profiles = _profiles_of(folder)

    def of(self, part: Part) -> Before:
        """Return the sessions of a cell: those of the same profile, policy and values, by their names.

        Raises
        ------
        InvalidInputError
            If the study has several sessions of one seed, since it varies what the suite does not.
        """
        labels = {name: value for name, value in part.labels.items() if name != "sweep"}
        sessions, outages = (
            [row for row in rows if all(str(row.get(name)) == value for name, value in labels.items())]
            for rows in (self._sessions, self._outages)
        )
        seeds = [row["seed"] for row in sessions]
        if again := [seed for seed in seeds if seeds.count(seed) > 1]:
            cell = ", ".join(labels.values())
            told = f"several sessions of seed {again[0]} of {cell}: it varies what the suite does not"
            raise InvalidInputError([f"baseline.study: {self._folder}: {told}"])
        if not sessions:
            return Before(None, f"{self._folder} has no such cell: not compared")
        return Before(sample_of(sessions, outages), self._changed(part, labels))

    def _changed(self, part: Part, labels: Mapping[str, str]) -> str:
        profile = self._profiles.get(tuple(sorted(labels.items())))
        if profile is None:
            return ""
        changes = {
            "profile": difference(settled_of(profile), settled_of(part.ran)),
            "policy": difference(terms_of(profile.policy), part.terms),
        }
        told = [f"the {which} has changed{in_brackets(what)}" for which, what in changes.items() if what]
        return f"since {self._folder} {' and '.join(told)}: compared all the same" if told else ""


def _profiles_of(folder: str) -> dict[tuple[tuple[str, str], ...], Profile]:
    """Return the profiles that a study ran, by their labels; none where this version cannot read them."""
    try:
        cells = cells_of(folder)
    except InvalidInputError:
        return {}
    labels = ({"profile": one.profile.name, "policy": one.profile.policy.name, **one.varied} for one in cells)
    return {tuple(sorted(one.items())): cell.profile for one, cell in zip(labels, cells, strict=True)}
