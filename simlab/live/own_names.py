"""By which names this machine is served to browsers."""

import ipaddress
from collections.abc import Collection


def is_ours(host: str, names: Collection[str]) -> bool:
    """Tell whether a Host header names an address, ``localhost`` or one of ``names``.

    A page of any site may let its own name mean this machine (DNS rebinding), and a browser then takes what
    answers there for that page's own server. No DNS can turn an address, nor what ends in ``localhost``
    (RFC 6761 section 6.3).
    """
    bare = _without_port(host)
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        known = {"localhost", *(name.lower().rstrip(".") for name in names)}
        return bare in known or bare.endswith(".localhost")
    return True


def _without_port(host: str) -> str:
    bare = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    return bare.lower().rstrip(".")
