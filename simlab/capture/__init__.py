"""Packets as a pcapng file that Wireshark opens, with the keys to it, and what such a file says."""

CAPTURE = "capture.pcapng"
"""What the file of packets is called in a run folder."""

KEYS = "dtls.keys"
"""What the file of DTLS secrets is called there."""

TABLE = "packets.parquet"
"""What the table of the packets is called there."""
