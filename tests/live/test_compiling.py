"""What is kept of the compiled functions is out of date as soon as any of their files is another."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import simlab
from simlab.live.udp import compiled
from tests.needs import needs_fast

needs_fast()

from simlab.live.udp.compiled import compiling  # noqa: E402 - it needs what is needed above

ASKING = """
from simlab.live.udp.compiled.clients import hash_of
print(hash_of(1), sum(hash_of.stats.cache_hits.values()))
"""


def test_a_number_from_another_file_is_compiled_in_anew(tmp_path):
    shutil.copytree(
        Path(simlab.__file__).parent, tmp_path / "simlab", ignore=shutil.ignore_patterns("__pycache__")
    )
    layout = tmp_path / "simlab" / "live" / "udp" / "compiled" / "layout.py"

    def asked():
        done = subprocess.run([sys.executable, "-c", ASKING], cwd=tmp_path, capture_output=True, check=True)
        return [int(word) for word in done.stdout.split()]

    of_18_bits, of_16_bits = (0x9E3779B97F4A7C15 >> 64 - bits for bits in (18, 16))
    assert asked() == [of_18_bits, 0]
    assert asked() == [of_18_bits, 1]
    text = layout.read_text()
    layout.write_text(text.replace("TABLE_BITS = 18", "TABLE_BITS = 16"))
    assert asked() == [of_16_bits, 0]


def test_what_is_compiled_in_comes_from_files_that_are_looked_at():
    looked_at = {module.__name__ for module in compiling.NUMBERS_FROM} | {compiling.__name__}
    for path in Path(compiled.__file__).parent.glob("*.py"):
        froms = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        modules = {node.module for node in froms if node.module.startswith("simlab.")}
        if compiling.__name__ in modules:
            elsewhere = {name for name in modules if not name.startswith(compiled.__name__)}
            assert elsewhere <= looked_at, path.name
