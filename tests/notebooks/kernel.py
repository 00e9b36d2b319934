"""A kernel of Jupyter's without any notebook, and what its cells show."""

import re
from contextlib import contextmanager

from jupyter_client.manager import KernelManager

_TIMEOUT_S = 60
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Kernel:
    """One that runs. ``run`` gives what a cell shows: ``(kind, content)`` in the order in which it came."""

    def __init__(self, client):
        self.client = client

    def run(self, cell):
        """Run a cell to its end."""
        shown = []

        def keep(message):
            kind, content = message["msg_type"], message["content"]
            if kind in ("stream", "execute_result", "display_data", "error"):
                shown.append((kind, content))

        # Else what comes right after a cell that failed may be left out, and show nothing.
        once = {"allow_stdin": False, "stop_on_error": False}
        self.client.execute_interactive(cell, timeout=_TIMEOUT_S, output_hook=keep, **once)
        return shown

    def error(self, cell):
        """Run a cell that fails, and return the lines that it shows of that, without colours."""
        ((_, content),) = [one for one in self.run(cell) if one[0] == "error"]
        return _COLOURS.sub("", "\n".join(content["traceback"])).splitlines()

    def value(self, cell):
        """Run a cell that shows its value alone, and return its forms, as text/plain and image/png."""
        ((kind, content),) = self.run(cell)
        assert kind == "execute_result", content
        return content["data"]

    def printed(self, cell):
        """Run a cell that prints something, and return that."""
        shown = self.run(cell)
        assert {kind for kind, _ in shown} == {"stream"}, shown
        return "".join(content["text"] for _, content in shown)


@contextmanager
def kernel(folder):
    """Start a kernel in a folder."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_TIMEOUT_S)
        yield Kernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
