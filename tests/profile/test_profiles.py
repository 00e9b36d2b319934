import json
import re

import pytest

from simlab.profile import load, schema
from simlab.profile.check import TABLES
from simlab.profile.faults_base import DirectedFault, FaultTable, TimedFault
from simlab.profile.fields import Table
from simlab.profile.only import ModelTable, PacketKeys
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
