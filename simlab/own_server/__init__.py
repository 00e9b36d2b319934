"""A server of the user's own, unmodified, as the server of a session: an ASGI or aiohttp application."""
