"""The headers that a reverse proxy changes: whose host it is, where cookies belong, where one is sent to."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from simlab.core.printable import printable

# RFC 9110 section 7.6.1.
_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
_COOKIE_DOMAIN = re.compile(r"(?i);\s*domain=\.?([^;]*)")
_Headers = CIMultiDict[str] | CIMultiDictProxy[str]


@dataclass(frozen=True)
class Mask:
    """Let a server see requests as if they were made to it, and a browser see answers as if from the proxy.

    Parameters
    ----------
    upstream
        The server's origin.
    """

    upstream: URL

    def to_server(
        self, headers: _Headers, here: str, peer: str, left_out: Collection[str] = ()
    ) -> CIMultiDict[str]:
        """Return the headers of a request as the server gets them.

        Parameters
        ----------
        here
            The proxy's own origin, as the browser has it: ``http://localhost:8000``.
        peer
            The address of the client.
        left_out
            Further names, in lower case.
        """
        kept = _kept(headers, left_out)
        kept["Host"] = _host(self.upstream)
        for name in ("Origin", "Referer"):
            value = kept.get(name, "")
            # A page from elsewhere says so, and the server decides about it.
            if value == here or value.startswith(f"{here}/"):
                kept[name] = f"{self.upstream.origin()}{value.removeprefix(here)}"
        before = f"{headers['X-Forwarded-For']}, " if "X-Forwarded-For" in headers else ""
        kept["X-Forwarded-For"] = before + peer
        kept.setdefault("X-Forwarded-Host", here.partition("://")[2])
        kept.setdefault("X-Forwarded-Proto", "http")
        return kept

    def to_client(self, headers: _Headers, here: str, left_out: Collection[str] = ()) -> CIMultiDict[str]:
        """Return the headers of an answer as the browser gets them."""
        kept = _kept(headers, left_out)
        theirs = str(self.upstream.origin())
        for name in ("Location", "Content-Location", "Access-Control-Allow-Origin"):
            value = kept.get(name, "")
            if value == theirs or value.startswith((f"{theirs}/", f"{theirs}?")):
                kept[name] = here + value.removeprefix(theirs)
        cookies = [self._cookie(cookie) for cookie in kept.popall("Set-Cookie", [])]
        for cookie in cookies:
            kept.add("Set-Cookie", cookie)
        return CIMultiDict((name, printable(value)) for name, value in kept.items())

    def _cookie(self, cookie: str) -> str:
        """Let a cookie for the server's own domain belong to the host that a browser knows."""

        def without(match: re.Match[str]) -> str:
            host = self.upstream.host or ""
            domain = match[1].strip().lower()
            return "" if host == domain or host.endswith(f".{domain}") else match[0]

        return _COOKIE_DOMAIN.sub(without, cookie)


def _kept(headers: _Headers, left_out: Collection[str]) -> CIMultiDict[str]:
    named = {name.strip().lower() for value in headers.getall("Connection", []) for name in value.split(",")}
    drop = _HOP_BY_HOP | named | set(left_out)
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in drop)


def _host(url: URL) -> str:
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host
    return f"{host}" if url.is_default_port() else f"{host}:{url.port}"
