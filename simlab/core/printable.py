"""Text of somebody else's - a reason, a name, a path - that is shown to people or written into XML."""

import re

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # terminals obey these, and XML 1.0 has no way to write most of them
    "\u202a-\u202e\u2066-\u2069]"  # these turn around what stands beside them
)
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    r"""Return a text whose control characters are escaped: ``\x1b[31m``. Tabs and line ends stay."""
    return _CONTROL.sub(_escaped, text)


def xml_text(text: str) -> str:
    r"""Escape what ``printable`` does, and what is no character (``\udcff``): XML cannot have it."""
    return _NO_CHARACTER.sub(_escaped, printable(text))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
