import shutil
import subprocess

import pytest
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTP_PROFILES
from cryptography.hazmat.bindings import _rust
from OpenSSL import SSL

from simlab.virtual import openssl_clock
from simlab.virtual.openssl_clock import REDIRECTED, SLEEPS, openssl_on_virtual_time


def waiting_client():
    """Return a DTLS client that has sent its first flight and hears nothing."""
    client = SSL.Connection(RTCCertificate.generateCertificate()._create_ssl_context(SRTP_PROFILES))
    client.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        client.do_handshake()
    client.bio_read(1500)
    return client


def flight_of(client):
    try:
        return client.bio_read(1500)
    except SSL.WantReadError:
        return b""


def test_a_lost_flight_is_sent_again_at_one_two_four_virtual_seconds():
    now = [1_750_000_000.0]
    with openssl_on_virtual_time(lambda: now[0]) as how:
        client = waiting_client()
        waits_s = []
        for _ in range(4):
            waits_s.append(client.DTLSv1_get_timeout())
            now[0] += waits_s[-1] - 0.020  # OpenSSL takes less than 15 ms for none
            client.DTLSv1_handle_timeout()
            assert flight_of(client) == b""
            now[0] += 0.021
            client.DTLSv1_handle_timeout()
            assert flight_of(client)
    assert how == REDIRECTED
    assert waits_s == pytest.approx([1.0, 2.0, 4.0, 8.0], abs=0.01)


def test_without_redirection_the_same_times_count_and_the_real_time_passes_as_well():
    # One of the few tests that take real time: OpenSSL's shortest timers.
    now = [1_750_000_000.0]
    with openssl_on_virtual_time(lambda: now[0], redirect=False) as how:
        client = waiting_client()
        assert client.DTLSv1_get_timeout() == 1.0
        now[0] += 0.984
        assert client.DTLSv1_get_timeout() == pytest.approx(0.016, abs=1e-6)
        client.DTLSv1_handle_timeout()
        assert flight_of(client) == b""
        now[0] += 0.002  # OpenSSL takes less than 15 ms for none
        assert client.DTLSv1_get_timeout() == 0.0
        client.DTLSv1_handle_timeout()
        assert flight_of(client)
        assert client.DTLSv1_get_timeout() == 2.0
    assert how == SLEEPS


@pytest.fixture
def slots_unknown():
    """Forget where the slots are, before and after a test that looks for them elsewhere."""
    openssl_clock._slots.cache_clear()
    yield
    openssl_clock._slots.cache_clear()


@pytest.mark.parametrize(
    ("system", "machine"), [("Darwin", "arm64"), ("Windows", "AMD64"), ("Linux", "riscv64")]
)
def test_on_other_machines_it_does_without(slots_unknown, monkeypatch, system, machine):
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    with openssl_on_virtual_time(lambda: 0.0) as how:
        assert how == SLEEPS


def test_where_the_table_may_not_be_written_to_it_does_without(monkeypatch):
    monkeypatch.setattr(openssl_clock, "_made_writable", lambda _: False)
    with openssl_on_virtual_time(lambda: 0.0) as how:
        assert how == SLEEPS


def test_afterwards_openssl_has_the_real_time_again():
    with openssl_on_virtual_time(lambda: 5.0):
        pass
    client = waiting_client()
    assert client.DTLSv1_get_timeout() == pytest.approx(1.0, abs=0.5)


@pytest.mark.skipif(shutil.which("readelf") is None, reason="binutils are not installed")
def test_the_slots_are_those_that_readelf_finds():
    listed = subprocess.run(["readelf", "-rW", _rust.__file__], capture_output=True, text=True, check=True)
    expected = [int(line.split()[0], 16) for line in listed.stdout.splitlines() if " gettimeofday" in line]
    assert expected
    assert openssl_clock._slot_offsets(_rust.__file__) == expected
