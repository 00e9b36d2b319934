"""A report in a real browser, at the width of a desk and of a phone."""

import pytest

import simlab
from tests.needs import needs_browser

needs_browser()

from playwright.sync_api import sync_playwright  # noqa: E402

from simlab.live import chromium_page  # noqa: E402

PROFILE = '[[fault]]\nkind = "blackout"\nat = "3s"\nfor = "16s"\n'
DESK, PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    place = tmp_path_factory.mktemp("report")
    (place / "profiles").mkdir()
    profile = place / "profiles" / "<script>.toml"
    profile.write_text(PROFILE)
    study = simlab.sweep(
        [profile],
        policies=["pipecat", "pipecat-fixed", "livekit", "never"],
        seeds=2,
        jobs=1,
        set={"peers.media": [], "duration": "30s"},
        out=place / "results",
    )
    return study.report(worst=2, jobs=1)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_page.executable(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


class Visit:
    """A page, what it asked for and what it complained about."""

    def __init__(self, browser, path, size, **settings):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **settings)
        self.page = context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())
        self.page.wait_for_load_state("networkidle")

    def width(self):
        return self.page.evaluate("document.documentElement.scrollWidth")


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def visit(browser, report, request):
    visit = Visit(browser, report, request.param)
    yield visit
    visit.page.context.close()


def test_it_asks_for_nothing_and_complains_about_nothing(visit, report):
    visit.page.locator("details.session").first.locator("summary").click()
    own = [url for url in visit.requests if not url.startswith("data:")]
    assert own == [report.as_uri()]
    assert visit.complaints == []
    assert visit.page.evaluate("document.scripts.length") == 0


def test_a_worst_session_is_one_click_away_from_its_timeline_and_command(visit):
    details = visit.page.locator("details.session").first
    timeline, command = details.locator("svg"), details.locator("pre.command")
    assert not timeline.is_visible()
    details.locator("summary").click()
    assert timeline.is_visible()
    assert command.inner_text().startswith("simlab run ")
    assert "messages up" in timeline.text_content()


def test_the_keyboard_opens_it_too(visit):
    details = visit.page.locator("details.session").first
    details.locator("summary").focus()
    visit.page.keyboard.press("Enter")
    assert details.locator("svg").is_visible()


def test_the_page_is_as_wide_as_the_window_and_wider_tables_scroll_in_themselves(visit):
    size = visit.page.viewport_size["width"]
    for summary in visit.page.locator("summary").all():
        summary.click()
    assert visit.width() == size
    table = visit.page.locator(".scroll").first
    inside, outside = table.evaluate("it => [it.scrollWidth, it.clientWidth]")
    assert outside <= size
    assert (inside > outside) == (size == PHONE[0])
    drawn = visit.page.locator("details.session .drawing").first
    assert drawn.evaluate("it => it.clientWidth") <= size


def test_the_axes_of_its_drawings_can_be_read_on_a_phone(browser, report):
    visit = Visit(browser, report, PHONE)
    # CSS pixels: matplotlib's 9 points, on a drawing that scrolls in place of shrinking with the window.
    heights = visit.page.locator("section figure svg text").evaluate_all(
        "texts => texts.map(text => text.getBoundingClientRect().height)"
    )
    assert min(heights) > 6
    visit.page.context.close()
