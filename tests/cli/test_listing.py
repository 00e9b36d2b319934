"""``simlab profiles``, ``simlab policies`` and ``simlab plot``."""

import json
import tomllib
from pathlib import Path

import pytest

from simlab.batch.scenarios import BUILT_IN
from simlab.cli.main import COMMANDS, main
from simlab.reconnect.policy import POLICIES


@pytest.fixture
def run_folder(simlab):
    result = simlab("run", "clean", "--set", "duration=3s", "--set", "peers.media=[]", "--quiet")
    return Path(result.stdout.strip())


@pytest.mark.parametrize("arguments", [["profiles"], ["profiles", "list"]])
def test_the_catalogue_is_listed_family_by_family(simlab, here, arguments):
    result = simlab(*arguments)
    names = [line.split()[0] for line in result.stdout.splitlines()[1:] if line]
    alone = sorted(path.stem for path in (here / "profiles").glob("*.toml") if path.stem != "nightly")
    in_families = sorted((path.parent.name, path.stem) for path in (here / "profiles").glob("*/*.toml"))
    assert names == [*alone, *("/".join(pair) for pair in in_families)]
    assert "A good fixed line: 20 ms each way, nothing lost, no faults" in result.stdout


def test_the_catalogue_as_json(simlab):
    listed = {one["key"]: one for one in json.loads(simlab("profiles", "list", "--json").stdout)}
    clean, lte = listed["clean"], listed["webpagetest/lte"]
    assert (clean["file"], clean["duration_s"], clean["faults"]) == ("profiles/clean.toml", 30.0, 0)
    assert (lte["file"], lte["name"], lte["family"]) == (
        "profiles/webpagetest/lte.toml",
        "webpagetest-lte",
        "webpagetest",
    )


@pytest.mark.parametrize("name", ["nlc/3g-good", "nlc-3g-good", "profiles/nlc/3g-good.toml"])
def test_a_profile_of_a_family_is_found_by_its_names(simlab, name):
    assert tomllib.loads(simlab("profiles", "show", name).stdout)["name"] == "nlc-3g-good"


def test_a_profile_is_found_without_its_family_if_no_other_family_has_one(simlab):
    assert tomllib.loads(simlab("profiles", "show", "elevator").stdout)["name"] == "places-elevator"
    result = simlab("profiles", "show", "3g")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: 3g: there are 5 of that name, say which: "
        "atc/3g, devtools/3g, firefox/3g, nlc/3g, webpagetest/3g\n",
    )


def test_a_file_that_a_profile_names_is_looked_for_beside_it(simlab, here):
    (here / "own").mkdir()
    (here / "own" / "a.toml").write_text('[link]\nrate = { model = "trace", file = "a.down" }\n')
    assert "own/a.toml: link.rate: the file" in simlab("profiles", "show", "own/a.toml").stderr
    (here / "own" / "a.down").write_text("1\n5\n9\n")
    shown = tomllib.loads(simlab("profiles", "show", "own/a.toml").stdout)
    assert shown["link"]["rate"]["ms"] == [1, 5, 9]


def test_the_catalogue_comes_with_the_package(simlab, here):
    with_folder = json.loads(simlab("profiles", "list", "--json").stdout)
    (here / "profiles").unlink()
    without = json.loads(simlab("profiles", "list", "--json").stdout)
    assert [one["key"] for one in without] == [one["key"] for one in with_folder]
    assert without[0]["file"] == str(BUILT_IN / "blackout.toml")
    assert tomllib.loads(simlab("profiles", "show", "nlc-3g-good").stdout)["name"] == "nlc-3g-good"


def test_a_profile_of_ones_own_comes_before_that_of_the_package(simlab, here):
    (here / "profiles").unlink()
    (here / "profiles").mkdir()
    for name in ("flaky", "ours"):
        (here / "profiles" / f"{name}.toml").write_text('duration = "7s"\n')
    files = {one["key"]: one["file"] for one in json.loads(simlab("profiles", "list", "--json").stdout)}
    assert (files["flaky"], files["ours"]) == ("profiles/flaky.toml", "profiles/ours.toml")
    assert files["clean"] == str(BUILT_IN / "clean.toml")
    assert tomllib.loads(simlab("profiles", "show", "flaky").stdout)["duration"] == "7s"


def test_a_file_that_is_named_must_be_there(simlab, here):
    (here / "profiles").unlink()
    result = simlab("profiles", "show", "profiles/flaky.toml")
    assert (result.exit_code, result.stderr) == (
        2,
        'Error: profiles/flaky.toml: there is no such file, did you mean "flaky"?\n',
    )


def test_a_profile_is_shown_in_full(simlab):
    shown = tomllib.loads(simlab("profiles", "show", "clean", "--set", "link.loss=5%").stdout)
    assert (shown["link"]["delay"], shown["link"]["duplicate"]) == ("20ms", "0%")
    assert shown["link"]["loss"] == "5%"
    assert shown["policy"]["name"] == "pipecat"


def test_a_right_profile_passes_the_check(simlab):
    result = simlab("profiles", "check", "profiles/clean.toml", "flaky")
    assert (result.exit_code, result.stdout) == (0, "2 profiles: nothing is wrong.\n")


def test_the_check_lists_every_fault_of_all_files(simlab):
    Path("a.toml").write_text("seed = -1\nduration = 5\n")
    Path("b.toml").write_text('[policy]\nname = "pipecta"\n')
    result = simlab("profiles", "check", "a.toml", "profiles/clean.toml", "b.toml")
    assert result.exit_code == 2
    assert [line.split(" is ")[0] for line in result.stderr.splitlines()] == [
        "Error:",
        "  a.toml: duration",
        "  a.toml: seed",
        "  b.toml: policy.name",
    ]


def test_the_check_as_json_is_json_alone(simlab):
    Path("a.toml").write_text("seed = -1\nduration = 5\n")
    Path("night.toml").write_text('name = "n"\n[[sweep]]\nname = "s"\nprofiles = ["clean"]\n')
    right = [
        {"file": "flaky", "kind": "profile", "name": "flaky", "ok": True, "problems": []},
        {"file": "night.toml", "kind": "suite", "name": "n", "ok": True, "problems": []},
    ]
    result = simlab("profiles", "check", "flaky", "night.toml", "--json")
    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (0, right, "")
    result = simlab("profiles", "check", "a.toml", "flaky", "night.toml", "--json")
    wrong, *others = json.loads(result.stdout)
    assert (result.exit_code, others) == (2, right)
    problems = wrong.pop("problems")
    assert wrong == {"file": "a.toml", "kind": "profile", "name": None, "ok": False}
    assert [problem.split(" is ")[0] for problem in problems] == ["a.toml: duration", "a.toml: seed"]
    assert result.stderr.splitlines()[1:] == [f"  {problem}" for problem in problems]
    assert (
        simlab("profiles", "check", "a.toml", "--measure", "--json").stdout
        == json.dumps([wrong | {"problems": problems}], indent=1) + "\n"
    )


@pytest.mark.parametrize("of", [("profiles", "flaky"), ("policies", "livekit")])
def test_what_is_shown_as_json_has_the_same_keys(simlab, of):
    command, name = of
    shown = simlab(command, "show", name)
    assert json.loads(simlab(command, "show", name, "--json").stdout) == tomllib.loads(shown.stdout)


def test_the_lists_are_json_without_the_word_list_too(simlab):
    for command in ("profiles", "policies"):
        assert simlab(command, "--json").stdout == simlab(command, "list", "--json").stdout


def test_the_schema_is_json(simlab):
    assert json.loads(simlab("profiles", "schema").stdout)["properties"]["link"]


def test_the_policies_are_listed_with_their_numbers(simlab):
    lines = simlab("policies").stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : len(POLICIES) + 1]] == list(POLICIES)
    pipecat = json.loads(simlab("policies", "--json").stdout)[0]
    assert (pipecat["name"], pipecat["grace"], pipecat["max_attempts"]) == ("pipecat", "5s", 3)


@pytest.mark.parametrize(("file_format", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_picture_is_drawn_again(simlab, run_folder, file_format, magic):
    result = simlab("plot", str(run_folder), "--format", file_format)
    path = run_folder / f"timeline.{file_format}"
    assert result.stdout == f"{path}\n"
    assert path.read_bytes().startswith(magic)


def test_the_same_run_gives_the_same_picture(simlab, run_folder):
    first = (run_folder / "timeline.png").read_bytes()
    simlab("plot", str(run_folder), "--out", "again.png")
    assert Path("again.png").read_bytes() == first
    for name in ("one.svg", "two.svg"):
        simlab("plot", str(run_folder), "--out", name)
    assert Path("one.svg").read_bytes() == Path("two.svg").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["nowhere"], 2, "nowhere: no such folder"),
        (["profiles"], 2, "profiles: is neither a run nor a study"),
        (["RUN", "--out", "a.bmp"], 2, "--out a.bmp: want a name that ends in .png, .svg, .pdf, or --format"),
        (["RUN", "--out", "no/such/a.png"], 3, "no/such/a.png: the file could not be written"),
    ],
)
def test_what_cannot_be_drawn_is_said(simlab, run_folder, arguments, status, told):
    result = simlab("plot", *(argument.replace("RUN", str(run_folder)) for argument in arguments))
    assert result.exit_code == status
    assert told in result.stderr


def commands():
    """Return the arguments that lead to each command that does something."""
    for name in COMMANDS:
        command = main.get_command(None, name)
        yield [name]
        yield from ([name, below] for below in getattr(command, "commands", ()))


@pytest.mark.parametrize("arguments", [[], *commands()], ids=" ".join)
def test_every_help_has_an_example(simlab, arguments):
    result = simlab(*arguments, "--help")
    assert result.exit_code == 0
    assert f"  simlab {' '.join(arguments)}".rstrip() in result.stdout.partition("Example")[2]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.symlink_to("/dev/zero"), "it is longer than 10 MB"),
        (lambda path: path.write_text("1\n" * 5_000_001), "it is longer than 10 MB"),
        (lambda path: path.mkdir(), "Is a directory"),
    ],
)
def test_a_file_that_a_profile_names_and_that_is_none_is_told(simlab, here, make, told):
    make(here / "x.down")
    (here / "own.toml").write_text('[link]\nrate = { model = "trace", file = "x.down" }\n')
    result = simlab("profiles", "check", "own.toml")
    assert (result.exit_code, result.stderr) == (
        2,
        f'Error: own.toml: link.rate: the file "x.down" cannot be read: {told}\n',
    )
