"""Whom the client of HTTP trusts, and when it learns that."""

import asyncio
import ssl

import pytest

from simlab.webrtc import http
from simlab.webrtc.lean import httpx


@pytest.fixture
def learnt(monkeypatch):
    """Return a list that grows whenever authorities are loaded."""
    times = []
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: times.append(1))
    http._trust_authorities.cache_clear()
    yield times
    http._trust_authorities.cache_clear()


@pytest.mark.parametrize(("scheme", "times"), [("http", 0), ("https", 1)])
def test_authorities_are_loaded_once_and_for_https_alone(learnt, scheme, times):
    async def ask():
        async with http.http_client() as client:
            for _ in range(2):
                with pytest.raises(httpx.ConnectError):
                    await client.get(f"{scheme}://127.0.0.1:9/")

    asyncio.run(ask())
    assert len(learnt) == times


def test_certificates_and_names_are_checked():
    context = http._ssl_context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
