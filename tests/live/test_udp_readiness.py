"""Which sockets have something to read, be they few or many."""

import fcntl
import resource
import socket
from contextlib import ExitStack

import pytest

from simlab.live.udp.readiness import MOST_POLLED, Readiness


@pytest.fixture
def pairs():
    with ExitStack() as stack:

        def make(number):
            made = [socket.socketpair(type=socket.SOCK_DGRAM) for _ in range(number)]
            for ours, theirs in made:
                stack.enter_context(ours)
                stack.enter_context(theirs)
            return made

        yield make


def found(readiness, for_s):
    return sorted(fd for fd, _ in readiness.wait(for_s))


def test_few_are_polled_and_many_are_not(pairs):
    readiness, some = Readiness(), pairs(MOST_POLLED + 1)
    for number, (ours, _) in enumerate(some):
        assert (readiness.epoll is None) == (number <= MOST_POLLED)
        readiness.add(ours.fileno())
    assert readiness.epoll is not None
    readiness.remove(some[0][0].fileno())
    assert readiness.epoll is None
    assert list(readiness.fds) == [ours.fileno() for ours, _ in some[1:]]


@pytest.mark.parametrize("for_s", [0.0, 0.001, 0.01, 10.0])
@pytest.mark.parametrize("number", [2, MOST_POLLED, MOST_POLLED + 1, 100])
def test_those_with_something_to_read_are_found(pairs, number, for_s):
    readiness, some = Readiness(), pairs(number)
    for ours, _ in some:
        readiness.add(ours.fileno())
    some[0][1].send(b"a")
    some[-1][1].send(b"b")
    assert found(readiness, for_s) == sorted([some[0][0].fileno(), some[-1][0].fileno()])
    some[0][0].recv(1)
    readiness.remove(some[-1][0].fileno())
    assert found(readiness, min(for_s, 0.01)) == []
    assert found(readiness, -1.0) == []


def test_what_select_does_not_know_is_left_to_epoll(pairs):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    ((ours, theirs),) = pairs(1)
    high = socket.socket(fileno=fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD_CLOEXEC, 1024))
    with high:
        readiness = Readiness()
        readiness.add(high.fileno())
        assert readiness.epoll is not None
        theirs.send(b"a")
        assert found(readiness, 0.001) == [high.fileno()]
        readiness.remove(high.fileno())
        assert readiness.epoll is None
