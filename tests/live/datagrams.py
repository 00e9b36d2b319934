"""What the tests of relays do with datagrams: ask and answer, and send more at once than can be read."""

import socket

import trio


async def endpoint(host):
    family = trio.socket.AF_INET6 if ":" in host else trio.socket.AF_INET
    opened = trio.socket.socket(family, trio.socket.SOCK_DGRAM)
    await opened.bind((host, 0))
    return opened


async def received(opened):
    with trio.fail_after(10):
        return await opened.recvfrom(65535)


async def ask(client, address, server, question=b"question"):
    """Let a client ask at an address and a server answer to where that came from; return where that is."""
    await client.sendto(question, address)
    came, source = await received(server)
    assert came == question
    await server.sendto(b"answer", source)
    answer, answered_from = await received(client)
    assert (answer, answered_from[:2]) == (b"answer", address)
    return source[:2]


def flood(address):
    """Send 8 MB, which is more than a socket of a relay can hold until the task that calls waits."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(140):
            sender.sendto(bytes(60_000), address)
