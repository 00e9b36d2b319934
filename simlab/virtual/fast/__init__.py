"""Faster routes to the same thing, in place of code of the peers' libraries, for the time of a session."""
