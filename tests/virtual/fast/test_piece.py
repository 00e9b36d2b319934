"""Whether the pieces fit what is installed, and what happens where one does not."""

import hashlib
import linecache
import logging
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from simlab.virtual.fast import piece as piece_module
from simlab.virtual.fast import pieces as pieces_module
from simlab.virtual.fast.piece import Piece, fingerprint, in_place
from simlab.virtual.fast.pieces import pieces
from tests.virtual.fast import own_module


class Owner:
    @staticmethod
    def route():
        return "own"


def piece(*known):
    return Piece("a piece", ((own_module, *known),), ((Owner, "route", staticmethod(lambda: "fast")),))


@pytest.fixture
def told(caplog):
    """Return what was logged in this test, whatever was logged before it."""
    piece_module._tell_of.cache_clear()
    caplog.set_level(logging.INFO, "simlab")
    return lambda: caplog.messages


@pytest.mark.parametrize("one", pieces(time.time_ns), ids=lambda one: one.name)
def test_every_piece_fits_the_installed_version(one):
    if not one.fits:
        pytest.skip(f"sessions are slower: {', '.join(one.strangers)}: of a version not looked at yet")
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


def test_a_piece_may_be_for_several_versions():
    several = piece("0" * 16, fingerprint(own_module), "1" * 16)
    assert several.fits
    assert several.strangers == ()
    with in_place([several]):
        assert Owner.route() == "fast"
    assert not piece("0" * 16, "1" * 16).fits


def test_a_piece_knows_which_modules_are_of_another_version():
    known, stranger = fingerprint(own_module), fingerprint(pieces_module)
    one = Piece("a piece", ((own_module, known), (pieces_module, "0" * 16, known)), ())
    assert one.strangers == ("simlab.virtual.fast.pieces",)
    assert Piece("a piece", ((own_module, known), (pieces_module, known, stranger)), ()).strangers == ()


def test_a_piece_that_does_not_fit_is_told_of_once(told):
    for _ in range(2):
        with in_place([piece("0" * 16), piece(fingerprint(own_module))]):
            pass
    assert told() == [
        "sessions are slower without the piece 'a piece': "
        "not written for these versions of tests.virtual.fast.own_module"
    ]


def test_a_piece_for_what_the_libraries_lack_is_told_of(told):
    with in_place([Piece("dtls", (), ())]):
        pass
    assert told() == ["sessions are slower without the piece 'dtls': the libraries lack what it replaces"]


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
