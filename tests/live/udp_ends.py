"""The sockets at both ends of a UDP relay."""

import socket

from simlab.live.sockets import endpoint

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def bound(family=socket.AF_INET):
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
    one.bind((LOOPBACK[family], 0))
    one.settimeout(20)
    return one


def place(text):
    return endpoint(text, "")[1]


def heard(one):
    payload, source = one.recvfrom(65535)
    return payload, source[:2]
