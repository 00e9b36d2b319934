"""What cells of a notebook show: values, and what is wrong."""

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
        ('simlab.sweep("clean", seeds=-1)', "seeds is -1, want a whole number of 1 or more"),
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
