"""What a comparison of two studies looks like in a console and a notebook."""

from simlab.batch.compare import compare
from simlab.batch.study import Study
from simlab.study.tables import SESSION_COLUMNS, outages_frame, sessions_frame


def study(usable_fraction):
    rows = [
        dict.fromkeys(SESSION_COLUMNS, 0)
        | {"clock": "virtual", "final_state": "ready", "violated": "", "succeeded": True}
        | {"media_up_alive_at_end": True, "media_down_alive_at_end": True}
        | {"video_up_alive_at_end": False, "video_down_alive_at_end": False}
        | {"session": seed, "profile": "flaky", "policy": "pipecat", "seed": seed}
        | {"duration_s": 60.0, "usable_fraction": usable_fraction + seed / 1000}
        for seed in range(1, 11)
    ]
    return Study(["profile", "policy"], sessions_frame(rows), outages_frame([]))


def test_it_shows_its_finding_and_not_all_its_numbers():
    compared = compare(study(0.9), study(0.5))
    assert repr(compared) == "<Compared, 1 cell: Worse: flaky pipecat.>"


def test_a_notebook_shows_the_picture():
    assert compare(study(0.9), study(0.5))._repr_png_().startswith(b"\x89PNG")
