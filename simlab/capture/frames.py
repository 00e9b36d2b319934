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
_IPV6_HEADER_BYTES = 40
_DO_NOT_FRAGMENT = 0x4000  # so that the identification may be 0 (RFC 6864 section 4.1)


@lru_cache(maxsize=4096)
def _packed(host: str) -> bytes:
    return ip_address(host.partition("%")[0]).packed


@lru_cache(maxsize=4096)
def _text(host: bytes) -> str:
    return str(ip_address(host))


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


def unframed(packet: bytes) -> tuple[Address, Address, bytes]:
    """Return source, destination and payload of a packet as ``frame`` makes it.

    Raises
    ------
    ValueError
        If it is none: of another protocol, fragmented, or cut short.
    """
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= _IPV4_HEADER_BYTES:
        start, protocol, hosts = 4 * (packet[0] & 0x0F), packet[9], (packet[12:16], packet[16:20])
    elif version == 6 and len(packet) >= _IPV6_HEADER_BYTES:
        start, protocol, hosts = _IPV6_HEADER_BYTES, packet[6], (packet[8:24], packet[24:40])
    else:
        raise ValueError("not an IP packet")
    if protocol != _UDP or len(packet) < start + _UDP_HEADER_BYTES:
        raise ValueError("not a UDP datagram")
    ports = struct.unpack_from("!HH", packet, start)
    source, destination = ((_text(host), port) for host, port in zip(hosts, ports, strict=True))
    return source, destination, packet[start + _UDP_HEADER_BYTES :]
