"""What holds for all tests."""

import gc


def pytest_collection_finish() -> None:
    """Have the collector of garbage pass over the tests, which are half a million objects and stay."""
    gc.freeze()
