"""Libraries that are imported without what they bring along."""

import subprocess
import sys

import pytest


def told(program):
    """Return what a program prints in a process of its own, to which nothing is imported yet."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()


def test_a_virtual_session_imports_no_command_line_no_trio_and_no_pytest():
    program = "import sys, simlab.virtual.session; print(*sys.modules)"
    assert {"rich", "pygments", "click", "trio", "pytest", "httpx._main"} & set(told(program)) == set()


@pytest.mark.parametrize(
    "before",
    ["import simlab.store; simlab.store.stamp()", "simlab.run('clean', set={'duration': '1s'}, out='.')"],
)
def test_nor_does_what_saves_it(before, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = f"import sys, simlab; {before}; import simlab.virtual.session; print(*sys.modules)"
    assert {"trio", "pytest", "httpx._main"} & set(told(program)) == set()


def test_what_was_left_out_can_be_imported_afterwards():
    program = "import simlab.webrtc.lean, trio, rich, httpx._main, pytest; print(httpx._main.main.name)"
    assert told(program) == ["main"]


@pytest.mark.parametrize("library", ["trio", "asyncio"])
def test_httpx_works_under_trio_all_the_same(library):
    program = f"""
import asyncio, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from simlab.webrtc.lean import httpx
import trio

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()

async def ask():
    async with httpx.AsyncClient(trust_env=False) as client:
        print((await client.get(f"http://127.0.0.1:{{server.server_port}}/")).status_code)

{library}.run({"ask" if library == "trio" else "ask()"})
"""
    assert told(program) == ["204"]


def test_time_machine_reads_texts_all_the_same():
    program = """
import sys
from simlab.webrtc.lean import time_machine
print("dateutil.parser" in sys.modules)
import time
with time_machine.travel("2 January 2024 03:04:05 UTC", tick=False):
    print(int(time.time()))
"""
    assert told(program) == ["False", "1704164645"]
