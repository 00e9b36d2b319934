"""Hosts of the virtual network, and what their names mean to the code that runs on one."""

import contextvars

Address = tuple[str, int]

ANY = "0.0.0.0"
LOOPBACK = "127.0.0.1"

# The address of the host that the running code is on. Tasks and callbacks inherit it.
current_host: contextvars.ContextVar[str] = contextvars.ContextVar("current_host")


def meant(host: str | None) -> str:
    """Return the address that a name of the current host's own stands for; any other is one itself."""
    if host in (None, "", ANY, "::"):
        return ANY
    assert host is not None
    return LOOPBACK if host in ("localhost", "::1") or host.startswith("127.") else host
