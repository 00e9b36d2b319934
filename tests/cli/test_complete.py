"""What bash offers when the user presses tab."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simlab.core.errors import InvalidInputError
from simlab.profile.load import load

# Outside of bash's own completion compopt has nothing to change.
COMPLETED = """
eval "$(_SIMLAB_COMPLETE=bash_source simlab)"
compopt() { echo "compopt: $2"; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_simlab_completion simlab
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def tab(here):
    """Return what bash offers for the last of some words."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def offered(*words):
        command = ["bash", "--norc", "-c", COMPLETED, "bash", "simlab", *words]
        found = subprocess.run(
            command, capture_output=True, text=True, check=True, env=os.environ | {"PATH": path}
        )
        assert found.stderr == ""
        return found.stdout.split("\n")[:-1]

    return offered


OR_FILES = "compopt: default"


def test_a_profile_of_the_catalogue(tab):
    assert tab("run", "flak") == [OR_FILES, "flaky"]
    assert tab("sweep", "nat/mapping-e") == [OR_FILES, "nat/mapping-expiry"]
    assert tab("profiles", "show", "bla") == [OR_FILES, "blackout"]


def test_a_file_where_no_profile_has_such_a_name(tab):
    assert tab("run", "my_own") == [OR_FILES, ""]


def test_a_profile_in_the_working_directory(tab, tmp_path, monkeypatch):
    own = tmp_path / "elsewhere" / "profiles"
    own.mkdir(parents=True)
    (own / "flame.toml").write_text("")
    monkeypatch.chdir(own.parent)
    assert tab("run", "fla") == [OR_FILES, "flaky", "flame"]


def test_a_policy(tab):
    offered = tab("run", "flaky", "--policy", "aws-")
    assert offered == [OR_FILES, "aws-full-jitter", "aws-equal-jitter", "aws-decorrelated"]


def test_a_key_and_room_for_its_value(tab):
    assert tab("run", "flaky", "--set", "link.up.del") == ["link.up.delay", "link.up.delay="]
    assert tab("sweep", "flaky", "--vary", "policy.gr") == ["policy.grace", "policy.grace="]
    offered = tab("run", "flaky", "--set", "nat.")
    assert "nat.timeout" in offered
    assert "nat.timeout=" not in offered


def test_a_folder(tab):
    assert tab("run", "flaky", "--out", "res") == ["compopt: dirnames", ""]


@pytest.mark.parametrize("words", [("report",), ("compare", "a"), ("nightly",), ("plot",)])
def test_a_file_or_what_is_saved(tab, words):
    assert tab(*words, "res") == [OR_FILES, ""]


def test_every_key_that_is_offered_is_one(tab):
    offered = tab("run", "flaky", "--set", "")
    assert len(offered) > 100
    for key in offered:
        assert "is unknown" not in faults_of(key)
    assert "is unknown" in faults_of("link.dely")


def faults_of(key):
    try:
        load("", "empty.toml", {key: "no such value"})
    except InvalidInputError as error:
        return str(error)
    return ""
