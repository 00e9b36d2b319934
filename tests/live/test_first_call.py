"""What a session's processes import before it begins, so that its first call is no later than the next."""

import subprocess
import sys

import pytest

FIRST_CALL = """
import asyncio, sys
from simlab.live import {module}
from simlab.webrtc.http import http_client
from simlab.webrtc.later import import_for_first_call
from aiortc import RTCCertificate
{ready}
before = set(sys.modules)
RTCCertificate.generateCertificate().getFingerprints()
async def ask():
    async with http_client() as client:
        try:
            await client.get("http://127.0.0.1:9")
        except Exception:
            pass
asyncio.run(ask())
print(len(set(sys.modules) - before))
"""


def imported(module, ready):
    """Return how many modules the first certificate and the first request import."""
    program = FIRST_CALL.format(module=module, ready=ready)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


@pytest.mark.parametrize("module", ["client_process", "server_process"])
def test_a_first_call_imports_nothing_any_more(module):
    assert imported(module, "import_for_first_call()") == 0
    assert imported(module, "") > 10
