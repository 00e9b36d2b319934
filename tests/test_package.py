"""What an installed simlab has with it."""

import re
import shutil
import subprocess
import sys
import tarfile
from configparser import ConfigParser
from email import message_from_bytes
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "simlab"


def test_every_file_that_is_no_python_is_declared_to_be_part_of_the_package():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    patterns = config["options.package_data"]["simlab"].split()
    declared = set(chain.from_iterable(PACKAGE.glob(pattern) for pattern in patterns))
    catalogue = PACKAGE / "catalogue"  # a link, which rglob does not follow
    folders = chain([PACKAGE, catalogue], PACKAGE.rglob("*/"), catalogue.rglob("*/"))
    own = (folder for folder in folders if folder.name != "__pycache__")  # Python's and numba's
    there = {file for folder in own for file in folder.iterdir() if file.is_file()}
    assert {file for file in there if file.suffix != ".py"} == declared
    assert PACKAGE / "catalogue" / "flaky.toml" in declared


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The source distribution of a checkout, unpacked."""
    folder = tmp_path_factory.mktemp("built")
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "results")
    checkout = shutil.copytree(ROOT, folder / "checkout", symlinks=True, ignore=left_out)
    _build("build_sdist", checkout, folder)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(sources):
    """The wheel that is made of it."""
    _build("build_wheel", sources, sources.parent)
    (file,) = sources.parent.glob("*.whl")
    with ZipFile(file) as opened:
        yield opened


def _build(hook: str, source: Path, into: Path) -> None:
    call = f"import sys; from setuptools import build_meta; build_meta.{hook}(sys.argv[1])"
    subprocess.run([sys.executable, "-c", call, into], cwd=source, check=True, capture_output=True)


def _files_of(package: Path) -> set[str]:
    folders = chain([package], package.rglob("*/"), (package / "catalogue").rglob("*/"))
    files = (file for folder in folders for file in folder.iterdir() if file.is_file())
    own = {file.relative_to(package.parent).as_posix() for file in files}
    return {file for file in own if "__pycache__" not in file}


def test_the_sources_are_the_package_and_what_it_is_built_from(sources):
    assert _files_of(sources / "simlab") == _files_of(PACKAGE)
    files = {file.relative_to(sources).as_posix() for file in sources.rglob("*") if file.is_file()}
    assert {file for file in files if not file.startswith(("simlab/", "simlab.egg-info/"))} == {
        "CHANGES.md",
        "LICENSE",
        "MANIFEST.in",
        "PKG-INFO",
        "README.md",
        "docs/package.md",
        "pyproject.toml",
        "setup.cfg",
    }


def test_the_wheel_is_the_package(wheel):
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == _files_of(PACKAGE)


def test_what_an_index_shows_leads_to_no_file_of_the_repository(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    told = message_from_bytes(wheel.read(name))
    assert told["License-Expression"] == "BSD-2-Clause"
    assert told["Description-Content-Type"] == "text/markdown"
    description = told.get_payload()
    assert "pip install simlab" in description
    assert [link for link in re.findall(r"\]\((.*?)\)", description) if "://" not in link] == []
    assert {f'"simlab[{extra}]"' for extra in told.get_all("Provides-Extra")} - {'"simlab[test]"'} == set(
        re.findall(r'"simlab\[.*?\]"', description)
    )
