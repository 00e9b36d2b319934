"""Control of a running relay: commands by name, through a Unix socket or HTTP, and a stream of events."""
