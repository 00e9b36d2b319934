"""What is encoded once and played in a loop."""

import signal
import subprocess
import sys
import time

import pytest

ENCODES = """
import sys
from simlab.webrtc import clips
print("imported", flush=True)
sys.stdout.buffer.write(b"".join(clips.TEST_PICTURE.encoded(sys.argv[1])))
"""


def encoded(codec, stop_s=0.0):
    """Return pictures from a process that is stopped for so long as often as it has run for 5 ms."""
    with subprocess.Popen([sys.executable, "-c", ENCODES, codec], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        while stop_s and process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            time.sleep(stop_s)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.005)
        return process.stdout.read()


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_a_busy_machine_encodes_the_same_pictures(codec):
    # libvpx makes less of a picture if the last ones took it too much of the real time, unless told not to.
    calm, busy = encoded(codec), encoded(codec, stop_s=0.03)
    assert calm == busy != b""
