"""Short sweeps that several tests run, and what they would have come to undisturbed."""

from pathlib import Path

import simlab

PROFILE = """
name = "tunnel"
duration = "20s"
[peers]
media = []
[link]
delay = "20ms"
loss = "2%"
[[fault]]
kind = "blackout"
at = "3s"
for = "14s"
"""
POLICIES = ("pipecat", "never")
SEEDS = 8
TABLES = ("sessions.parquet", "outages.parquet", "failures.jsonl", "summary.json", "study.toml")


def profile_in(folder: Path) -> str:
    """Write the profile, and return its file."""
    file = folder / "tunnel.toml"
    file.write_text(PROFILE)
    return str(file)


def sweep(profile: str, **settings):
    """Sweep it in this process, unless said otherwise."""
    return simlab.sweep([profile], policies=POLICIES, **{"seeds": SEEDS, "jobs": 1, **settings})


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a study that must be the same however it was run."""
    return {name: (folder / name).read_bytes() for name in TABLES}
