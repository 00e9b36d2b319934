"""What reaches past the virtual clock, called from here."""

import _thread
import importlib
import multiprocessing
import os
import random
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time
import timeit

import pytest

from simlab.virtual.leaks import leaks_told


@pytest.fixture
def told():
    found = []
    with leaks_told(lambda: 12.5, lambda what, place: found.append((what, str(place)))):
        yield found


NAME = "asks the real network for a name"
NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
ENTROPY = "draws from the system's entropy: random.SystemRandom"


def _with_a_process():
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    process.join()


def _with_a_terminal():
    pid, terminal = os.forkpty()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(terminal)


def _with_a_bare_thread():
    held = _thread.allocate_lock()
    held.acquire()
    _thread.start_new_thread(held.release, ())
    held.acquire()


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: random.SystemRandom().random(), ENTROPY),
        (lambda: random.SystemRandom().getrandbits(8), ENTROPY),
        (lambda: random.SystemRandom().randbytes(4), ENTROPY),
        (lambda: random.SystemRandom().choice("ab"), ENTROPY),
        (lambda: os.getrandom(1), "draws from entropy without a seed: os.getrandom"),
        (lambda: ssl.RAND_bytes(1), "draws from entropy without a seed: ssl.RAND_bytes"),
        (lambda: time.process_time_ns(), "reads a real clock: time.process_time_ns"),
        (
            lambda: time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID),
            "reads a real clock: time.clock_gettime",
        ),
        (lambda: time.clock_gettime(time.CLOCK_TAI), "reads a real clock: time.clock_gettime"),
        (lambda: timeit.default_timer(), "reads a real clock: time.perf_counter"),
        (lambda: resource.getrusage(resource.RUSAGE_SELF), "reads a real clock: resource.getrusage"),
        (lambda: os.times(), "reads a real clock: os.times"),
        (lambda: subprocess.run(["true"], check=True), "starts a process"),
        (lambda: os.system("true"), "starts a process"),
        (_with_a_process, "starts a process"),
        (lambda: os.waitpid(os.posix_spawnp("true", ["true"], os.environ), 0), "starts a process"),
        (_with_a_terminal, "starts a process"),
        (_with_a_bare_thread, "starts a thread: _thread.start_new_thread"),
        (lambda: socket.getaddrinfo("127.0.0.1", 80), "asks the real network for a name: socket.getaddrinfo"),
        (lambda: socket.gethostbyname_ex("127.0.0.1"), f"{NAME}: socket.gethostbyname_ex"),
        (lambda: socket.getfqdn("127.0.0.1"), f"{NAME}: socket.gethostbyaddr"),
        (lambda: socket.getnameinfo(("127.0.0.1", 80), NUMERIC), f"{NAME}: socket.getnameinfo"),
        (lambda: signal.alarm(3600), "sets a real timer: signal.alarm"),
        (lambda: signal.setitimer(signal.ITIMER_REAL, 3600), "sets a real timer: signal.setitimer"),
        (lambda: time.sleep(3600), "sleeps in real time: time.sleep"),
    ],
)
def test_each_place_is_told_once(told, call, what):
    call()
    call()
    assert [said for said, _ in told] == [what]
    assert all("test_clock_leaks, line" in place for _, place in told)


def test_no_alarm_is_set(told):
    assert signal.setitimer(signal.ITIMER_VIRTUAL, 3600) == (0.0, 0.0)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_clocks_show_the_virtual_time(told):
    assert (time.monotonic(), time.monotonic_ns(), time.perf_counter()) == (12.5, 12_500_000_000, 12.5)
    assert [said for said, _ in told] == ["reads a real clock: time.perf_counter"]


def test_the_systems_monotonic_clocks_show_it_too(told):
    assert time.clock_gettime(time.CLOCK_MONOTONIC) == 12.5
    assert time.clock_gettime_ns(time.CLOCK_BOOTTIME) == 12_500_000_000
    assert told == []


def test_the_processors_time_is_the_virtual_time_too(told):
    assert time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID) == 12.5
    assert [said for said, _ in told] == ["reads a real clock: time.clock_gettime"]


def test_another_thread_has_the_real_clock(told):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:  # its thread is a leak, what runs in it is not
        assert executor.submit(time.monotonic).result() != 12.5
        executor.submit(time.sleep, 0.0).result()
    assert [said for said, _ in told] == ["starts a thread: threading.Thread"]


MEASURES = "import time\n\n\ndef measure():\n    return time.perf_counter()\n"


def measured_in(folder, monkeypatch):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "measures_it.py").write_text(MEASURES)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "measures_it", raising=False)
    return importlib.import_module("measures_it").measure()


@pytest.mark.parametrize("folder", ["app", "voice-packages", "site-packages.old"])
def test_a_users_own_code_is_told_of_wherever_it_lies(told, folder, tmp_path, monkeypatch):
    assert measured_in(tmp_path / folder, monkeypatch) == 12.5
    assert told == [("reads a real clock: time.perf_counter", "measures_it, line 5, in measure")]


@pytest.mark.parametrize("folder", ["lib/site-packages", "lib/dist-packages"])
def test_an_installed_library_may_measure(told, folder, tmp_path, monkeypatch):
    assert measured_in(tmp_path / folder, monkeypatch) == 12.5
    assert told == []


def test_a_library_in_a_folder_of_the_users_choice_may_measure(told, tmp_path, monkeypatch):
    (tmp_path / "vendor" / "httpx-0.28.1.dist-info").mkdir(parents=True)  # pip install --target vendor
    assert measured_in(tmp_path / "vendor", monkeypatch) == 12.5
    assert told == []
