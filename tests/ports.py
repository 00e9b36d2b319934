"""Ports for servers that have to be told one."""

import random
import socket


def free_port(kind=socket.SOCK_STREAM, hosts=("127.0.0.1", "::1")):
    """Return a port that is free at these hosts, from below those that the system gives out by itself.

    Whoever connects gets one of the system's, so that one of them, free a moment ago, may be taken before
    the server listens. See ``ip_local_port_range`` in Linux's ``ip(7)``.
    """
    drawn = random.SystemRandom()  # others may have seeded random in the same way
    for _ in range(100):
        port = drawn.randrange(10_000, 32_000)
        if all(_is_free(host, port, kind) for host in hosts):
            return port
    raise AssertionError(f"no port is free at {hosts}")


def _is_free(host, port, kind):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
