"""What a timeline means: outages, metrics, violated invariants, a spoken account and pictures."""
