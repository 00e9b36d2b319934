"""Import a text of another tool, and look at what came of it."""

import pytest

from simlab.core.errors import InvalidInputError
from simlab.profile import load
from simlab.profile.importers import import_text

TC = "tc qdisc add dev eth0 root netem "


def imported(kind, text, direction="both"):
    return load(import_text(kind, text, "a.txt", "a", direction), "a.toml")


def netem(options):
    return imported("netem", TC + options).link.up


def comments(kind, text):
    lines = import_text(kind, text, "a.txt", "a").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))


def wrong(kind, text):
    with pytest.raises(InvalidInputError) as caught:
        import_text(kind, text, "a.txt", "a")
    (fault,) = caught.value.faults
    return fault
