"""Commands of netem and of tbf in a shell script."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simlab.profile.importers.text import at_line

_REDIRECTION = re.compile(r"(?<!\S)(?:[0-9]*|&)(?:>>?|<)(?:&[0-9-]|\s*[^\s;&|<>]+)")
_ENDS_A_COMMAND = ";&|"
_SETS_NOTHING = ("del", "delete", "show", "list", "ls", "lst", "get")


@dataclass(frozen=True)
class Command:
    """The options of a queue in a script: what stands behind its name, and in which line."""

    line: int
    options: tuple[str, ...]


@dataclass(frozen=True)
class Script:
    """What a script sets.

    Parameters
    ----------
    netem, tbf
        Their commands in order, each only once: what is alike sets two interfaces.
    rates
        Lines of tc with a rate that is neither netem's nor tbf's.
    others
        Lines that have a command, and nothing of these.
    """

    netem: tuple[Command, ...]
    tbf: tuple[Command, ...]
    rates: tuple[int, ...]
    others: tuple[int, ...]


def commands_of(text: str) -> Script:
    """Find the commands in a script.

    Raises
    ------
    ValueError
        If a line that speaks of netem or tbf is no command of a shell; the message has its number.
    """
    netem: list[Command] = []
    tbf: list[Command] = []
    rates: list[int] = []
    others: list[int] = []
    for number, line in _lines(text):
        found = list(_commands(number, line))
        of_netem = [words for words in found if _options(words, "netem") is not None]
        of_tbf = [words for words in found if _options(words, "tbf") is not None]
        netem += [Command(number, tuple(_options(words, "netem") or ())) for words in of_netem]
        tbf += [Command(number, tuple(_options(words, "tbf") or ())) for words in of_tbf]
        if not of_netem and not of_tbf and any(found):
            rated = any("tc" in words and "rate" in words for words in found)
            (rates if rated else others).append(number)
    return Script(_unlike(netem), _unlike(tbf), tuple(rates), tuple(others))


def _unlike(commands: Sequence[Command]) -> tuple[Command, ...]:
    return tuple({command.options: command for command in reversed(commands)}.values())[::-1]


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


def _commands(number: int, line: str) -> Iterator[list[str]]:
    """Yield the commands of a line, and those that another shell is given (``sh -c "tc …"``)."""
    try:
        words = _words(line)
    except ValueError as error:
        if re.search(r"\b(netem|tbf)\b", line):
            raise at_line(number, str(error).lower()) from None
        words = line.split()  # in the middle of a text of several lines
    command: list[str] = []
    for word in words:
        if not word.strip(_ENDS_A_COMMAND):
            yield command
            command = []
        elif re.search(r"\s(netem|tbf)\b", word):
            yield from _commands(number, word)
        else:
            command.append(word)
    yield command


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(_REDIRECTION.sub(" ", line), posix=True, punctuation_chars=_ENDS_A_COMMAND)
    lexer.whitespace_split = True
    return list(lexer)


def _options(words: Sequence[str], queue: str) -> Sequence[str] | None:
    """Return what a command sets of a queue; None if it sets nothing of it."""
    if queue not in words:
        return None
    before, options = words[: words.index(queue)], words[words.index(queue) + 1 :]
    if before and before[-1] != "root" and before[-2:-1] not in (["handle"], ["parent"]):
        return None
    verb = before[before.index("qdisc") + 1 :][:1] if "qdisc" in before else []
    return None if verb and verb[0] in _SETS_NOTHING else options
