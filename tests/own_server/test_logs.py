"""What an application logs with is its own, and goes with it."""

import logging

import pytest

from simlab.own_server.logs import Logs
from tests.needs import needs_pipecat
from tests.own_server.test_apps import judged

needs_pipecat()

from loguru import logger  # noqa: E402


@pytest.fixture
def logs():
    made = Logs()
    made.begin()
    yield made
    made.end()


def pipecat_says(level, text):
    logger.patch(lambda record: record.update(name="pipecat.somewhere")).log(level, text)


def test_pipecats_errors_are_told_and_not_all_that_it_does(logs, capsys):
    pipecat_says("ERROR", "the service has refused the key")
    pipecat_says("WARNING", "there is no screen")
    logger.debug("the application's own")
    told = capsys.readouterr().err
    assert "the service has refused the key" in told
    assert "there is no screen" not in told
    assert "the application's own" in told


def test_a_handler_of_the_applications_own_is_told_all(logs):
    told = []
    logger.add(told.append, format="{message}")
    pipecat_says("DEBUG", "linking")
    assert told == ["linking\n"]


def test_what_is_added_goes_with_its_session_and_the_first_handler_comes_back(logs, capsys):
    told, named = [], logging.getLogger("somebody")
    logger.remove(0)
    logger.add(told.append)
    named.addHandler(logging.NullHandler())
    logs.begin()
    logger.error("what comes later")
    assert told == []
    assert named.handlers == []
    assert "what comes later" in capsys.readouterr().err
    assert logger.add(told.append) == 1  # as in a new process
    logger.remove(0)


def test_what_others_have_added_stays():
    told, logs = [], Logs()
    number = logger.add(told.append, format="{message}")
    logs.begin()
    logger.error("first")
    logs.end()
    logger.error("second")
    logger.remove(number)
    assert told == ["first\n", "second\n"]


def test_the_first_handler_is_there_for_an_application_where_somebody_else_has_taken_it_away(capsys):
    logs = Logs()
    logs.begin()
    logger.remove(0)
    inner = Logs()
    inner.begin()
    logger.error("the application's own")
    logger.remove(0)
    inner.end()
    assert capsys.readouterr().err.count("the application's own") == 1
    with pytest.raises(ValueError, match="no existing handler"):
        logger.remove(0)
    logs.end()


def test_a_module_may_take_the_first_handler_away_in_each_session(capsys):
    for _ in range(2):
        assert judged("tests.apps.logging_bot:app", duration="2s").metrics["final_state"] == "ready"
        assert capsys.readouterr().err.splitlines().count("the bot is there") == 1
    assert logging.getLogger("tests.apps.logging_bot").handlers == []
