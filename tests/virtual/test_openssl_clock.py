import pytest
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTP_PROFILES
from OpenSSL import SSL

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


def test_without_redirection_it_sleeps_the_real_remainder():
    # The one test that takes a real second: OpenSSL's shortest timer.
    with openssl_on_virtual_time(lambda: 0.0, redirect=False) as how:
        client = waiting_client()
        client.DTLSv1_handle_timeout()
        assert flight_of(client)
    assert how == SLEEPS


def test_afterwards_openssl_has_the_real_time_again():
    with openssl_on_virtual_time(lambda: 5.0):
        pass
    client = waiting_client()
    assert client.DTLSv1_get_timeout() == pytest.approx(1.0, abs=0.5)
