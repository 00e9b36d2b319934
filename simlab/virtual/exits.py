"""Let code of the user's own that ends the process end its session alone."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from simlab.virtual.replace import replaced


@contextmanager
def exits_withheld() -> Iterator[None]:
    """Let ``os._exit`` in this thread do as ``sys.exit`` does, for as long as the context lasts.

    Other threads, and processes that are copies of this one, end as they want to.
    """
    owner, leave = (os.getpid(), threading.get_ident()), os._exit

    def raise_exit(status: int) -> NoReturn:
        if (os.getpid(), threading.get_ident()) != owner:
            leave(status)
        raise SystemExit(f"os._exit({status})")

    with replaced(os, "_exit", raise_exit):
        yield
