"""Run sessions with these servers, one after the other, and print a digest of each."""

import hashlib
import sys

from simlab.virtual.session import run
from tests.virtual.sessions import scenario

# Messages that are lost, and one that fits in one chunk of aiortc's and in two of Pipecat's.
CALL = """
name = "call"
duration = "12s"
[peers]
server = "{}"
media = []
[link]
delay = "20ms"
loss = "5%"
[[action]]
at = "2s"
do = "send"
size = "1020B"
"""


def main():
    for server in sys.argv[1:]:
        text = run(scenario(CALL.format(server))).to_text()
        print(server, hashlib.blake2b(text.encode()).hexdigest())


if __name__ == "__main__":
    main()
