"""A target and a client of a UDP relay, and relays between them."""

import contextlib

import pytest

import simlab
from simlab.live.sockets import endpoint_text
from tests.live.udp_ends import bound
from tests.needs import needs_fast


@pytest.fixture
def target():
    with bound() as one:
        yield one


@pytest.fixture
def client():
    with bound() as one:
        yield one


@pytest.fixture
def relaying(request, target):
    """Start relays to the target."""
    to, compiled = endpoint_text(target.getsockname()), getattr(request, "param", False)
    if compiled:
        needs_fast()
    with contextlib.ExitStack() as stack:
        yield lambda **wishes: stack.enter_context(simlab.Relay.start(to=to, compiled=compiled, **wishes))
