"""What an installed simlab has with it."""

from configparser import ConfigParser
from itertools import chain
from pathlib import Path

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
