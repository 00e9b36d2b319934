"""A command line of netem: ``tc qdisc add dev eth0 root netem delay 100ms 10ms loss 1% …``."""

import shlex
from collections.abc import Iterator
from typing import Any

from simlab.profile.importers.netem_options import OPTIONS, Netem
from simlab.profile.importers.netem_values import percent_text
from simlab.profile.importers.netem_words import Words
from simlab.profile.importers.text import Imported, at_line
from simlab.profile.nearest import one_of, quoted
from simlab.profile.units import duration_text

_SOURCE = "A command line of Linux netem, which delays what one interface sends: its delay is one way."


def read(text: str) -> Imported:
    """Read a command; lines that are no command of netem's are left out.

    Raises
    ------
    ValueError
        If there is none or more than one, or it is wrong; the message says in which line.
    """
    found, others = [], []
    for number, line in _lines(text):
        words = _split(number, line)
        if "netem" in words:
            found.append((number, line, words))
        elif words:
            others.append(number)
    if not found:
        raise at_line(
            1, 'want a command with "netem" in it, such as: tc qdisc add dev eth0 root netem delay 100ms'
        )
    if len(found) > 1:
        raise at_line(found[1][0], "is a second netem command; want one for each profile")
    number, line, words = found[0]
    netem = Netem()
    try:
        _options(Words(words[words.index("netem") + 1 :]), netem)
        _settle(netem)
    except ValueError as error:
        raise at_line(number, str(error)) from None
    netem.notes += [f"Line {other} is no command of netem's, and is left out." for other in others]
    return Imported(
        description=f"netem{line.partition('netem')[2]}",
        source=_SOURCE,
        link=netem.link,
        notes=tuple(netem.notes),
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers, those that end in a backslash joined to the next."""
    start, whole = 1, ""
    for number, line in enumerate(text.splitlines(), 1):
        start = start if whole else number
        whole += line.rstrip()
        if whole.endswith("\\"):
            whole = whole[:-1] + " "
            continue
        yield start, " ".join(whole.split())
        whole = ""
    if whole:
        yield start, " ".join(whole.split())


def _split(number: int, line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError as error:
        raise at_line(number, str(error).lower()) from None


def _options(words: Words, netem: Netem) -> None:
    while words:
        word = words.next("")
        if word not in OPTIONS:
            raise ValueError(f"{quoted(word)} is no option of netem, {one_of(word, list(OPTIONS))}")
        OPTIONS[word](words, netem)


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
        "The queue stands before the rate alone; netem's limit counts delayed packets, too."
    )
    return {"rate": netem.link.pop("rate"), "queue": f"{1000 if netem.limit is None else netem.limit}packets"}


def _reorder_keys(netem: Netem) -> dict[str, Any]:
    if netem.reorder is None:
        if netem.gap is not None:
            raise ValueError("gap wants reorder beside it")
        return {}
    if not netem.delay or not netem.delay[0]:
        raise ValueError("reorder wants a delay beside it")
    return {"reorder": {"chance": percent_text(netem.reorder), "gap": max(netem.gap or 1, 1)}}
