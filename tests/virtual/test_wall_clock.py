"""Whatever asks for the time of day is told the virtual one."""

import email.utils
import logging
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from simlab.virtual.world import EPOCH_S, virtual_world

LATER_S = 90.0
EPOCH = datetime.fromtimestamp(EPOCH_S, UTC)


@pytest.fixture
def later():
    with virtual_world(seed=1) as world:
        world.loop.now_s = LATER_S
        yield EPOCH + timedelta(seconds=LATER_S)


def test_texts_of_the_time(later):
    moment = time.gmtime(EPOCH_S + LATER_S)
    assert time.mktime(time.strptime(time.ctime())) == EPOCH_S + LATER_S
    assert time.asctime() == time.ctime() == time.ctime(EPOCH_S + LATER_S)
    assert time.asctime(moment) == later.strftime("%a %b %d %H:%M:%S %Y")
    assert email.utils.formatdate(usegmt=True) == later.strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_dates(later):
    assert datetime.now(UTC) == later
    assert date.today() == datetime.fromtimestamp(EPOCH_S + LATER_S).date()


def test_a_log_counts_from_the_beginning_of_the_session(later):
    record = logging.LogRecord("bot", logging.INFO, "bot.py", 1, "hello", (), None)
    assert record.created == EPOCH_S + LATER_S
    assert record.relativeCreated == pytest.approx(LATER_S * 1000)
