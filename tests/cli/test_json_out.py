"""With --json there is nothing but JSON on stdout, whatever code of the user's own does."""

import json
import os
import subprocess
import sys

import pytest

TALKATIVE = """
import os
import sys
from tests.apps.aiohttp_bot import app

print("imported")
sys.__stdout__.write("written\\n")
os.write(1, b"by the system\\n")
os.system("echo by a process")
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_module_prints_goes_to_stderr(tmp_path, jobs):
    (tmp_path / "talkative.py").write_text(TALKATIVE)
    seeds = ("--seeds", jobs, "--jobs", jobs, "--out", str(tmp_path / "out"))
    command = (*(sys.executable, "-m", "simlab", "run", "clean", "--set", "duration=2s"), *seeds)
    ran = subprocess.run(
        [*command, "--server", "talkative:app", "--json"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = json.loads(ran.stdout)
    assert len(found) == 2 if jobs == "2" else found["profile"] == "clean"
    for printed in ("imported", "written", "by the system", "by a process"):
        assert printed in ran.stderr.splitlines()
