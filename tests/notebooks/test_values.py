"""What a cell of a notebook shows that ends with a value of simlab's: a sentence, or a picture, too."""

import base64

import pytest

from tests.notebooks.kernel import kernel

SETUP = """
import simlab
from pathlib import Path
short = {"peers.media": [], "duration": "40s"}
run = simlab.run("blackout", set=short)
study = simlab.sweep("blackout", policies=["pipecat", "never"], seeds=2, jobs=1, set=short)
hunted = simlab.hunt("clean", policies="livekit", seeds=1, set=short, tries=0, jobs=1)
Path("two.toml").write_text('''
[[sweep]]
name = "cut"
profiles = ["blackout"]
policies = ["never"]
seeds = 2
set = { duration = "40s", peers.media = [] }
[sweep.expect]
recovery_p95 = "<= 1s"
''')
night = simlab.nightly("two.toml", jobs=1)
"""


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    with kernel(tmp_path_factory.mktemp("cells")) as started:
        assert started.run(SETUP) == []
        yield started


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (
            "study.recovery()",
            "[<blackout, pipecat: 2 of 2 calls saved, 2 of 2 outages over>,\n"
            " <blackout, never: 2 of 2 calls saved, 2 of 2 outages over>]",
        ),
        (
            "study.comparisons()",
            "[<blackout: pipecat and never can't be told apart with 2 seeds: about 8 would be needed>]",
        ),
        ("hunted", "<Hunted in 1 session: livekit breaks ready-but-dead>"),
        ("night", "<Night 1 of two: nothing failed in 5 checks, 1 can't be told>"),
        ("night.cells", "[<cut: blackout, never: nothing failed in 5 checks>]"),
    ],
)
def test_a_value_is_told_in_a_line(cells, cell, told):
    assert cells.value(cell) == {"text/plain": told}


def test_a_timeline_and_a_finding_are_told_in_a_line(cells):
    number = cells.value("len(run.timeline.events)")["text/plain"]
    assert cells.value("run.timeline") == {"text/plain": f"<Timeline of {number} events in 40 s>"}
    detail = cells.printed("print(hunted.findings[0].detail)").rstrip()
    told = f"<livekit breaks ready-but-dead in 1 of 1 session: {detail}>"
    assert cells.value("hunted.findings[0]") == {"text/plain": told}


@pytest.mark.parametrize(
    "cell",
    [
        "run",
        "run.plot()",
        "study",
        "study.plot_recovery()",
        "study.plot_usable()",
        "study.plot_cost()",
        "simlab.compare(study, study)",
        "simlab.compare(study, study).plot()",
    ],
)
def test_a_picture_is_shown_once(cells, cell):
    shown = cells.value(cell)
    assert sorted(shown) == ["image/png", "text/plain"]
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")


def test_axes_show_what_was_changed_of_them(cells):
    cells.run("ax = run.plot()")
    before, after = (cells.value(cell)["image/png"] for cell in ("ax", 'ax.set_title("mine"); ax'))
    assert before != after


def test_with_matplotlib_inline_what_is_drawn_in_the_users_axes_is_shown_once(cells):
    cells.run("%matplotlib inline\nimport matplotlib.pyplot as plt")
    shown = cells.run("_, axes = plt.subplots(2)\nrun.plot(axes[0]); study.plot_recovery(axes[1]);")
    assert [(kind, sorted(content["data"])) for kind, content in shown] == [
        ("display_data", ["image/png", "text/plain"])
    ]
