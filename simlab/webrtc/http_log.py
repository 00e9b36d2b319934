"""What an HTTP server of simlab's says on stderr: its own faults, with a traceback, and nobody else's."""

import logging

from aiohttp.http_exceptions import HttpProcessingError


def _is_own_fault(record: logging.LogRecord) -> bool:
    """Leave out who sends what is no HTTP, as a browser that tries TLS, and who hangs up in the middle."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)


HTTP_LOG = logging.getLogger("simlab.http")
HTTP_LOG.addFilter(_is_own_fault)
