"""Relay and signalling proxy in front of any server, for any client, controlled while they run."""
