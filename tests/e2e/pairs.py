"""Sessions between real counterparts: each pair meets once, over the same network."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from simlab.live import chromium_page, tree
from simlab.live.session import Settings, run
from tests.virtual.sessions import scenario

SHORT_S, LONG_S = (4.0, 8.0), (14.0, 30.0)
"""When the two blackouts begin and end."""
DURATION_S = 46.0
HANG_UP_S = 0.4

PROFILE = f"""
duration = "{DURATION_S:g}s"
clock = "real"
[link]
delay = "20ms"
[[fault]]
kind = "blackout"
at = "4s"
for = "4s"
[[fault]]
kind = "blackout"
at = "14s"
for = "16s"
"""

TAB_CLOSED = """
duration = "8s"
clock = "real"
[[fault]]
kind = "tab-closed"
at = "4s"
"""

# Two at a time, and the one with two foreign halves beside the one with none.
PAIRS = (("chromium", "builtin"), ("builtin", "pipecat"), ("chromium", "pipecat"), ("builtin", "builtin"))

# Two browsers and eight interpreters on two cores: the relay may be late by what no assertion sees.
_SETTINGS = Settings(hang_up_s=HANG_UP_S, worst_error_s=0.1)


def meet(pair):
    """Let a pair meet, and return the timeline."""
    client, server = pair
    return run(scenario(PROFILE, peers__client=client, peers__server=server), _SETTINGS)


def close_tab():
    """Let a browser with all its processes be killed in the middle, and return the timeline."""
    return run(scenario(TAB_CLOSED, peers__client="chromium"), Settings(worst_error_s=0.1))


def meet_all():
    """Let all pairs meet, and return their timelines by pair, and that of the closed tab."""
    chromium_page.build()
    with ThreadPoolExecutor(2) as pool:
        closed = pool.submit(close_tab)
        return dict(zip(PAIRS, pool.map(meet, PAIRS), strict=True)), closed.result()


def left_running(files):
    """Return the commands of processes that sessions have left behind, whoever their parent is now.

    ``files`` is the folder that had all their temporary files.
    """
    own = {member.pid for member in tree.descendants(os.getpid())}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        # Everything of a browser's is in a folder of its session.
        if int(folder.name) in own or f"{files}/" in command:
            found.append(command)
    return found
