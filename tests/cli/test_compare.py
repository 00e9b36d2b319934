"""``simlab compare`` and the pictures of studies."""

import json

SETTINGS = [
    "--policy",
    "never",
    "--seeds",
    "8",
    "--jobs",
    "1",
    "--set",
    "peers.media=[]",
    "--set",
    "duration=25s",
]


def swept(simlab, here, length, out):
    fault = f"fault=[{{ kind = 'blackout', at = '3s', for = '{length}' }}]"
    result = simlab("sweep", "flaky", *SETTINGS, "--set", fault, "--out", str(here / out))
    assert result.exit_code == 0, result.output
    (folder,) = (here / out).iterdir()
    return str(folder)


def test_a_longer_blackout_is_a_regression_unless_tolerated(simlab, here):
    before, after = swept(simlab, here, "4s", "a"), swept(simlab, here, "7s", "b")
    result = simlab("compare", before, after)
    assert result.exit_code == 1
    assert "regression: usable_fraction, longest_outage" in result.stdout
    assert result.stdout.splitlines()[-1] == "Worse: flaky never."
    tolerated = ["--tolerance", "usable_fraction=20%", "--tolerance", "longest_outage=4s"]
    found = simlab("compare", before, after, *tolerated, "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout)["cells"][0]["verdict"] == "worse"
    assert simlab("compare", after, before).exit_code == 0
    assert simlab("compare", before, str(here)).exit_code == 2

    drawn = simlab("plot", before, "--format", "svg").stdout.split()
    assert [path.rpartition("/")[2] for path in drawn] == ["recovery.svg", "usable.svg", "cost.svg"]
    wrong = simlab("plot", before, "--kind", "heat")
    assert (wrong.exit_code, "there are recovery, usable and cost" in wrong.stderr) == (2, True)
