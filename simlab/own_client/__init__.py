"""A client of the user's own, unmodified, as the client of a session: an async function on aiortc."""
