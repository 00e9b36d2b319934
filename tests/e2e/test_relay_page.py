"""The live page of ``simlab relay``, in a browser: what is moved and pressed there happens to packets."""

import re
import time

import pytest

from tests.e2e.intercepted import UNNAMED
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
from tests.e2e.relayed import Traffic, relaying  # noqa: E402

_COLOURS = """(() => {
    const canvas = document.querySelector("canvas"), seen = new Set();
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) seen.add(data.slice(i, i + 3).join());
    return [...seen];
})()"""

# Answers to changes of the line are held until let go.
_HOLD_ANSWERS = """(() => {
    const ask = window.fetch, go = new Promise((letGo) => { window.letGo = letGo; });
    window.held = 0;
    window.fetch = async (address, ...how) => {
        const answer = await ask(address, ...how);
        if (!address.startsWith("api/set?")) return answer;
        window.held += 1;
        return go.then(() => answer);
    };
})()"""


@pytest.fixture(scope="module")
def traffic():
    made = Traffic()
    yield made
    made.end()


@pytest.fixture(scope="module")
def relay(traffic, tmp_path_factory):
    with relaying(traffic, tmp_path_factory.mktemp("relay")) as (address, listen):
        traffic.listen = listen
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as it:
        yield it


@pytest.fixture
def page(relay, browser):
    with opened(browser, relay) as it:
        yield it
        it.evaluate("(async () => { await call('clear'); })()")


def _row(page, direction):
    return page.locator("#counts tr").filter(has=page.get_by_role("rowheader", name=direction, exact=True))


def test_it_tells_who_is_there_and_what_passes(page, traffic):
    client = f"127.0.0.1:{traffic.client.getsockname()[1]}"
    expect(page.get_by_role("rowheader", name=client)).to_be_visible(timeout=WITHIN_MS)
    expect(_row(page, "up").locator("td").first).to_have_text(re.compile("[1-9]"), timeout=WITHIN_MS)


def test_what_is_moved_happens_to_packets(page, traffic):
    move(page, "up-loss", 100)
    expect(_row(page, "up")).to_contain_text("loss", timeout=WITHIN_MS)
    time.sleep(0.5)
    before = traffic.returned
    time.sleep(0.5)
    assert traffic.returned == before
    move(page, "up-loss", 0)
    move(page, "down-delay", 300)
    expect(_row(page, "down").locator("td").nth(2)).to_have_text(re.compile("30[0-9]"), timeout=WITHIN_MS)
    assert traffic.returned > before
    move(page, "down-delay", 0)


def test_what_is_typed_while_an_answer_is_awaited_is_kept(page):
    page.evaluate(_HOLD_ANSWERS)
    move(page, "up-delay", 20)
    page.wait_for_function("() => window.held === 1")
    move(page, "up-jitter", 5)
    page.locator("#down-delay-number").fill("200")
    page.evaluate("letGo()")
    expect(page.locator("#log")).to_contain_text('link.up.jitter = "5ms"', timeout=WITHIN_MS)
    page.wait_for_timeout(1500)  # the answer has been shown, and the settings asked for again
    expect(page.locator("#up-jitter-number")).to_have_value("5")
    expect(page.locator("#down-delay-number")).to_have_value("200")
    page.locator("#down-delay-number").press("Tab")
    expect(_row(page, "down").locator("td").nth(2)).to_have_text(re.compile("20[0-9]"), timeout=WITHIN_MS)
    for name in ("up-delay", "up-jitter", "down-delay"):
        move(page, name, 0)


def test_a_blackout_is_pressed_and_ended(page):
    press(page, "Blackout", 60)
    expect(page.locator("#active li")).to_have_text("blackout, for 60 s", timeout=WITHIN_MS)
    expect(_row(page, "up")).to_contain_text("blackout", timeout=WITHIN_MS)
    press(page, "End all faults")
    expect(page.locator("#active li")).to_have_count(0, timeout=WITHIN_MS)
    expect(page.locator("#log")).to_contain_text("blackout ends", timeout=WITHIN_MS)


def test_a_profile_is_loaded_from_a_file_and_a_wrong_one_is_told(page, tmp_path):
    good, bad = tmp_path / "slow.toml", tmp_path / "bad.toml"
    good.write_text('[link]\ndelay = "70ms"\n')
    bad.write_text('[link]\ndelay = "70 parsecs"\n')
    page.locator("#file").set_input_files(good)
    expect(page.locator("#up-delay-number")).to_have_value("70", timeout=WITHIN_MS)
    page.locator("#file").set_input_files(bad)
    expect(page.get_by_role("alert")).to_contain_text("bad.toml: link.delay", timeout=WITHIN_MS)
    expect(page.locator("#up-delay-number")).to_have_value("70")


def test_the_picture_is_drawn(page):
    page.wait_for_timeout(2500)
    coloured = page.evaluate(_COLOURS)
    assert "47,127,209" in coloured  # --media: what arrived


def test_the_slider_of_loss_reaches_all_of_it(page, traffic):
    slide_to(page, "up-loss", "End")
    expect(page.locator("#up-loss-number")).to_have_value("100")
    expect(page.locator("#log")).to_contain_text('link.up.loss = "100%"', timeout=WITHIN_MS)
    time.sleep(0.5)
    before = traffic.returned
    time.sleep(0.5)
    assert traffic.returned == before
    slide_to(page, "up-loss", "Home")
    expect(page.locator("#log")).to_contain_text('link.up.loss = "0%"', timeout=WITHIN_MS)


def _banded(page):
    """Tell how much of the picture's newest seconds is a fault's."""
    return page.evaluate("""(() => {
        const canvas = document.querySelector("canvas"), ctx = canvas.getContext("2d");
        const { data } = ctx.getImageData(0, 30, canvas.width, 20);
        let found = 0;
        for (let i = 3; i < data.length; i += 4) if (data[i] > 20 && data[i] < 60) found += 1;
        return found;
    })()""")


def test_a_hold_is_listed_drawn_and_ended_as_a_fault_is(page, traffic):
    page.wait_for_timeout(1000)
    drawn = _banded(page)
    page.locator("#direction").select_option("up")
    press(page, "Hold", 60)
    expect(page.locator("#active li")).to_have_text("hold up, for 60 s", timeout=WITHIN_MS)
    expect(page.locator("#log")).to_contain_text("packets held for 60 s: up")
    wait_written(page, "^hold up$")
    page.wait_for_timeout(2500)
    assert _banded(page) > drawn
    press(page, "End all faults")
    expect(page.locator("#active li")).to_have_count(0, timeout=WITHIN_MS)
    expect(page.locator("#log")).to_contain_text("packets let go: up")
    returned = traffic.returned
    page.wait_for_timeout(500)
    assert traffic.returned > returned
    assert page.evaluate("[...history_.faults.values()].every((one) => one.until_s < Infinity)")


def test_a_hold_ends_by_itself_and_its_band_with_it(page):
    press(page, "Hold", 1)
    expect(page.locator("#log")).to_contain_text("packets let go: up and down", timeout=WITHIN_MS)
    expect(page.locator("#active li")).to_have_count(0, timeout=WITHIN_MS)
    lasted = page.evaluate("[...history_.faults.values()].at(-1)")
    assert lasted["name"] == "hold"
    assert 1.0 <= lasted["until_s"] - lasted["at_s"] < 60.0


def test_drops_are_drawn_by_cause_and_the_lines_have_names(page):
    move(page, "down-loss", 40)
    page.locator("#direction").select_option("up")
    press(page, "Blackout", 60)
    assert wait_written(page, r"^dropped, blackout: \d+ up$")
    press(page, "End all faults")
    assert wait_written(page, r"^dropped, loss: (\d+ up, )?\d+ down$")
    move(page, "down-loss", 0)
    legend = page.locator("#legend span")
    assert legend.all_inner_texts() == ["arrived", "dropped", "a fault", "delay: median", "delay: p99"]


def test_a_burst_is_cut_off_and_told_and_does_not_set_the_scale(page, traffic):
    page.wait_for_timeout(5000)
    traffic.burst(traffic.listen, 4000)
    told = wait_written(page, r"^↑ \d{4}/s$")
    assert int(told[2:6]) > 1000
    page.evaluate("window.written.length = 0")
    page.wait_for_timeout(2000)
    # A lane is named, "packets" and its direction, and then its scale is written.
    scales = page.evaluate("window.written.filter((text, i) => window.written[i - 2] === 'packets')")
    assert scales
    assert all(int(scale.partition("/")[0]) <= 200 for scale in scales)


def test_what_sets_a_scale(page):
    def top(*series, least=10):
        return page.evaluate(
            "([series, least]) => topOf(series.map((row) => new Map(row.map((v, i) => [i, v]))), least)",
            [series, least],
        )

    steady = [100] * 60
    assert top() == 10
    assert top([3]) == 10
    assert top(steady) == 100
    assert top([*steady, 140]) == 150  # near enough: all of it is shown
    assert top([*steady, 5000]) == 120  # a burst is not
    assert top([*steady, 5000, 5000]) == 120
    assert top([*steady, 5000, 5000, 5000]) == 5000  # what lasts is
    assert top([1] * 100 + [50] * 3) == 50
    assert top([100, 5000] * 30) == 5000  # nor is what comes again and again
    assert top([0, 0, 300]) == 300
    assert top(steady, [730] * 60) == 800


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_has_room_for_all_of_the_tables(page, width):
    expect(page.locator("#flows")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#counts tbody tr")).to_have_count(2, timeout=WITHIN_MS)
    assert cells_cut_off(page, width) == []
    heads = ["packets/s", "kbit/s", "delay ms", "p99 ms", "sent", "arrived", "dropped"]
    assert heads_beside_numbers(page.locator("#counts")) == [f'"{head}"' for head in heads]
    assert cells_cut_off(page, 1280) == []
    assert heads_beside_numbers(page.locator("#counts")) == ["none"] * len(heads)


def test_it_fits_a_phone_and_every_control_has_a_name(page):
    assert page.evaluate(UNNAMED) == []
    widths = {}
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(300)
        widths[width] = page.evaluate("document.documentElement.scrollWidth")
    assert widths == {1280: 1280, 390: 390}


def test_without_the_token_there_is_no_page(relay, browser):
    page = browser.new_page()
    assert page.goto(relay.partition("?")[0]).status == 401
    page.close()
