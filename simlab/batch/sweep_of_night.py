"""A sweep of a night: its sessions, look by look, and whether they are as good as they should be."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from simlab.batch.baseline import Before
from simlab.batch.executors import Executor
from simlab.batch.parts import Part
from simlab.batch.planning import PlannedSweep
from simlab.batch.policies import policy_keys
from simlab.batch.sweep import Sweep
from simlab.profile.suite_tables import Baseline, Suite
from simlab.study.alarms import share_of_look
from simlab.study.night import NightCell
from simlab.study.nights import Check, Group, Rules, Sample, judge, sample_of
from simlab.study.rows import Row
from simlab.study.summary import summarise

_MOST_REPLAYS = 3
Told = Callable[[bool], object]


class SweepOfNight:
    """A sweep of a night, and what is known of it so far.

    Parameters
    ----------
    kept
        Where its sessions are kept, among which there may be some of a night that was cut short.
    before
        The baseline of each part.
    tests
        How many tests the whole night has: this sweep gets its share of alpha.
    """

    def __init__(
        self,
        planned: PlannedSweep,
        kept: Sweep,
        suite: Suite,
        before: Mapping[int, Before],
        tests: int,
    ) -> None:
        self.planned, self.kept, self._suite, self._before = planned, kept, suite, before
        self.study = kept.study()
        self._expectations = planned.sweep.expect.sure()
        per_part = len(self._expectations) + len(suite.baseline.measures)
        self._tests = per_part * len(planned.parts)
        self._alpha = suite.alpha * self._tests / tests if tests else suite.alpha
        self._checks: dict[int, list[Check]] = {}
        self._stopped: set[int] = set()

    def run(self, executor: Executor, tell: Told) -> None:
        """Run its sessions, look by look.

        Raises
        ------
        SimlabError
            If the disk is full; what is over is kept.
        KeyboardInterrupt
            If the user interrupted; what is over is kept.
        """
        looks = self.planned.sweep.looks
        for look in range(1, looks + 1):
            end = self.planned.sweep.seeds * look // looks
            try:
                self.kept.run(executor, lambda one, _: tell(one.failed is not None), self._until(end))
            finally:
                self.study = self.kept.study()
            self._look(end, self._alpha * share_of_look(look, looks), last=look == looks)

    def _until(self, end: int) -> list[int]:
        """Return the numbers of the sessions up to a look."""
        return [number for at in self._going_on for number in self.planned.parts[at].numbers[:end]]

    @property
    def _going_on(self) -> list[int]:
        return [at for at in range(len(self.planned.parts)) if at not in self._stopped]

    def _look(self, end: int, alpha: float, *, last: bool) -> None:
        baseline = self._suite.baseline
        rules = Rules(alpha, baseline.measures, _tolerances(baseline))
        groups = {number: self._group(number, end) for number in self._going_on}
        judged = {number: group for number, group in groups.items() if group.sessions}
        checks = judge(list(judged.values()), rules, self._tests)
        for number, group in judged.items():
            mine = [check for check in checks if check.labels is group.labels]
            if any(check.alarms for check in mine) and not last:
                self._stop(number, end)
            self._checks[number] = mine

    def _stop(self, number: int, end: int) -> None:
        self._stopped.add(number)
        # A night that was cut short had others, if it was judged by other rules.
        self.kept.forget(self.planned.parts[number].numbers[end:])
        self.study = self.kept.study()

    def _group(self, number: int, end: int) -> Group:
        part = self.planned.parts[number]
        sessions, outages = self._rows(replace(part, numbers=part.numbers[:end]))
        sample = sample_of(sessions, outages)
        before = self._before[number]
        return Group(
            part.labels, sessions, outages, sample, before.sample, self._expectations, before.changed
        )

    def _rows(self, part: Part) -> tuple[list[Row], list[Row]]:
        sessions, outages = (
            [row for row in rows if row["session"] in part.numbers]
            for rows in (self.study.session_rows, self.study.outage_rows)
        )
        return sessions, outages

    def sample(self, part: Part) -> Sample:
        """Return the numbers of the sessions of a part that have been run."""
        return sample_of(*self._rows(part))

    def cells(self, overrides: Mapping[str, str], interrupted: bool) -> Iterator[NightCell]:
        """Yield what its parts come to; those of an interrupted night are not judged."""
        for number, part in enumerate(self.planned.parts):
            sessions, outages = self._rows(part)
            failures = [
                f"seed {row['seed']}: {row['stage']}: {row['reason']}"
                for row in self.study.failures
                if row["session"] in part.numbers
            ]
            labels = [name for name in part.labels if name != "sweep"]
            summaries = summarise(sessions, outages, labels)
            checks = [] if interrupted else self._checks.get(number, [])
            yield NightCell(
                part.labels,
                summaries[0] if summaries else None,
                failures,
                checks,
                self._replays(part, sessions, outages),
                stopped=number in self._stopped,
                changed=self._before[number].changed,
            )

    def _replays(
        self, part: Part, sessions: Sequence[Row], outages: Sequence[Row]
    ) -> Sequence[tuple[str, str]]:
        sample = sample_of(sessions, outages)
        values = sample.values
        order = sorted(
            range(len(sample.seeds)),
            key=lambda at: (values["success_rate"][at], -values["violations"][at], -values["down_time"][at]),
        )
        return [(_told(sample, at), self._command(part, sample.seeds[at])) for at in order[:_MOST_REPLAYS]]

    def _command(self, part: Part, seed: int) -> str:
        """Return the command that runs a session again."""
        wanted = self.planned.matrix.wanted
        words = ["simlab", "run", part.profile]
        named = [name for name in wanted.policies if policy_keys(name).name == part.labels["policy"]]
        words += [word for name in named[:1] for word in ("--policy", name)]
        words += ["--seed", str(seed)]
        words += [] if wanted.clock is None else ["--clock", wanted.clock]
        for key, value in {**wanted.overrides, **part.varied}.items():
            words += ["--set", f"{key}={value}"]
        return shlex.join(words)


def _told(sample: Sample, at: int) -> str:
    values = {name: numbers[at] for name, numbers in sample.values.items()}
    told = [f"seed {sample.seeds[at]}", f"{values['down_time']:.1f} s of outage"]
    told += [] if values["success_rate"] else ["not saved"]
    told += [f"{values['violations']:.0f} violated"] if values["violations"] else []
    return ", ".join(told)


def _tolerances(baseline: Baseline) -> dict[str, float]:
    return {name: baseline.tolerance.of(name) for name in baseline.measures}
