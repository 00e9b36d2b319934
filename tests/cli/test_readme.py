"""The README's own examples are right."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
README = (PROJECT / "README.md").read_text()


def test_its_profile_passes_the_check_and_runs(simlab, here):
    (text,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (here / "tunnel.toml").write_text(text)
    result = simlab("run", "tunnel.toml", "--set", "peers.media=[]")
    assert result.exit_code == 0, result.output
    assert "From 20.0 s until 28.0 s: blackout both ways [fault 0]." in result.stdout


def test_its_account_is_what_is_printed_today(simlab):
    (told,) = re.findall(r"```\n(flaky, policy .*?)```", README, re.DOTALL)
    printed = simlab("run", "flaky").stdout.splitlines()
    assert [line for line in told.splitlines() if line not in printed] == []


def test_its_files_and_folders_exist():
    inside = re.findall(r"`((?:profiles|docs|results|simlab)/[\w./]*)`|\]\(([\w./]+)\)", README)
    paths = [one or other for one, other in inside]
    assert len(paths) > 10
    assert [path for path in paths if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize("document", ["README.md", *sorted(f"docs/{one.name}" for one in DOCS.glob("*.md"))])
def test_python_examples_run_in_any_folder(document):
    # They are copied into folders that have no profiles/: there the catalogue's name does, its path does not.
    blocks = re.findall(r"```python\n(.*?)```", (PROJECT / document).read_text(), re.DOTALL)
    # A suite is in no catalogue: its example names a file.
    assert [block for block in blocks if re.search('"profiles/(?!nightly)', block)] == []
