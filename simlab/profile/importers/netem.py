"""A command line of netem: ``tc qdisc add dev eth0 root netem delay 100ms 10ms loss 1% …``."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from simlab.profile.importers.netem_options import Netem, read_options
from simlab.profile.importers.netem_script import Command, Script, commands_of
from simlab.profile.importers.netem_tbf import add_bucket
from simlab.profile.importers.netem_values import percent_text
from simlab.profile.importers.text import Imported, at_line
from simlab.profile.units import duration_text

_SOURCE = "A command line of Linux netem, which delays what one interface sends: its delay is one way."


def read(text: str) -> Imported:
    """Read a command; lines that set nothing of netem's or tbf's are left out.

    Raises
    ------
    ValueError
        If there is none, or more than one that are not alike, or it is wrong; the message says in which line.
    """
    script = commands_of(text)
    if not script.netem:
        raise at_line(
            1, 'want a command with "netem" in it, such as: tc qdisc add dev eth0 root netem delay 100ms'
        )
    _only_one("netem", script.netem)
    _only_one("tbf", script.tbf)
    netem = Netem()
    command = script.netem[0]
    try:
        read_options(command.options, netem)
        _settle(netem)
    except ValueError as error:
        raise at_line(command.line, str(error)) from None
    for bucket in script.tbf:
        try:
            add_bucket(bucket.options, netem)
        except ValueError as error:
            raise at_line(bucket.line, str(error)) from None
    netem.notes += _notes(netem, script)
    return Imported(
        description=" ".join(["netem", *command.options]),
        source=_SOURCE,
        link=netem.link,
        notes=tuple(netem.notes),
    )


def _only_one(queue: str, commands: Sequence[Command]) -> None:
    if len(commands) > 1:
        raise at_line(commands[1].line, f"is a second {queue} command; want one for each profile")


def _notes(netem: Netem, script: Script) -> Iterator[str]:
    if "rate" in netem.link and netem.link.keys() & {"loss", "duplicate"}:
        yield (
            "netem loses and duplicates packets before the rate, and here that is behind it: what is lost "
            "takes its share of the rate here, and what is duplicated takes none."
        )
    if script.rates:
        yield f"{_lines(script.rates)} a rate of its own, which is left out: give the link that rate by hand."
    if script.others:
        yield f"{_lines(script.others, 'is no command', 'are no commands')} of netem's, and left out."


def _lines(numbers: Sequence[int], one: str = "has", several: str = "have") -> str:
    if len(numbers) == 1:
        return f"Line {numbers[0]} {one}"
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    told = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    return f"Lines {', '.join(told)} {several}"


def _settle(netem: Netem) -> None:
    """Put together what takes more than one option."""
    netem.link = {**_delay_keys(netem), **_rate_keys(netem), **netem.link, **_reorder_keys(netem)}


def _delay_keys(netem: Netem) -> dict[str, Any]:
    if not netem.delay:
        if netem.distribution:
            raise ValueError("distribution wants a delay with a jitter")
        return {}
    mean, jitter = duration_text(netem.delay[0]), netem.delay[1:]
    if not jitter or not jitter[0]:
        if netem.distribution:
            raise ValueError("distribution wants a jitter beside the delay")
        return {"delay": mean}
    # netem's jitter lets packets overtake, unless a rate keeps them in their queue.
    table = {"reorder": "rate" not in netem.link}
    if netem.correlation:
        table |= _correlation(netem)
    spread = duration_text(jitter[0])
    if netem.distribution in ("", "uniform"):
        return {"delay": {"model": "uniform", "mean": mean, "jitter": spread, **table}}
    model = netem.distribution.replace("paretonormal", "pareto-normal")
    if model != "normal":
        netem.notes.append(
            f"distribution {netem.distribution}: with the mean and the deviation as asked for. netem's own "
            "table has 82 or 83 % of that deviation, and a mean that is 3 % of it lower."
        )
    return {"delay": {"model": model, "mean": mean, "deviation": spread, **table}}


def _correlation(netem: Netem) -> dict[str, Any]:
    if netem.distribution == "paretonormal":
        netem.notes.append("The correlation of a pareto-normal delay has no equivalent.")
        return {}
    netem.notes.append(
        "The correlation of the delay is as asked for; netem's own arithmetic loses it for jitters of less "
        "than 100 ms."
    )
    return {"correlation": percent_text(netem.correlation)}


def _rate_keys(netem: Netem) -> dict[str, Any]:
    if "rate" not in netem.link:
        if netem.limit is not None:
            netem.notes.append("limit counts delayed packets, which has no equivalent without a rate.")
        return {}
    netem.notes.append(
        "rate: a packet counts as its IP datagram, the payload and 28 bytes; netem adds its Ethernet header. "
        "The queue stands before the rate alone; netem's limit counts delayed packets, too, and the one that "
        "is being sent."
    )
    limit = 1000 if netem.limit is None else netem.limit
    return {"rate": netem.link.pop("rate"), "queue": f"{limit - 1}packets"}


def _reorder_keys(netem: Netem) -> dict[str, Any]:
    if not netem.reorder:
        if netem.gap:
            raise ValueError("gap wants reorder beside it")
        return {}
    if not netem.delay or not netem.delay[0]:
        raise ValueError("reorder wants a delay beside it")
    return {"reorder": {"chance": percent_text(netem.reorder), "gap": max(netem.gap or 1, 1)}}
