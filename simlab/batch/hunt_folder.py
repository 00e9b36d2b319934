"""The folder of a hunt: for each finding a profile that breaks the invariant again, and its session."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from simlab import store
from simlab.batch.hunt_search import Finding, Search
from simlab.batch.result import Run
from simlab.batch.session import run_scenario, save
from simlab.batch.shrinking import scenario_of
from simlab.profile.sparse import Tables
from simlab.study.words import count

HUNT = "hunt.json"
_LONGEST_NAME = 64


@dataclass(frozen=True, repr=False, eq=False)
class Found:
    """A finding, its profile and its session.

    Two are equal if the same was found in the same sessions, wherever it is saved.

    Parameters
    ----------
    path
        Where the profile is; None if it was not saved.
    run
        Its session; None if that was not run, as the user wanted an end.
    """

    finding: Finding
    path: Path | None
    run: Run | None

    @property
    def toml(self) -> str:
        """The profile, which breaks the invariant again."""
        return _text(self.finding, self.run)

    @property
    def detail(self) -> str | None:
        """What was seen, as a sentence without a capital and a full stop; None if it was not broken again."""
        return _detail(self.finding, self.run)

    @property
    def body(self) -> str:
        """The profile as TOML, without what it is called."""
        return toml_of({key: value for key, value in self.finding.shrinking.tables.items() if key != "name"})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Found):
            return NotImplemented
        return (self._told, self.run) == (other._told, other.run)

    def __hash__(self) -> int:
        return hash(self.toml)

    @property
    def _told(self) -> dict[str, Any]:
        return self.record() | {"toml": self.toml, "file": None, "run": None}

    def __repr__(self) -> str:
        one = self.finding
        seen = f"in {len(one.seeds)} of {count(one.of, 'session')}"
        return f"<{one.policy} breaks {one.invariant} {seen}: {self.detail or 'not broken again'}>"

    def record(self) -> dict[str, Any]:
        """Return it as hunt.json has it."""
        finding, run = self.finding, self.run
        return {
            "profile": finding.profile,
            "policy": finding.policy,
            "invariant": finding.invariant,
            "detail": self.detail,
            "broken": len(finding.seeds),
            "of": finding.of,
            "seeds": list(finding.seeds),
            "tried": finding.shrinking.tried,
            "is_minimal": finding.shrinking.is_over,
            "faults": finding.shrinking.tables.get("fault", []),
            "file": None if self.path is None else str(self.path),
            "run": None if run is None or run.folder is None else str(run.folder),
        }


def found_in(findings: Sequence[Finding], *, again: bool) -> list[Found]:
    """Return findings that are not saved; ``again`` as in ``save_hunt``."""
    return [Found(one, None, _run(one) if again else None) for one in findings]


def save_hunt(search: Search, findings: Sequence[Finding], parent: Path, *, again: bool) -> list[Found]:
    """Save findings in a folder of their own in ``parent``.

    Parameters
    ----------
    again
        Whether to run the session of each once more, and save it, too.

    Raises
    ------
    SimlabError
        If they could not be saved.
    """
    unsaved = found_in(findings, again=again)
    profiles = list(dict.fromkeys(one.profile for one in findings))
    names = [_file_name(one, with_profile=len(profiles) > 1) for one in findings]
    texts = (one.toml.encode() for one in unsaved)
    folder = store.save_files(parent, f"hunt-{'-'.join(profiles[:3])}", dict(zip(names, texts, strict=True)))
    found = [
        Found(one.finding, folder / name, None if one.run is None else save(one.run, folder))
        for one, name in zip(unsaved, names, strict=True)
    ]
    store.add(folder / HUNT, store.to_json(summary(search, found)).encode())
    return found


def summary(search: Search, found: Sequence[Found]) -> dict[str, Any]:
    """Return what ``--json`` prints, and hunt.json has."""
    saved = [one.path for one in found if one.path is not None]
    return {
        "folder": str(saved[0].parent) if saved else None,
        "sessions": len(search.outcomes),
        "findings": [one.record() for one in found],
        "failures": search.failures,
        "notes": search.notes,
    }


def _run(finding: Finding) -> Run | None:
    scenario = scenario_of(_named(finding))
    return None if scenario is None else run_scenario(scenario)


def _named(finding: Finding, **more: str) -> Tables:
    """Return its profile with a name of its own, and with what is expected of it."""
    named = {"name": f"{finding.profile}-{finding.invariant}"[:_LONGEST_NAME], **more}
    return {**named, **finding.shrinking.tables, **named, "expect": {"violations": "== 0"}}


def _file_name(finding: Finding, *, with_profile: bool) -> str:
    words = [finding.profile] if with_profile else []
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join([*words, finding.invariant, finding.policy])) + ".toml"


def _detail(finding: Finding, run: Run | None) -> str | None:
    violations = [] if run is None else run.metrics["violations"]
    return next((one["detail"] for one in violations if one["invariant"] == finding.invariant), None)


def _text(finding: Finding, run: Run | None) -> str:
    detail = _detail(finding, run)
    tables = _named(finding) if detail is None else _named(finding, description=detail)
    return f"# Found by `simlab hunt`: policy {finding.policy} breaks {finding.invariant}.\n{toml_of(tables)}"


def toml_of(tables: Tables) -> str:
    """Return tables as TOML, with a ``[[fault]]`` for each fault, at the end."""
    rest = {key: value for key, value in tables.items() if key != "fault"}
    faults = [{"kind": fault["kind"], **fault} for fault in tables.get("fault", [])]
    return tomli_w.dumps(rest) + "".join(f"\n[[fault]]\n{tomli_w.dumps(fault)}" for fault in faults)
