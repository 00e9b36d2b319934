"""Sessions with several clients, from the command line."""

import json

import pytest

_KEYS = ("peers.clients=3", "peers.arriving=1s", "duration=25s", "fault[0].at=4s", "fault[0].for=1s")
SHORT = ("storm", *(word for key in _KEYS for word in ("--set", key)))


def test_no_several_clients_under_the_real_clock(simlab):
    result = simlab("run", *SHORT, "--clock", "real")
    assert result.exit_code == 2
    assert "storm: peers.clients is 3, but the real clock runs one: --clock virtual" in result.stderr


def test_what_is_told_of_a_storm(simlab):
    result = simlab("run", *SHORT, "--policy", "immediate")
    assert result.exit_code == 0
    assert "All 3 clients were ready after" in result.output
    assert "In the end 3 of 3 clients had their call." in result.output
    assert result.output.count("has its call") == 3


def test_as_json(simlab):
    result = simlab("run", *SHORT, "--policy", "immediate", "--json")
    found = json.loads(result.stdout)
    assert found["storm"]["saved"] == 3
    assert [one["client_id"] for one in found["clients"]] == [1, 2, 3]


def test_the_picture_is_drawn_again(simlab, tmp_path):
    simlab("run", *SHORT, "--out", "again")
    folder = next((tmp_path / "again").iterdir())
    assert simlab("plot", str(folder), "--format", "svg").exit_code == 0
    assert "usable" in (folder / "timeline.svg").read_text()
    assert simlab("report", str(folder)).exit_code == 0
    assert "of 3 clients" in (folder / "report.html").read_text()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_sweep_counts_the_outages_of_all(simlab, jobs):
    policies = ("--policy", "immediate", "--policy", "never")
    result = simlab("sweep", *SHORT, *policies, "--seeds", "2", "--jobs", jobs, "--json")
    assert result.exit_code == 0
    cells = {cell["policy"]: cell for cell in json.loads(result.stdout)["cells"]}
    assert {name: cell["succeeded"] for name, cell in cells.items()} == {"immediate": 2, "never": 0}
    for cell in cells.values():
        assert (cell["sessions"], cell["outages"]) == (2, 6)
