"""What some tests need that not every machine has. A build server has it all: there, nothing is skipped."""

import os
from importlib.util import find_spec

import pytest


def needs(what: str, there: bool) -> None:
    """Skip a test, or a module of tests, where something is missing, unless on a build server."""
    if not there and os.environ.get("CI") != "true":
        pytest.skip(f"needs {what}", allow_module_level=True)


def needs_pipecat() -> None:
    """Skip the tests of a module without the extra ``simlab[pipecat]``."""
    needs('pip install "simlab[pipecat]"', all(map(find_spec, ("pipecat", "fastapi"))))


def needs_fast() -> None:
    """Skip a test, or a module of tests, without the extra ``simlab[fast]``."""
    needs('pip install "simlab[fast]"', find_spec("numba") is not None)


def needs_browser() -> None:
    """Skip the tests of a module without a browser, what drives it, or the published client."""
    from simlab.live import chromium_page

    needs('pip install "simlab[browser]"', find_spec("playwright") is not None)
    needs("chromium in PATH", chromium_page.executable() is not None)
    needs("npm in PATH", chromium_page.is_built() or chromium_page.can_be_built())


def needs_ipv6() -> None:
    """Skip a test where the machine has no IPv6, not even on loopback."""
    from simlab.live.intercept.media_hosts import is_own

    needs("::1, an address that this machine has not got", is_own("::1"))
