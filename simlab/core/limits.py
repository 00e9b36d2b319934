"""How much may be asked for."""

MOST_SEEDS = 1_000_000
"""Of one command: what its sessions take grows with them, before the first of them runs."""
