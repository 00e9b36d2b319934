import pytest

from simlab.batch.scenarios import catalogue, load_file
from simlab.core.errors import InvalidInputError
from simlab.profile import Profile, load
from simlab.profile.load import checked
from simlab.profile.sparse import sparse

EVERY_TENTH = list(catalogue())[::10]


def says(tables: dict, profile: Profile) -> bool:
    try:
        return checked(tables, "") == profile
    except InvalidInputError:
        return False


def test_what_is_so_anyway_is_left_out():
    text = """
name = "x"
duration = "30s"
seed = 4
[peers]
media = ["audio"]
clients = 1
[client]
preset = "pipecat-1.10.8"
[client.behaviour]
stop_shared_tracks = true
drop_new_remote_tracks = false
[link]
duplicate = "0%"
delay = "20ms"
[[fault]]
kind = "block"
at = "1s"
for = "2s"
direction = "both"
match = ["stun"]
"""
    assert sparse(load(text, "x.toml")) == {
        "name": "x",
        "seed": 4,
        "client": {"behaviour": {"drop_new_remote_tracks": False}},
        "link": {"delay": "20ms"},
        "fault": [{"kind": "block", "at": "1s", "for": "2s", "match": ["stun"]}],
    }


@pytest.mark.parametrize("key", EVERY_TENTH)
def test_it_says_the_same_and_nothing_can_be_left_out(key: str):
    profile = load_file(key, {})
    tables = sparse(profile)
    assert checked(dict(tables), "") == profile
    for name in tables:
        less = {other: value for other, value in tables.items() if other != name}
        assert name == "name" or not says(less, profile)
