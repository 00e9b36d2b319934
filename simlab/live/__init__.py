"""The real clock: a session over UDP sockets, through a relay process."""
