"""What the client raises: the errors of @pipecat-ai/client-js 1.13.1, by their names.

A user's mistake with a session never comes as far as one of them: they are for whoever calls the client.
"""

from typing import Any


class RTVIError(Exception):
    """Any error of the client.

    Parameters
    ----------
    status
        The HTTP status behind it, where there was one.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ConnectionTimeoutError(RTVIError):
    """The bot was not ready in time: as published, this is never raised, since nothing is in time or late."""


class StartBotError(RTVIError):
    """The endpoint that starts bots refused, or failed."""


class TransportStartError(RTVIError):
    """The transport could not be started, or was given up."""

    def __init__(self, message: str = "Unable to connect to transport", status: int | None = None) -> None:
        super().__init__(message, status)


class InvalidTransportParamsError(RTVIError):
    """The parameters of the transport can't be used."""


class BotNotReadyError(RTVIError):
    """Something was asked for that needs the transport to be ``ready``."""


class BotAlreadyStartedError(RTVIError):
    """The client is started already: it must be disconnected first."""


class UnsupportedFeatureError(RTVIError):
    """The media manager, or the bot, can't do what was asked for."""

    def __init__(self, feature: str, source: str, message: str) -> None:
        super().__init__(f"{source} does not support {feature}: {message}")
        self.feature = feature


class MessageTooLargeError(RTVIError):
    """A message has more bytes than the data channel takes."""


class ClientRequestError(RTVIError):
    """A request was answered with an error, or not in time.

    Parameters
    ----------
    data
        That of the ``error-response``.
    """

    def __init__(self, data: Any) -> None:
        error = data.get("error") if isinstance(data, dict) else None
        super().__init__(str(error or "the request was refused"))
        self.data = data
