"""The live pages: each is one text, with its style and scripts in it."""

from functools import cache
from pathlib import Path

_SHARED = Path(__file__).parent / "page"
HEADERS = {
    # Everything is in the page itself, and nothing else may be asked for.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What a page is served with."""

NO_TOKEN = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>simlab: the token is missing</title>
<style>body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34em; margin: 3em auto; padding: 0 1em;
  color-scheme: light dark; }</style>
<h1>This page wants its token</h1>
<p>Open the address that the command printed after <b>Live page:</b>. It ends with <code>/?token=…</code>, and
the token is another one each time that the command is started. With <code>--token-file</code> the token is in
that file.</p>
"""
"""What a browser without the token, or with an old one, gets to read."""


@cache
def live_page(body: Path, script: Path) -> str:
    """Return a page: its own body and script, and what all of them share."""
    style = (_SHARED / "panel.css").read_text(encoding="utf-8")
    shared = (_SHARED / f"{name}.js" for name in ("history", "drawing", "telling", "line"))
    files = (*shared, script)
    scripts = "\n".join(file.read_text(encoding="utf-8") for file in files)
    text = body.read_text(encoding="utf-8")
    return text.replace("/* style */", style).replace("/* scripts */", scripts)


def relay_page() -> str:
    """Return the page of a relay."""
    return live_page(_SHARED / "relay.html", _SHARED / "relay.js")
