"""Datagrams as they would be on the wire: IP and UDP headers around payloads."""

import struct
from functools import lru_cache
from ipaddress import ip_address

from scapy.utils import checksum

Address = tuple[str, int]

_UDP = 17
_HOPS = 64
_UDP_HEADER_BYTES = 8
_IPV4_HEADER_BYTES = 20
_DO_NOT_FRAGMENT = 0x4000  # so that the identification may be 0 (RFC 6864 section 4.1)


@lru_cache(maxsize=4096)
def _packed(host: str) -> bytes:
    return ip_address(host.partition("%")[0]).packed


def frame(source: Address, destination: Address, payload: bytes) -> bytes:
    """Return an IPv4 or IPv6 packet with a UDP datagram, all lengths and checksums right.

    Source: RFC 791, RFC 8200 section 8.1 (pseudo-header), RFC 768.
    """
    here, there = _packed(source[0]), _packed(destination[0])
    udp_bytes = _UDP_HEADER_BYTES + len(payload)
    ports = struct.pack("!HHH", source[1], destination[1], udp_bytes)
    pseudo_header = here + there + struct.pack("!LL", udp_bytes, _UDP)
    # 0 would say that there is no checksum.
    udp_sum = checksum(pseudo_header + ports + b"\0\0" + payload) or 0xFFFF
    datagram = ports + udp_sum.to_bytes(2) + payload
    if len(here) == 4:
        return _ipv4(here, there, udp_bytes) + datagram
    return struct.pack("!LHBB", 6 << 28, udp_bytes, _UDP, _HOPS) + here + there + datagram


def _ipv4(here: bytes, there: bytes, inside_bytes: int) -> bytes:
    size = _IPV4_HEADER_BYTES + inside_bytes
    fields = struct.pack("!BBHHHBB", 0x45, 0, size, 0, _DO_NOT_FRAGMENT, _HOPS, _UDP)
    header_sum: int = checksum(fields + b"\0\0" + here + there)
    return fields + header_sum.to_bytes(2) + here + there
