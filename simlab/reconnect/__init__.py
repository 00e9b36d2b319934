"""What a client does about a bad connection, and how it notices: tables and timers as data, no I/O."""
