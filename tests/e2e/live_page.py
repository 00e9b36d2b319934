"""What the tests of both live pages look for in a browser."""

import contextlib

import pytest
from playwright.sync_api import sync_playwright

from simlab.live import chromium_page

BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WITHIN_MS = 15_000

# What is written into a picture can only be heard of as it is written.
_LISTEN = """(() => {
  const write = CanvasRenderingContext2D.prototype.fillText;
  window.written = [];
  CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
    window.written.push(text);
    if (window.written.length > 500) window.written.shift();
    return write.call(this, text, ...where);
  };
})()"""

# Cells that are cut off, or lie outside of the window: none should.
_CUT = """() => [...document.querySelectorAll("tbody td, tbody th")].filter((cell) => {
  const { left, right, width } = cell.getBoundingClientRect(), box = cell.closest(".scroll");
  if (!width) return false;
  const outside = left < 0 || right > innerWidth || box.scrollWidth > box.clientWidth;
  return outside || cell.scrollWidth > cell.clientWidth;
}).map((cell) => cell.textContent)"""

_HEADS = """(table) => [...table.tBodies[0].rows[0].querySelectorAll("td")]
  .map((cell) => getComputedStyle(cell, "::before").content)"""


@contextlib.contextmanager
def chromium():
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium_page.executable(), args=BROWSER_ARGUMENTS
        )
        yield opened
        opened.close()


@contextlib.contextmanager
def opened(browser, address):
    """Open a live page, which may neither fail nor ask anybody else."""
    page, errors, asked = browser.new_page(viewport={"width": 1280, "height": 900}), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(_LISTEN)
    page.goto(address)
    yield page
    page.close()
    assert errors == []
    assert {url.split("/")[2] for url in asked} == {address.split("/")[2]}


def move(page, name, value):
    """Write a setting of the network into its field."""
    number = page.locator(f"#{name}-number")
    number.fill(str(value))
    number.press("Tab")


def slide_to(page, name, key):
    """Move the slider of a setting to its ``Home`` or ``End``."""
    page.locator(f"#{name}").focus()
    page.keyboard.press(key)


def press(page, button, for_s=None):
    """Press a button, for so many seconds if it is one of a fault."""
    if for_s is not None:
        page.locator("#for-s").fill(str(for_s))
    page.get_by_role("button", name=button).click()


def wait_written(page, pattern):
    """Wait until something like that stands in the picture, and return it."""
    find = "(pattern) => window.written.findLast((text) => new RegExp(pattern).test(text))"
    try:
        return page.wait_for_function(find, arg=pattern, timeout=WITHIN_MS).json_value()
    except Exception:
        pytest.fail(f"not in the picture: {pattern}; but {sorted(set(page.evaluate('window.written')))}")


def cells_cut_off(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    return page.evaluate(_CUT)


def heads_beside_numbers(table):
    return table.evaluate(_HEADS)
