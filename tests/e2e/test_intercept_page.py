"""The live page of ``simlab intercept``, in a browser, while a client talks with a server."""

import contextlib
import re

import pytest

from tests.needs import needs_browser

needs_browser()

from playwright.sync_api import expect  # noqa: E402

from tests.e2e.live_page import (  # noqa: E402
    WITHIN_MS,
    cells_cut_off,
    chromium,
    heads_beside_numbers,
    move,
    opened,
    press,
    slide_to,
    wait_written,
)
from tests.e2e.talking import Call  # noqa: E402
from tests.live.test_intercept import Intercept  # noqa: E402


@pytest.fixture(scope="module")
def intercept(tmp_path_factory):
    with contextlib.closing(Intercept("--out", str(tmp_path_factory.mktemp("recordings")))) as it:
        yield it


@pytest.fixture(scope="module")
def call(intercept):
    made = Call(intercept.url)
    made.start()
    assert made.began.wait(30)
    yield made
    made.end()


@pytest.fixture(scope="module")
def page(intercept, call):
    with chromium() as browser, opened(browser, f"{intercept.control}/?token={intercept.token}") as it:
        yield it


def _row(page, direction):
    return page.locator(".client tbody tr").filter(has=page.get_by_role("rowheader", name=direction))


def test_the_legend_names_what_is_drawn(page):
    kinds = ["media", "data channel", "ICE checks", "other"]
    more = ["dropped", "a fault", "delay: median", "delay: p99"]
    assert page.locator("#legend span").all_inner_texts() == [*kinds, *more]


def test_the_median_and_p99_of_the_delay_are_in_the_table(page):
    move(page, "down-delay", 300)
    for column in (2, 3):
        cell = _row(page, "down").locator("td").nth(column)
        expect(cell).to_have_text(re.compile("3[0-9][0-9]"), timeout=WITHIN_MS)
    move(page, "down-delay", 0)


def test_the_slider_of_loss_reaches_all_of_it_and_drops_are_drawn_by_cause(page):
    slide_to(page, "up-loss", "End")
    expect(page.locator("#up-loss-number")).to_have_value("100")
    wait_written(page, r"^dropped, loss: \d+ up$")
    slide_to(page, "up-loss", "Home")
    press(page, "Blackout", 2)
    wait_written(page, r"^dropped, blackout: \d+ up, \d+ down$")


def test_a_hold_is_listed_drawn_and_ended(page):
    press(page, "Hold", 60)
    expect(page.locator("#active li").first).to_contain_text("hold (both)", timeout=WITHIN_MS)
    wait_written(page, "^hold$")
    press(page, "End all faults")
    expect(page.locator("#active li")).to_have_count(0, timeout=WITHIN_MS)
    expect(page.locator("#log")).to_contain_text("hold ends")


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_has_room_for_all_of_the_table(page, width):
    expect(page.locator(".client tbody tr")).to_have_count(2, timeout=WITHIN_MS)
    assert cells_cut_off(page, width) == []
    heads = ["packets/s", "kbit/s", "delay ms", "p99 ms", "sent", "arrived", "dropped"]
    assert heads_beside_numbers(page.locator(".client table")) == [f'"{head}"' for head in heads]
    assert cells_cut_off(page, 1280) == []


def test_a_client_that_hung_up_is_closed_not_silent(page, call):
    state = page.locator(".client .state")
    expect(state).to_have_text("connection 1, all passes", timeout=WITHIN_MS)
    call.end()
    expect(state).to_have_text("connection 1, closed", timeout=WITHIN_MS)
    page.wait_for_timeout(2500)  # until then its data would have been called silent
    expect(state).to_have_text("connection 1, closed")
    log = page.locator("#log")
    assert log.locator("li").first.inner_text().endswith("Client 1: closes connection 1")
    expect(log).to_contain_text("Client 1: 1 candidate")
    expect(log).not_to_contain_text("1 candidates")
