"""Reconnection policies that are wrong."""

from simlab.reconnect.rules import Rules


class Unmade(Rules):
    def __init__(self, draws, policy=None):
        raise KeyError("grace")


class Raising(Rules):
    def begin(self):
        raise ZeroDivisionError("no attempt yet")


class Undecided(Rules):
    def grace_s(self, cause):
        return None


class NeverNumber(Rules):
    def wait_s(self, row):
        return float("nan")


class Worded(Rules):
    def action(self, row):
        return "recreate"
