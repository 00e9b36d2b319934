"""A STUN and a TURN server: bytes, addresses and times in; datagrams and allocations out."""
