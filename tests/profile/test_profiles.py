import json
import re

import pytest
from jsonschema import Draft202012Validator

from simlab.profile import load, schema
from simlab.profile.check import TABLES
from simlab.profile.faults_base import DirectedFault, FaultTable, TimedFault
from simlab.profile.fields import Table
from simlab.profile.only import ModelTable, PacketKeys
from simlab.profile.suite import suite_schema
from tests.profile.texts import FULL, SHIPPED


def test_which_are_shipped():
    assert {"blackout", "clean", "flaky", "ice_blocked", "lossy", "signalling_down"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_says_what_it_is_and_where_its_numbers_come_from(name):
    profile = load(SHIPPED[name], f"{name}.toml")
    assert profile.name == name
    assert profile.description
    assert profile.source


def test_flaky():
    flaky = load(SHIPPED["flaky"], "flaky.toml")
    assert flaky.duration_s == 120.0
    assert [(f.kind, f.at_s, f.for_s) for f in flaky.faults] == [
        ("blackout", 15.0, 4.0),
        ("blackout", 35.0, 16.0),
        ("block", 80.0, 18.0),
        ("signalling", 80.0, 18.0),
    ]


def test_every_table_can_suggest_its_keys():
    def below(cls):
        return {
            c for sub in cls.__subclasses__() for c in ({sub} | below(sub)) if not c.__name__.startswith("_")
        }

    # What the kinds of fault, and the models, have in common is no table by itself.
    assert set(TABLES.values()) == below(Table) - {
        FaultTable,
        TimedFault,
        DirectedFault,
        ModelTable,
        PacketKeys,
    }


def test_the_schema_knows_every_key():
    text = json.dumps(schema())
    for key in re.findall(r"^(\w+) =", FULL, re.MULTILINE):
        assert f'"{key}": ' in text
    assert schema()["additionalProperties"] is False


def defaults(part, defs):
    """Each default of a JSON Schema, with the schema of its key."""
    if isinstance(part, dict):
        if "default" in part and not isinstance(part["default"], dict):
            yield part["default"], {**part, "$defs": defs}
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from defaults(one, defs)


@pytest.mark.parametrize("of", [schema, suite_schema])
def test_each_default_in_the_schema_is_what_a_file_could_say(of):
    # An editor writes it behind the key that it completes: 30.0 there was no duration.
    whole = of()
    found = list(defaults(whole["properties"], whole["$defs"])) + list(
        defaults(whole["$defs"], whole["$defs"])
    )
    assert len(found) > 10
    wrong = [(default, keys) for default, keys in found if not Draft202012Validator(keys).is_valid(default)]
    assert [(default, keys["title"]) for default, keys in wrong] == []


def test_the_default_of_a_table_in_the_schema_is_right():
    profile = schema()
    tables = {key: one["default"] for key, one in profile["properties"].items() if "$ref" in one}
    assert len(tables) > 5
    assert list(Draft202012Validator(profile).iter_errors(tables)) == []
