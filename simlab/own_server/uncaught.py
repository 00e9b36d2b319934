"""Tell what no code of the user's own catches where aiortc keeps it to itself, in a log that nobody hears."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiortc.mediastreams import MediaStreamError


@contextmanager
def uncaught_told(what: str, wanted: bool = True) -> Iterator[None]:
    """Tell the event loop's exception handler what is raised, and let it pass.

    Parameters
    ----------
    what
        Whose it is, as the beginning of a sentence.
    wanted
        Whether to tell. What a handler of an event raises goes to the handlers of its ``error``, and is
        nobody's only after these: then that event raises it.
    """
    try:
        yield
    except MediaStreamError:  # how a track ends
        raise
    except Exception as error:
        if wanted:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"{what} raised", "exception": error}
            )
        raise
