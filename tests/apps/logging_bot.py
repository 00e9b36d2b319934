"""A bot whose module makes itself at home in the logs, as those of Pipecat's examples do."""

import logging
import sys

from loguru import logger

from tests.apps import fastapi_bot

logger.remove(0)
logger.add(sys.stderr, level="ERROR", format="{message}")
logging.getLogger("tests.apps.logging_bot").addHandler(logging.NullHandler())


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        logger.error("the bot is there")
    await fastapi_bot.app(scope, receive, send)
