"""What cells of a notebook show: values, and what is wrong."""

import re

import pytest

from tests.notebooks.kernel import kernel


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    with kernel(tmp_path_factory.mktemp("cells")) as started:
        started.run('import simlab\nquick = {"peers.media": [], "duration": "3s"}')
        yield started


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('simlab.run("clean", policy="pipecatt")', 'policy is "pipecatt", did you mean "pipecat"?'),
        ('simlab.sweep("clean", seeds=-1)', "seeds is -1, want a whole number from 1 to 1,000,000"),
        ('simlab.open("gone")', "gone: no such folder"),
        ('simlab.trend("gone.jsonl")', "gone.jsonl: no such file"),
    ],
)
def test_what_is_wrong_is_shown_with_the_line_of_the_cell_and_nothing_of_the_inside(cells, line, told):
    found = cells.error(f"seven = 7\n{line}")
    assert found[0] == "-" * 75
    assert found[1].split() == ["InvalidInputError", "Traceback", "(most", "recent", "call", "last)"]
    assert found[2].startswith("Cell In[")
    assert found[3:] == ["      1 seven = 7", f"----> 2 {line}", "", f"InvalidInputError: {told}"]


def test_what_is_wrong_with_the_arguments_of_a_method_is_shown_as_short(cells):
    cells.run('study = simlab.sweep("clean", seeds=1, jobs=1, set=quick)')
    found = cells.error('study.sql("select x from nothing")')
    assert found[3:] == [
        '----> 1 study.sql("select x from nothing")',
        "",
        "InvalidInputError: the query is wrong: relation 'nothing' was not found",
    ]


# A second thread interrupts as soon as something is kept, as the button of a notebook does: by a signal.
INTERRUPT_WHEN_KEPT = """
import os, signal, threading, time
from pathlib import Path

def interrupt():
    while not any(Path("kept").glob("*/journal.jsonl")) or not any(
        file.stat().st_size for file in Path("kept").glob("*/journal.jsonl")
    ):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
"""


def test_a_sweep_that_is_interrupted_says_what_is_kept_and_the_next_cell_goes_on(cells):
    cells.run(INTERRUPT_WHEN_KEPT)
    call = 'simlab.sweep("clean", seeds=12, jobs=2, set={**quick, "duration": "600s"}, out="kept")'
    found = cells.error(f"threading.Thread(target=interrupt).start()\n{call}")
    assert found[3:6] == ["      1 threading.Thread(target=interrupt).start()", f"----> 2 {call}", ""]
    told = re.fullmatch(
        r"Interrupted: (\d+) of 12 sessions over, and kept: "
        r"the same with resume='(kept/\S+-unfinished)' goes on",
        found[6],
    )
    assert told is not None
    assert found[7:] == []
    assert cells.value(f"len(simlab.open({told[2]!r}).sessions)") == {"text/plain": told[1]}
    again = call.replace(', out="kept"', f", resume={told[2]!r}")
    assert cells.value(f"len({again}.sessions)") == {"text/plain": "12"}


# Or as soon as a session runs.
INTERRUPT_WHEN_RUNNING = """
import os, signal, sys, threading, time
from pathlib import Path

def codes():
    for frame in sys._current_frames().values():
        while frame is not None:
            yield frame.f_code
            frame = frame.f_back

def interrupt_it():
    while not any(
        (code.co_filename.endswith("simlab/virtual/loop.py"), code.co_name) == (True, "_run_once")
        for code in codes()
    ):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (
            'simlab.run("clean", set={**quick, "duration": "20h"})',
            "what was recorded is not kept: there is no out",
        ),
        (
            'simlab.sweep("clean", jobs=1, set={**quick, "duration": "20h"})',
            "0 of 20 sessions over, and not kept: there is no out",
        ),
        (
            'simlab.hunt("clean", jobs=1, seeds=4, set={**quick, "duration": "20h"})',
            "0 of 4 sessions over, and nothing was broken",
        ),
        ('simlab.nightly("long.toml", jobs=1)', "what was over is not kept: there is no out"),
    ],
)
def test_what_is_interrupted_says_that_nothing_is_kept(cells, call, told):
    cells.run(INTERRUPT_WHEN_RUNNING)
    cells.run(
        'Path("long.toml").write_text("""[[sweep]]\nname = "a"\nprofiles = ["clean"]\n'
        'seeds = 2\nset = { duration = "20h", peers.media = [] }""");'
    )
    begin = "threading.Thread(target=interrupt_it).start()"
    found = cells.error(f"{begin}\n{call}")
    assert found[3:] == [f"      1 {begin}", f"----> 2 {call}", "", f"Interrupted: {told}"]


IN_MAIN = (
    "which other processes cannot import, want a module in a file: "
    "in a notebook, %%writefile mine.py makes one of a cell"
)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('policy="__main__:Mine"', f'policy is "__main__:Mine", {IN_MAIN}'),
        ('set={"peers.server": "__main__:Mine"}', f'clean: peers.server is "__main__:Mine", {IN_MAIN}'),
        ('set={"peers.client": "__main__:Mine"}', f'clean: peers.client is "__main__:Mine", {IN_MAIN}'),
    ],
)
def test_what_a_notebook_defines_itself_is_refused(cells, arguments, told):
    cells.run("from simlab.reconnect.rules import Rules\nclass Mine(Rules): pass")
    assert cells.error(f'simlab.run("clean", {arguments})')[4:] == ["", f"InvalidInputError: {told}"]


POLICY = """%%writefile my_policy.py
from simlab.reconnect.rules import Rules
from simlab.reconnect.terms import Policy
class Mine(Rules):
    policy = Policy(name="mine", source="a test", grace_s={grace_s})
"""


def test_a_policy_that_is_written_again_is_taken_as_it_is(cells):
    call = 'simlab.run("blackout", policy="my_policy:Mine", set={**quick, "duration": "40s"})'
    for grace_s in (1.5, 10.25):
        cells.run(POLICY.format(grace_s=grace_s))
        cells.run(f"(outage,) = {call}.metrics['outages']")
        waited = cells.value("round(outage['first_attempt_s'] - outage['detected_s'], 6)")
        assert waited == {"text/plain": str(grace_s)}


def test_an_application_of_another_name_in_a_file_that_is_written_again_is_found(cells):
    for name in ("first", "second"):
        cells.run(f"%%writefile my_app.py\nfrom aiohttp import web\n{name} = web.Application()")
        set_ = f'set={{**quick, "peers.server": "my_app:{name}"}}'
        assert cells.value(f'simlab.run("clean", {set_}).failed is None') == {"text/plain": "True"}


@pytest.mark.parametrize(
    "call",
    [
        'simlab.sweep("clean", policies=["pipecat", "never"], seeds=2, jobs=2, set=quick, watch=watch)',
        'simlab.hunt("clean", seeds=4, jobs=1, set=quick, watch=watch)',
        'simlab.nightly("short.toml", jobs=1, watch=watch)',
    ],
)
def test_it_is_told_how_many_sessions_are_over(cells, call):
    cells.run(
        'from pathlib import Path\nPath("short.toml").write_text("""[[sweep]]\nname = "a"\n'
        'profiles = ["clean"]\nseeds = 4\nset = { duration = "3s", peers.media = [] }""");'
    )
    cells.run('watch = lambda over, of: print(f"\\r{over} of {of} sessions", end="")')
    told = "".join(f"\r{over} of 4 sessions" for over in (1, 2, 3, 4))
    assert cells.printed(f"{call};") == told


def test_what_watches_must_be_a_function(cells):
    told = "InvalidInputError: watch is 3, want a function, or None"
    assert cells.error('simlab.sweep("clean", watch=3)')[-1] == told
