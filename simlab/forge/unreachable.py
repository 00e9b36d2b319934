"""ICMP's word that nobody is at a port.

Source of the layout: RFC 792.
"""

from scapy.layers.inet import ICMP, IP, IPerror, UDPerror

Address = tuple[str, int]

_UNREACHABLE, _PORT = 3, 3


def port_unreachable(sender: Address, receiver: Address) -> bytes:
    """Return the ICMP message that tells a sender that nothing is at the port that it has sent to.

    It begins with its ICMP header, as a raw socket takes it, and quotes the headers of what was sent.
    """
    quoted = IPerror(src=sender[0], dst=receiver[0], proto=17) / UDPerror(sport=sender[1], dport=receiver[1])
    return bytes(IP() / ICMP(type=_UNREACHABLE, code=_PORT) / quoted)[20:]
