"""How long SCTP's chunks are: Pipecat changes it for the whole process when it is imported."""

from aiortc import rtcsctptransport

# To be imported before Pipecat.
_own_bytes = rtcsctptransport.USERDATA_MAX_LENGTH


def put_back() -> None:
    """Make it what it was before, for sessions without Pipecat."""
    rtcsctptransport.USERDATA_MAX_LENGTH = _own_bytes


def take_over(length_bytes: int) -> None:
    """Make it what Pipecat wants."""
    rtcsctptransport.USERDATA_MAX_LENGTH = length_bytes
