from hypothesis import given, settings
from hypothesis import strategies as st

from simlab.core.errors import InvalidInputError
from simlab.profile import load
from simlab.profile.drawn_faults import HUNTED, drawn_faults
from simlab.profile.load import checked
from simlab.profile.simpler import STEPS, shorter, size, with_fewer_events, with_fewer_keys
from simlab.profile.sparse import sparse

RICH = load(
    """
name = "rich"
duration = "60s"
seed = 9
[peers]
server = "pipecat"
media = ["audio"]
[client]
preset = "fixed"
[policy]
name = "livekit"
[link]
delay = "20ms"
loss = { model = "gilbert-elliott", loss = "3%", burst = 4 }
[link.up]
rate = "500kbit/s"
[nat]
timeout = "30s"
[[action]]
at = "3s"
do = "mute"
""",
    "rich.toml",
)


def tables_of(seed: int, most: int) -> dict:
    faults = drawn_faults(RICH, seed, HUNTED, most)
    return sparse(RICH.model_copy(update={"faults": faults}))


def is_valid(tables: dict) -> bool:
    try:
        checked(dict(tables), "")
    except InvalidInputError:
        return False
    return True


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(1, 5), st.randoms(use_true_random=False))
def test_steps_that_make_it_smaller_come_to_an_end_and_leave_what_is_measured(seed, most, chance):
    tables = tables_of(seed, most)
    measured = [tables["client"], tables["policy"], tables["peers"]["server"]]
    while True:
        smaller = [one for step in STEPS for one in step(tables) if size(one) < size(tables)]
        chance.shuffle(smaller)
        found = next(filter(is_valid, smaller), None)
        if found is None:
            break
        assert [found["client"], found["policy"], found["peers"]["server"]] == measured
        tables = found
    assert "fault" not in tables
    assert "action" not in tables
    assert tables == {
        "name": "rich",
        "duration": "1s",
        "peers": {"server": "pipecat", "media": []},
        "client": {"preset": "fixed"},
        "policy": {"name": "livekit"},
    }


def test_faults_go_by_halves():
    faults = [{"kind": "rebind", "at": f"{n}s"} for n in range(4)]
    left = [
        "".join(one["at"][0] for one in less.get("fault", []))
        for less in with_fewer_events({"fault": faults})
    ]
    assert left == ["", "23", "01", "123", "023", "013", "012"]


def test_times_become_shorter_earlier_and_rounder():
    tables = {"duration": "60s", "fault": [{"kind": "blackout", "at": "8.3s", "for": "4.2s"}]}
    lengths = [one["duration"] for one in shorter(tables) if one["duration"] != "60s"]
    assert lengths == ["13s", "25s", "37s", "49s", "56s"]
    faults = [one["fault"][0] for one in shorter(tables) if one["duration"] == "60s"]
    assert [one["for"] for one in faults if one["at"] == "8.3s"] == ["1s", "2s", "3s", "4s", "4s"]
    assert [one["at"] for one in faults if one["for"] == "4.2s"] == [
        "0s",
        "2s",
        "4s",
        "6s",
        "7s",
        "10s",
        "8s",
    ]


def test_each_key_goes_and_those_that_say_what_is_measured_stay():
    tables = sparse(RICH)
    gone = [
        {name for name in tables if tables.get(name) != less.get(name)} for less in with_fewer_keys(tables)
    ]
    assert {name for names in gone for name in names} == {"seed", "peers", "link", "nat"}
    without_loss = {**tables["link"], "loss": {"model": "gilbert-elliott"}}
    links = [less.get("link") for less in with_fewer_keys(tables)]
    assert None in links
    assert {key: value for key, value in tables["link"].items() if key != "loss"} in links
    assert without_loss not in links
