"""Drawings in a page."""

import re
import xml.etree.ElementTree as ET

from matplotlib.figure import Figure

from simlab.report.svg import inline_svg

IDS = re.compile(r'\sid="([^"]+)"')
REFERENCES = re.compile(r'url\(#([^)]+)\)|href="#([^"]+)"')


def drawing(title="a < b & c"):
    ax = Figure().add_subplot()
    ax.plot([0, 1], [0, 1], "o", label="$x$ and $")
    ax.set_title(title)
    ax.legend()
    return ax


def test_ids_of_two_drawings_differ_and_what_refers_to_them_finds_them():
    one, other = (inline_svg(drawing, prefix, "a drawing") for prefix in ("one", "other"))
    found = [set(IDS.findall(svg)) for svg in (one, other)]
    assert len(found[0]) == len(IDS.findall(one)) > 10
    assert not found[0] & found[1]
    for svg, ids in zip((one, other), found, strict=True):
        referred = {first or second for first, second in REFERENCES.findall(svg)}
        assert referred
        assert referred <= ids


def test_the_same_drawing_has_the_same_bytes():
    assert inline_svg(drawing, "one", "label") == inline_svg(drawing, "one", "label")


def test_it_is_one_element_with_its_texts_as_text_and_nothing_from_elsewhere():
    svg = inline_svg(drawing, "one", 'said of "it"')
    root = ET.fromstring(svg)
    assert root.attrib["aria-label"] == 'said of "it"'
    assert "width" not in root.attrib
    texts = [text for element in root.iter() if (text := (element.text or "").strip())]
    assert "a < b & c" in texts
    assert "$x$ and $" in texts  # no formula
    outside = re.findall(r"https?://[^\"]+", svg)
    assert set(outside) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<style" not in svg


def test_control_characters_of_a_title_are_escaped():
    svg = inline_svg(lambda: drawing("\x1b[31mred \x00"), "one", "a \x1b drawing")
    ET.fromstring(svg)
    assert r'aria-label="a \x1b drawing"' in svg
