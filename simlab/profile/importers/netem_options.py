"""The options of netem, each read into what they come to together.

Source: the manual page tc-netem(8).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simlab.profile.importers.netem_values import bytes_of, bytes_per_s_of, chance_of, percent_text, time_of
from simlab.profile.importers.netem_words import Words, told_word
from simlab.profile.nearest import one_of, quoted
from simlab.profile.units import duration_text, rate_text, size_text


@dataclass
class Netem:
    """What the options of a command come to."""

    link: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    delay: list[float] = field(default_factory=list)
    correlation: float = 0.0
    distribution: str = ""
    limit: int | None = None
    gap: int | None = None
    reorder: float | None = None


def _delay(words: Words, netem: Netem) -> None:
    netem.delay = [words.value("delay", time_of), *words.values("jitter", time_of, 1)]
    if len(netem.delay) > 1:
        netem.correlation = (words.values("the correlation of the delay", chance_of, 1) or [0.0])[0]


def _distribution(words: Words, netem: Netem) -> None:
    name = words.next("a distribution")
    models = ("uniform", "normal", "pareto", "paretonormal")
    if name not in models:
        raise ValueError(
            f"distribution is {quoted(name)}, {one_of(name, models)} "
            '(other tables are files of netem: use delay = { model = "empirical", … })'
        )
    netem.distribution = name


def _loss(words: Words, netem: Netem) -> None:
    if "loss" in netem.link:
        raise ValueError("is a second loss in one command, which tc refuses; want one")
    if words.take("state"):
        netem.link["loss"] = _state(words)
    elif words.take("gemodel"):
        netem.link["loss"] = _gemodel(words)
    else:
        words.take("random")
        netem.link["loss"] = _random(words, netem)


def _random(words: Words, netem: Netem) -> Any:
    loss = words.value("loss", chance_of)
    correlation = (words.values("the correlation of the loss", chance_of, 1) or [0.0])[0]
    if not correlation:
        return percent_text(loss)
    netem.notes.append(
        f"loss {percent_text(loss)} with a correlation of {percent_text(correlation)}: by a Gaussian copula, "
        "which loses as much as was asked for. netem's own arithmetic loses far less; "
        'with compat = "netem" in the loss it does so here.'
    )
    return {"model": "correlated", "loss": percent_text(loss), "correlation": percent_text(correlation)}


def _state(words: Words) -> Any:
    first = words.value("p13", chance_of)
    given = [first, *words.values("a chance of the loss", chance_of, 4)]
    names = ("p13", "p31", "p32", "p23", "p14")
    return {"model": "four-state"} | {name: percent_text(p) for name, p in zip(names, given, strict=False)}


def _gemodel(words: Words) -> Any:
    p = words.value("p", chance_of)
    given = words.values("a chance of the loss", chance_of, 3)
    r, lost_bad, lost_good = given + [1 - p, 1.0, 0.0][len(given) :]
    chain = {"p": p, "r": r, "h": 1 - lost_bad, "k": 1 - lost_good}
    return {"model": "gilbert-elliott", **{name: percent_text(chance) for name, chance in chain.items()}}


def _chance(key: str) -> Callable[[Words, Netem], None]:
    def read(words: Words, netem: Netem) -> None:
        netem.link[key] = percent_text(words.value(key, chance_of))
        if any(words.values(f"the correlation of {key}", chance_of, 1)):
            netem.notes.append(
                f"The correlation of {key} has no equivalent; each packet has luck of its own."
            )

    return read


def _reorder(words: Words, netem: Netem) -> None:
    netem.reorder = words.value("reorder", chance_of)
    if any(words.values("the correlation of reorder", chance_of, 1)):
        netem.notes.append("The correlation of reorder has no equivalent; each packet has luck of its own.")


def _whole(word: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", word):
        raise ValueError("want a whole number")
    return int(word)


def _gap(words: Words, netem: Netem) -> None:
    netem.gap = words.value("gap", _whole)


def _packets(word: str) -> int:
    # tc reads packets as it reads bytes, so that 10k are 10,240 of them.
    if not re.fullmatch("[0-9]{1,9}[A-Za-z]*", word):
        raise ValueError("want a whole number")
    return bytes_of(word)


def _limit(words: Words, netem: Netem) -> None:
    netem.limit = words.value("limit", _packets)
    if not netem.limit:
        raise ValueError("limit is 0, with which netem drops every packet; want 1 or more")


def _rate(words: Words, netem: Netem) -> None:
    bytes_per_s = words.value("rate", bytes_per_s_of)
    netem.link.pop("rate", None)
    if bytes_per_s:  # netem has no rate where it is 0
        netem.link["rate"] = rate_text(bytes_per_s)
    if any(words.values("the overhead of rate", _overhead, 3, signed=True)):
        netem.notes.append("The overhead and the cells of rate have no equivalent.")


def _overhead(word: str) -> int:
    return _whole(word.removeprefix("-"))


def _slot(words: Words, netem: Netem) -> None:
    if words.take("distribution"):
        raise ValueError("slot distribution has no equivalent, want slot MIN MAX")
    low_s = words.value("slot", time_of)
    high_s = (words.values("the longest slot", time_of, 1) or [low_s])[0]
    slot: dict[str, Any] = {"min": duration_text(low_s), "max": duration_text(high_s)}
    while key := words.take("packets", "bytes"):
        slot[key] = words.value(key, _whole) if key == "packets" else size_text(words.value(key, bytes_of))
    netem.link["slot"] = slot


def _without(key: str, arguments: int) -> Callable[[Words, Netem], None]:
    def read(words: Words, netem: Netem) -> None:
        for _ in range(arguments):
            words.next(f"a value of {key}")
        netem.notes.append(f"{key} has no equivalent, and is left out.")

    return read


_OPTIONS: Mapping[str, Callable[[Words, Netem], None]] = {
    "limit": _limit,
    "latency": _delay,
    "delay": _delay,
    "loss": _loss,
    "drop": _loss,
    "seed": _without("seed", 1),
    "ecn": _without("ecn", 0),
    "reorder": _reorder,
    "corrupt": _chance("corrupt"),
    "gap": _gap,
    "duplicate": _chance("duplicate"),
    "distribution": _distribution,
    "rate": _rate,
    "slot": _slot,
}
"""In tc's order: it takes the beginning of a word for the first that fits, so that "d" is a delay."""


def read_options(options: Sequence[str], netem: Netem) -> None:
    """Read the options of a command.

    Raises
    ------
    ValueError
        If one of them is unknown or wrong.
    """
    words = Words(options)
    while words:
        word = words.next("")
        name = next((known for known in _OPTIONS if word and known.startswith(word)), None)
        if name is None:
            raise ValueError(f"{told_word(word)} is no option of netem, {one_of(word, list(_OPTIONS))}")
        _OPTIONS[name](words, netem)
