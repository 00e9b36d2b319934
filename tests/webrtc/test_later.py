"""What aiortc imports, put off until it is used; each in a process to which nothing is imported yet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import sys
import simlab.virtual
import aiortc.codecs.opus, aiortc.rtcrtpsender
from simlab.webrtc import clips
"""
SESSION = """
import sys
from simlab.batch.session import run_scenario
from simlab.profile import Scenario, load
messages = '[peers]\\nmedia = []\\n'
def run(more):
    return run_scenario(Scenario.of(load('duration = "3s"\\n' + more, "later.toml"), seed=1)).timeline
"""


def told(program, path=""):
    """Return what a program prints; ``path`` comes before the installed libraries."""
    environment = os.environ | {"PYTHONPATH": str(path)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


@pytest.mark.parametrize("more", ["messages", "''"])
def test_messages_and_the_tone_need_neither_pyav_nor_dnspython(more):
    tells = f"assert run({more}).to_text(); print('av' in sys.modules, type(sys.modules['dns.message']))"
    assert told(SESSION + tells) == ["False", "<class", "'importlib.util._LazyModule'>"]


@pytest.mark.parametrize("more", ['[peers]\\nmedia = ["video"]', '[bot]\\nvoice = "echo"'])
def test_pictures_and_other_sound_have_the_real_pyav_from_the_beginning(more):
    tells = f"""
from simlab.virtual import session
world = session.virtual_world
def telling(*args):
    print(hasattr(sys.modules.get("av"), "__version__"))
    return world(*args)
session.virtual_world = telling
assert run('{more}').to_text()
"""
    assert told(SESSION + tells) == ["True"]


def test_names_that_end_in_local_draw_from_no_entropy_in_the_first_session_either():
    fault = '[[fault]]\\nkind = "mdns-unresolvable"\\nat = "0s"\\nfor = "3s"\\n'
    sessions = f"texts = [run(messages + '{fault}').to_text() for _ in range(2)]\n"
    tells = "print('leak' in texts[0], len(set(texts)))"
    assert told(SESSION + sessions + tells) == ["False", "1"]


def test_nothing_is_an_instance_of_what_nobody_has_imported():
    assert told(BEGIN + "print(isinstance(3, aiortc.rtcrtpsender.Frame), 'av' in sys.modules)") == [
        "False",
        "False",
    ]


def test_the_first_use_brings_the_real_things_everywhere():
    use = """
aiortc.codecs.opus.OpusDecoder()
import av
print(aiortc.rtcrtpsender.Frame is av.frame.Frame, clips.av is av)
print(aiortc.codecs.opus.CodecContext is av.CodecContext)
"""
    assert told(BEGIN + use) == ["True", "True", "True"]


def test_a_frame_is_one_for_aiortc_whoever_has_imported_pyav():
    use = """
Frame = aiortc.rtcrtpsender.Frame
import av
print(isinstance(av.AudioFrame(), Frame), isinstance(3, Frame), aiortc.rtcrtpsender.Frame is av.frame.Frame)
"""
    assert told(BEGIN + use) == ["True", "False", "True"]


@pytest.mark.parametrize("line", ["class Mine(FFmpegError): pass", 'FFmpegError(1, "")'])
def test_an_aiortc_that_needs_the_real_pyav_gets_it(tmp_path, line):
    (tmp_path / "aiortc.py").write_text(f"from av import FFmpegError\n{line}\n")
    program = """
import sys
from simlab.webrtc.later import import_aiortc
import_aiortc()
import av, aiortc
print(aiortc.FFmpegError is av.FFmpegError)
"""
    assert told(program, tmp_path) == ["True"]


def test_where_pyav_is_there_already_nothing_stands_in_for_it():
    program = "import av" + BEGIN + "print(aiortc.rtcrtpsender.Frame is av.frame.Frame, clips.av is av)"
    assert told(program, Path.cwd()) == ["True", "True"]
