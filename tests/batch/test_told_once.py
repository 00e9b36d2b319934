"""What the processes of a study log, a traceback once."""

import logging

import pytest

from simlab.batch.told_once import ToldOnce


@pytest.fixture
def log(caplog):
    logger = logging.getLogger("test_told_once")
    told = ToldOnce()
    logger.addFilter(told)
    yield logger
    logger.removeFilter(told)


def fails(with_what):
    raise ValueError(with_what)


def failing(log, message, with_what, call=fails):
    try:
        call(with_what)
    except ValueError:
        log.exception(message)


def test_what_is_raised_at_the_same_place_again_is_a_line(log, caplog):
    for seed in (1, 2):
        failing(
            log, f"seed {seed}: Task exception was never retrieved\nfuture: <Task finished>", f"frame {seed}"
        )
    first, again = caplog.records
    assert first.exc_info[0] is ValueError
    assert "future" in first.message
    assert again.exc_info is None
    assert again.message == "seed 2: Task exception was never retrieved: ValueError: frame 2, as before"


def test_an_error_that_the_message_names_is_not_named_twice(log, caplog):
    for _ in range(2):
        failing(log, "grace_s raised ValueError: no", "no")
    assert caplog.messages == ["grace_s raised ValueError: no", "grace_s raised ValueError: no, as before"]


def test_another_place_has_a_traceback_of_its_own(log, caplog):
    failing(log, "one", "no")
    failing(log, "other", "no", call=lambda what: fails(what))
    assert all(record.exc_info for record in caplog.records)


def test_what_has_no_traceback_is_as_it_was(log, caplog):
    for _ in range(2):
        log.warning("slow: %s", 3)
    assert caplog.messages == ["slow: 3"] * 2
