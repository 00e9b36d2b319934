"""A relay with its live page, and what passes through it."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading


class Traffic:
    """Clients that send a packet each so often to a relay, and a target that sends each back.

    ``returned`` counts what the first client got.
    """

    def __init__(self, clients=1, period_s=0.01):
        self.target, *self.clients = (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(1 + clients)
        )
        self.target.bind(("127.0.0.1", 0))
        for end in (self.target, *self.clients):
            end.settimeout(0.2)
        self.client = self.clients[0]
        self.period_s = period_s
        self.returned = 0
        self._ended = threading.Event()
        self._threads = []

    def begin(self, relay):
        for work in (self._echo, self._hear, lambda: self._send(relay)):
            self._threads.append(threading.Thread(target=work))
            self._threads[-1].start()

    def burst(self, relay, packets):
        """Send so many packets at once."""
        for _ in range(packets):
            self._send_one(self.client, relay)

    def _echo(self):
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                self.target.sendto(*self.target.recvfrom(2000))

    def _hear(self):
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                self.client.recv(2000)
                self.returned += 1

    def _send(self, relay):
        while not self._ended.wait(self.period_s):
            for client in self.clients:
                self._send_one(client, relay)

    @staticmethod
    def _send_one(client, relay):
        host, _, port = relay.rpartition(":")
        client.sendto(b"x" * 200, (host, int(port)))

    def end(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for end in (self.target, *self.clients):
            end.close()


@contextlib.contextmanager
def relaying(traffic, folder):
    """Run a relay between clients and target; yield the address of its page, and where it listens."""
    to = f"127.0.0.1:{traffic.target.getsockname()[1]}"
    command = [sys.executable, "-m", "simlab", "relay", "--listen", "127.0.0.1:0", "--to", to]
    command += ["--quiet", "--control", "127.0.0.1:0", "--socket", str(folder / "control")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline() for _ in range(4)]
            listen = re.search(r"Relaying (\S+) to", lines[0])[1]
            traffic.begin(listen)
            yield re.search(r"Live page: (\S+)", lines[3])[1], listen
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
