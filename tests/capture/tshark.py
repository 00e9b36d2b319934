"""Ask tshark, Wireshark without windows, about a capture."""

import shutil
import subprocess
from pathlib import Path

import simlab.capture
from simlab.capture import CAPTURE, KEYS
from tests.needs import needs

SCRIPT = Path(simlab.capture.__file__).with_name("webrtc.lua")
# Wireshark 4.0 has no keys of SRTP. It warns of each SRTCP packet, and reads some of what is encrypted.
WITHOUT_SRTCP = ("--disable-protocol", "rtcp", "--disable-protocol", "srtcp")


def needs_tshark():
    """Skip the tests of a module without tshark."""
    needs("tshark in PATH", shutil.which("tshark") is not None)


def ask(folder, *arguments):
    """Return the lines that tshark prints about the capture in a folder, with its keys."""
    command = ["tshark", "-n", "-r", str(folder / CAPTURE), "-o", f"tls.keylog_file:{folder / KEYS}"]
    command += ["-X", f"lua_script:{SCRIPT}", *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said = found.stderr.replace('Running as user "root" and group "root". This could be dangerous.\n', "")
    assert said == ""  # nothing of a file that is damaged or cut short
    return found.stdout.splitlines()


def warnings(folder):
    """Return what tshark warns of, or takes for an error."""
    wanted = ("-Y", "_ws.expert.severity >= warning", "-T", "fields", "-e", "_ws.expert.message")
    return set(ask(folder, *WITHOUT_SRTCP, *wanted))


def count(folder, wanted):
    """Return how many packets a display filter lets through."""
    return len(ask(folder, "-Y", wanted, "-T", "fields", "-e", "frame.number"))


def links(folder):
    """Return what the links did, as metrics.json has it, by tshark's count of packets and comments."""
    fields = (
        "-T",
        "fields",
        "-e",
        "frame.interface_name",
        "-e",
        "frame.packet_flags_direction",
        "-e",
        "frame.comment",
    )
    found = {way: {"offered": 0, "delivered": 0, "dropped": {}} for way in ("up", "down")}
    for line in ask(folder, *fields):
        name, direction, comments = line.split("\t")
        inbound = int(direction, 16) == 1
        way = (
            name.split()[1]
            if name.startswith("inside")
            else "up"
            if inbound == (name == "client side")
            else "down"
        )
        if not name.startswith("inside"):
            found[way]["offered" if inbound else "delivered"] += 1
        for comment in filter(None, comments.split(",")):
            cause = comment.removeprefix("dropped: ")
            if cause != comment:
                found[way]["dropped"][cause] = found[way]["dropped"].get(cause, 0) + 1
    return found
