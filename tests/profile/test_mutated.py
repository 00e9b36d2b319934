"""Profiles damaged in one key each: they load, or are refused with a sentence, and nothing else happens."""

import copy
import datetime
import tomllib
from functools import partial
from itertools import groupby
from operator import itemgetter

import pytest
import tomli_w

from simlab.core.errors import InvalidInputError
from simlab.profile import Profile, Scenario, links, load
from tests.profile.models import MODELS
from tests.profile.texts import CATALOGUE, FULL

TEXTS = {**CATALOGUE, "full": FULL, **{f"model{n}": text for n, text in enumerate(MODELS)}}
WRONG = [
    7,
    -1,
    0.5,
    float("nan"),
    float("inf"),
    True,
    "x",
    "",
    [],
    {},
    [[]],
    [{}],
    {"x": 1},
    datetime.date(2020, 1, 1),
]


def paths(value, above=()):
    """Yield the path of every key and element below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*above, key)
        yield from paths(below, (*above, key))


def cases():
    """Yield each key of each profile, and of those that have the same value in several, the first."""
    seen = set()
    for name, text in TEXTS.items():
        tables = tomllib.loads(text)
        for path in paths(tables):
            value = tables
            for step in path:
                value = value[step]
            if (path, repr(value)) not in seen:
                seen.add((path, repr(value)))
                yield name, path


AT_ONCE = 25  # keys that a test takes, as thousands of tests take longer than what they check


def portions(wanted=lambda path: True):
    """Yield the keys of each profile, a few at once, with a name for them."""
    for name, found in groupby(filter(lambda case: wanted(case[1]), cases()), itemgetter(0)):
        every = [path for _, path in found]
        for begin in range(0, len(every), AT_ONCE):
            yield pytest.param(name, every[begin : begin + AT_ONCE], id=f"{name}:{begin}")


def each(check, name, several):
    """Check all of several keys of a profile, and fail with every one that fails."""
    wrong = []
    for path in several:
        try:
            check(name, path)
        except Exception as error:
            error.add_note(f"{name}: {'.'.join(map(str, path))}")
            wrong.append(error)
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} of {len(several)} keys", wrong)


def damaged(name, path, change):
    tables = tomllib.loads(TEXTS[name])
    *above, last = path
    here = tables
    for step in above:
        here = here[step]
    change(here, last)
    return tomli_w.dumps(tables)


def sentences(text):
    """Return what is wrong with a profile: nothing, or sentences that name the file and a key."""
    try:
        profile, faults = load(text, "x.toml"), ()
    except InvalidInputError as error:
        profile, faults = None, error.faults
    assert isinstance(profile, Profile) or faults
    if profile is not None:
        assert links(Scenario.of(profile))
    assert all(fault.startswith("x.toml: ") and "\n" not in fault for fault in faults)
    return faults


def wrong_type(name, path):
    def put(wrong, here, key):
        here[key] = copy.deepcopy(wrong)

    for wrong in WRONG:
        sentences(damaged(name, path, partial(put, wrong)))


def deleted(name, path):
    def delete(here, key):
        del here[key]

    sentences(damaged(name, path, delete))


def misspelt(name, path):
    def misspell(here, key):
        here[key + "x"] = here.pop(key)

    found = sentences(damaged(name, path, misspell))
    if path[-1] in ("kind", "model"):  # what else is unknown cannot be told without these
        assert any(f"{path[-1]} is missing" in fault for fault in found)
        return
    word = path[-1]
    unknown = [fault for fault in found if f"{word}x is unknown" in fault]
    assert len(unknown) == 1
    if len(word) > 1:  # with a single letter, half of the word is wrong
        assert unknown[0].endswith(f'did you mean "{word}"?')


@pytest.mark.parametrize(("name", "several"), list(portions()))
def test_wrong_type(name, several):
    each(wrong_type, name, several)


@pytest.mark.parametrize(("name", "several"), list(portions()))
def test_deleted(name, several):
    each(deleted, name, several)


@pytest.mark.parametrize(("name", "several"), list(portions(lambda path: isinstance(path[-1], str))))
def test_misspelt(name, several):
    each(misspelt, name, several)


def test_every_key_that_fails_is_named():
    def fail(_, path):
        assert path != ("link",)
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup, match="2 of 2 keys") as caught:
        each(fail, "full", [("link",), ("link", "delay")])
    assert [error.__notes__[-1] for error in caught.value.exceptions] == ["full: link", "full: link.delay"]
