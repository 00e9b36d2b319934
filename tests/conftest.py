"""What holds for all tests."""

import gc

from hypothesis import settings

# How long an example takes depends on what else the machine does, and proves nothing.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


def pytest_collection_finish() -> None:
    """Have the collector of garbage pass over the tests, which are half a million objects and stay."""
    gc.freeze()
