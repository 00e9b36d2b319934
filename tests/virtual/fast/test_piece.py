"""Whether the pieces fit what is installed, and what happens where one does not."""

import hashlib
import linecache
import logging
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from simlab.virtual.fast import pieces as pieces_module
from simlab.virtual.fast.piece import Piece, fingerprint, in_place
from simlab.virtual.fast.pieces import pieces
from tests.virtual.fast import own_module


class Owner:
    @staticmethod
    def route():
        return "own"


def piece(expected):
    return Piece("a piece", ((own_module, expected),), ((Owner, "route", staticmethod(lambda: "fast")),))


@pytest.mark.parametrize("one", pieces(time.time_ns), ids=lambda one: one.name)
def test_every_piece_fits_the_installed_version(one):
    if not one.fits:
        strangers = [
            module.__name__ for module, expected in one.written_for if fingerprint(module) != expected
        ]
        pytest.skip(f"sessions are slower: {', '.join(strangers)} is of a version not looked at yet")
    for owner, name, route in one.routes:
        assert owner.__dict__[name] is not route
    with in_place([one]):
        for owner, name, route in one.routes:
            assert owner.__dict__[name] is route
    for owner, name, route in one.routes:
        assert owner.__dict__[name] is not route


def test_a_piece_that_fits_stands_in_for_as_long_as_it_is_wanted():
    with in_place([piece(fingerprint(own_module))]):
        assert Owner.route() == "fast"
    assert Owner.route() == "own"


def test_a_piece_for_another_version_changes_nothing():
    with in_place([piece("0" * 16)]):
        assert Owner.route() == "own"


def test_a_library_that_lacks_what_a_piece_is_about_does_without_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "simlab.virtual.fast.dtls")
    monkeypatch.delattr("aiortc.rtcdtlstransport.RTCDtlsTransport._recv_next")
    pieces_module._loaded.cache_clear()
    try:
        lacking = [one.name for one in pieces(time.time_ns) if not one.fits]
        assert "dtls" in lacking
        with in_place(pieces(time.time_ns)):
            pass
    finally:
        pieces_module._loaded.cache_clear()


def test_a_module_without_source_fits_no_piece():
    assert fingerprint(ModuleType("bare")) == ""


def test_the_source_is_read_and_not_kept():
    linecache.clearcache()
    fingerprint.cache_clear()
    expected = hashlib.blake2b(Path(own_module.__file__).read_bytes(), digest_size=8).hexdigest()
    assert fingerprint(own_module) == expected
    assert own_module.__file__ not in linecache.cache


def test_who_wants_the_debugging_messages_of_a_library_gets_them():
    logger = logging.getLogger(own_module.__name__)
    logger.setLevel(logging.DEBUG)
    try:
        with in_place([piece(fingerprint(own_module))]):
            assert Owner.route() == "own"
    finally:
        logger.setLevel(logging.NOTSET)
