"""What README.md and docs/ say of the command line, of each other and of ``import simlab`` is there."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import simlab
from simlab.cli.main import main

PROJECT = Path(__file__).parents[2]
DOCUMENTS = {
    one.relative_to(PROJECT).as_posix(): one.read_text()
    for one in [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*.md"))]
}
LINES = [
    line.strip()
    for text in DOCUMENTS.values()
    for line in text.splitlines()
    if re.match("    simlab [a-z]", line)
]


def commands(command=main, path=("simlab",)):
    """Each command, those of the groups too, with the words that it is called by."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


def parsed(words):
    """The exit status and the output of a command line that is read, and then not run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click.Command, "invoke", lambda command, context: 0)
        result = CliRunner().invoke(main, words)
    return result.exit_code, result.output


@pytest.mark.parametrize("line", sorted(set(LINES)))
def test_each_command_line_is_one(line):
    assert parsed(shlex.split(line, comments=True)[1:]) == (0, "")


def test_there_are_command_lines():
    assert len(LINES) > 80
    status, told = parsed(["run", "flaky", "--sed", "7"])
    assert status == 2
    assert "No such option" in told


def test_each_option_is_in_a_document_that_names_its_command():
    missing = []
    for path, command in commands():
        named = [text for text in DOCUMENTS.values() if " ".join(path[:2]) in text]
        for option in (one for one in command.params if isinstance(one, click.Option)):
            told = [text for text in named if re.search(rf"{option.opts[0]}(?![\w-])", text)]
            missing += [] if told else [" ".join((*path, option.opts[0]))]
    assert missing == []


def test_each_name_of_the_package_is_in_the_documents():
    whole = "\n".join(DOCUMENTS.values())
    assert [name for name in simlab.__all__ if not re.search(rf"\b{name}\b", whole)] == []


def anchors(document):
    """The anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", DOCUMENTS[document], flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_link_leads_somewhere(document):
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", DOCUMENTS[document])
    wrong = []
    for file, anchor in links:
        target = ((PROJECT / document).parent / file).resolve() if file else PROJECT / document
        if not target.exists() or (
            anchor and anchor not in anchors(target.relative_to(PROJECT.resolve()).as_posix())
        ):
            wrong.append(f"{file}#{anchor}")
    assert wrong == []
