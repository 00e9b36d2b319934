"""The examples of docs/links.md are what they say."""

import re
from pathlib import Path

import pytest

from simlab.core.errors import InvalidInputError
from simlab.profile import load

TEXT = (Path(__file__).parents[2] / "docs/links.md").read_text()
FILES = {"delays.csv": "delay_ms\n12\n15\n", "x.down": "1\n5\n9\n"}
BESIDE = {"reorder": "delay = '40ms'", "queue": "rate = '1Mbit/s'", "aqm": "rate = '1Mbit/s'"}


def examples():
    """Yield the examples in the first column of each table, as a line of [link]."""
    for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]:
        key = re.match("`([a-z]+)`\n", section)
        for row in re.findall(r"^\| (`.*?) \| ", section, re.MULTILINE):
            for code in re.findall(r"`([^`]+)`", row):
                written = re.match(r"[a-z]+ = ", code)
                if written or (key and code[0] in '{"'):
                    yield code if written else f"{key[1]} = {code}"


def left_out(example):
    """Yield what its row says may be left out."""
    code = example if f"`{example}`" in TEXT else example.partition(" = ")[2]
    row = next(line for line in TEXT.splitlines() if line.startswith("|") and f"`{code}`" in line)
    return set(re.findall(r"`([a-z0-9_]+)`", row.split(" | ")[2])) if row.count(" | ") > 1 else set()


def loaded(example):
    key = example.partition(" ")[0]
    text = f"[link]\n{example}\n{BESIDE.get(key, '')}\n"
    return load(text, "a.toml", read=FILES.__getitem__).link


EXAMPLES = list(examples())


def test_there_are_examples():
    assert len(EXAMPLES) == 42


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_can_be_written_as_it_stands(example):
    assert loaded(example).up != loaded("mtu = '9000B'").up


@pytest.mark.parametrize("example", [one for one in EXAMPLES if "{" in one])
def test_a_key_that_is_not_said_to_be_may_not_be_left_out(example):
    pairs = re.findall(r"([a-z0-9_]+) = (\[[^]]*\]|[^,}]+?)(?=,| })", example.partition("{")[2])
    assert pairs
    for name, _ in pairs:
        rest = ", ".join(f"{other} = {text}" for other, text in pairs if other != name)
        shorter = f"{example.partition('{')[0]}{{ {rest} }}"
        if name in left_out(example):
            loaded(shorter)
        elif name not in ("compat", "model"):
            with pytest.raises(InvalidInputError, match=r"missing|want"):
                loaded(shorter)
