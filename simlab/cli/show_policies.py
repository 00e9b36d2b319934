"""Print how policies fared on the same sessions, side by side."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from simlab.batch.result import Run
from simlab.cli.tables import seconds, table_of
from simlab.study.outages import known_waits_s
from simlab.study.words import share_text


def by_policy(runs: Sequence[Run]) -> Iterable[RenderableType]:
    """Return a row for each profile and policy; nothing where there is one session of each, or one policy."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if run.failed is None:
            groups.setdefault((run.scenario.profile.name, run.scenario.policy_told), []).append(run)
    several_policies = len({policy for _, policy in groups}) > 1
    if not several_policies or all(len(group) == 1 for group in groups.values()):
        return ()
    table = table_of(
        *("profile", "policy", "sessions", "outages", "recovered", "median", "95 %", "longest"),
        *("attempts", "needless", "gave up", "usable"),
    )
    for (profile, policy), group in groups.items():
        table.add_row(profile, policy, *_row([run.metrics for run in group]))
    explained = (
        "recovered: of all outages. median, 95 %, longest: seconds of outage; an outage that did not end "
        "counts as longer than all others, and is a dash."
    )
    violated = [Text(f"Violated: {line}", style="bold red") for line in _violated(groups)]
    return Text("By policy", style="bold"), table, *violated, Text(explained, style="dim"), Text()


def _violated(groups: dict[tuple[str, str], list[Run]]) -> Iterable[str]:
    """Say for each invariant which policies violated it, and in how many of their sessions."""
    found: dict[str, list[str]] = {}
    for (profile, policy), group in groups.items():
        kinds = [{one["invariant"] for one in run.metrics["violations"]} for run in group]
        for kind in sorted(set().union(*kinds)):
            times = sum(kind in one for one in kinds)
            found.setdefault(kind, []).append(f"{policy} on {profile} ({times} of {len(group)})")
    return [f"{kind}: {', '.join(places)}" for kind, places in found.items()]


def _row(metrics: Sequence[dict[str, Any]]) -> Iterable[str]:
    outages = [outage for one in metrics for outage in one["outages"]]
    waits_s = known_waits_s(outages)
    ended = sum(wait_s < float("inf") for wait_s in waits_s)
    attempts = [one["attempts"] for one in metrics]
    yield str(len(metrics))
    yield str(len(outages))
    yield share_text(ended / len(waits_s), 0) if waits_s else "-"
    yield from (_quantile(waits_s, share) for share in (0.5, 0.95, 1.0))
    yield f"{sum(sum(one[name] for name in _ATTEMPTS) for one in attempts) / len(metrics):.1f}"
    yield f"{sum(one['unneeded'] for one in attempts) / len(metrics):.1f}"
    yield str(sum(one["final_state"] in {"error", "disconnected"} for one in metrics))
    yield share_text(sum(one["usable_fraction"] for one in metrics) / len(metrics))


_ATTEMPTS = ("ice_restarts", "recreations")


def _quantile(waits_s: Sequence[float], share: float) -> str:
    """Return the smallest wait that is not shorter than this share of all."""
    if not waits_s:
        return "-"
    wait_s = median(waits_s) if share == 0.5 else waits_s[-int(len(waits_s) * (1 - share)) - 1]
    return seconds(None if wait_s == float("inf") else wait_s)
