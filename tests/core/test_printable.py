"""What a terminal would obey, and what XML cannot have, is escaped."""

import re
import sys
import xml.etree.ElementTree as ET

from simlab.core.printable import printable, xml_text


def test_control_characters_are_escaped_and_nothing_else():
    told = "\x1b[31mred\x1b]0;title\x07 \x9b2J \x00 \u202e back\r over\ttab\nline, ü €"
    want = r"\x1b[31mred\x1b]0;title\x07 \x9b2J \x00 \u202e back\x0d over" + "\ttab\nline, ü €"
    assert printable(told) == want
    assert printable(want) == want


def test_a_name_that_the_locale_cannot_read_is_left_to_the_terminal():
    assert printable("\udcff") == "\udcff"
    assert xml_text("\udcff \ufffe") == r"\udcff \ufffe"


def test_xml_takes_any_text():
    text = "".join(map(chr, range(sys.maxunicode + 1)))
    element = ET.Element("case")
    element.text = xml_text(text)
    read = ET.fromstring(ET.tostring(element, encoding="utf-8")).text
    assert re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4})", lambda it: chr(int(it[1][1:], 16)), read) == text
