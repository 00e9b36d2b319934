"""``simlab.hunt``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike, cpu_count
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simlab import store
from simlab.batch.arguments import check, several, told_as_arguments
from simlab.batch.door import texts, wanted_of
from simlab.batch.executors import LOCAL, Executor, executor_of
from simlab.batch.hunt import Hunt
from simlab.batch.hunt_folder import Found, found_in, save_hunt, summary
from simlab.batch.hunt_search import Finding, Search, ran_to_the_end, shrunk_to_the_end
from simlab.core.errors import Interrupted
from simlab.profile.model import Clock
from simlab.study.words import count

if TYPE_CHECKING:
    import polars

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_COLUMNS = ("profile", "policy", "invariant", "detail", "broken", "of", "tried", "is_minimal", "file", "run")


@dataclass(frozen=True, repr=False, eq=False)
class Hunted:
    """What a hunt has found.

    Two are equal if the same sessions came to the same, wherever it is saved.

    Parameters
    ----------
    search
        Its sessions, and what became of them.
    findings
        For each policy and invariant that it broke: ``toml``, the profile that breaks it again; ``detail``,
        what was seen; and ``run``, its session.
    """

    search: Search
    findings: Sequence[Found]

    @property
    def folder(self) -> Path | None:
        """Where the findings are; None if there are none, or they were not saved."""
        return next((one.path.parent for one in self.findings if one.path is not None), None)

    @property
    def sessions(self) -> int:
        """How many sessions were run in search of something, those that failed among them."""
        return len(self.search.outcomes)

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The sessions that could not be run: ``stage`` and ``reason``."""
        return self.search.failures

    def frame(self) -> "polars.DataFrame":
        """Return a row for each finding."""
        import polars as pl

        rows = [{key: record[key] for key in _COLUMNS} for record in self.json()["findings"]]
        numbers = dict.fromkeys(("broken", "of", "tried"), pl.Int64)
        kinds = {**numbers, "is_minimal": pl.Boolean}
        return pl.DataFrame(rows, schema={name: kinds.get(name, pl.String) for name in _COLUMNS})

    def json(self) -> dict[str, Any]:
        """Return what ``simlab hunt --json`` prints."""
        return summary(self.search, self.findings)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Hunted):
            return NotImplemented
        return self._told == other._told

    def __hash__(self) -> int:
        return hash(tuple(self.findings))

    @property
    def _told(self) -> tuple[Any, ...]:
        search = self.search
        outcomes = [outcome.record() for _, outcome in sorted(search.outcomes.items())]
        return [one.scenario for one in search.sessions], outcomes, list(self.findings)

    def __repr__(self) -> str:
        broken = ", ".join(f"{one.finding.policy} breaks {one.finding.invariant}" for one in self.findings)
        return f"<Hunted in {count(self.sessions, 'session')}: {broken or 'nothing was broken'}>"


@told_as_arguments
def hunt(
    profiles: str | PathLike[str] | Iterable[str | PathLike[str]],
    *,
    policies: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    seed: int | None = None,
    seeds: int = 100,
    clock: Clock | None = None,
    set: Mapping[str, Any] = _NOTHING,  # noqa: A002 - as the option is called
    kinds: str | Iterable[str] = (),
    invariants: str | Iterable[str] = (),
    faults: int = 3,
    tries: int = 200,
    jobs: int | None = None,
    out: str | PathLike[str] | None = None,
    watch: Callable[[int, int], object] | None = None,
) -> Hunted:
    """Search for fault schedules that break an invariant, and make the simplest profile of each.

    Parameters
    ----------
    profiles, policies
        Files or names; without policies, each profile's own.
    seeds
        How many schedules, from ``seed`` on, or from the profile's own.
    set
        Keys that are the same in all sessions.
    kinds, invariants
        Of faults to draw, and to break; without any, all that the profile can have.
    faults
        How many are drawn at most for a schedule, beside the profile's own.
    tries
        How many sessions may be tried to make a finding simpler.
    jobs
        How many processes; None takes all cores.
    out
        The folder to save a folder with the findings in; by default they are not saved.
    watch
        Called with how many sessions are over, and how many there may be, for a progress bar: after each of
        the search, and while findings are made simpler. Then there may be ``tries`` more for each, and once
        it is as simple as can be, no more than it took.

    Raises
    ------
    InvalidInputError
        If something is wrong with a profile or the other arguments.
    SimlabError
        If the findings could not be saved, or the processes cannot go on.
    KeyboardInterrupt
        If the user interrupted; with ``out``, what was found is saved before, as simple as it was.
    """
    named, ruled, drawn, broken = map(several, (profiles, policies, kinds, invariants))
    check(
        profiles=named,
        policies=ruled,
        seed=seed,
        seeds=seeds,
        clock=clock,
        set=set,
        kinds=drawn,
        invariants=broken,
        faults=faults,
        tries=tries,
        jobs=jobs,
        out=out,
        watch=watch,
    )
    wanted = wanted_of(named, ruled, seed, seeds, clock, texts(set))
    search = Search.of(Hunt(wanted, drawn, broken, int(faults), int(tries)))
    parent = None if out is None else Path(out)
    if parent is not None:
        store.prepare(parent)
    found, is_over = _found(search, int(jobs or cpu_count() or 1), parent, watch)
    hunted = Hunted(search, found)
    if not is_over:
        raise Interrupted(_kept(hunted, parent))
    return hunted


def _kept(hunted: Hunted, parent: Path | None) -> str:
    """Say of a hunt that was interrupted what is kept of it."""
    over = f"{hunted.sessions} of {count(len(hunted.search.sessions), 'session')} over"
    if not hunted.findings:
        return f"{over}, and nothing was broken"
    return f"{over}, and what they broke is " + (
        "not kept: there is no out" if parent is None else f"in {hunted.folder}"
    )


def _found(
    search: Search, jobs: int, parent: Path | None, watch: Callable[[int, int], object] | None
) -> tuple[Sequence[Found], bool]:
    """Run a hunt, and return what it finds, and whether it came to its end."""
    with closing(executor_of(LOCAL, jobs)) as executor:
        is_over = ran_to_the_end(
            search, executor, lambda _: watch and watch(len(search.outcomes), len(search.sessions))
        )
        findings = search.findings(jobs)
        is_over = is_over and _are_shrunk(findings, len(search.sessions), executor, watch)
    if parent is None:
        return found_in(findings, again=is_over), is_over
    return save_hunt(search, findings, parent, again=is_over) if findings else [], is_over


def _are_shrunk(
    findings: Sequence[Finding], over: int, executor: Executor, watch: Callable[[int, int], object] | None
) -> bool:
    """Make findings simpler, and tell whether the user let it; ``over`` sessions came before."""
    to_come = sum(one.shrinking.most for one in findings)
    for finding in findings:

        def tried(number: int, over: int = over, to_come: int = to_come) -> None:
            if watch:
                watch(over + number, over + to_come)

        if not shrunk_to_the_end(finding, executor, tried):
            return False
        took = finding.shrinking.tried
        to_come += took - finding.shrinking.most
        tried(took, over, to_come)
        over, to_come = over + took, to_come - took
    return True
