"""Who may ask the HTTP APIs for something, beside whoever has the token."""

from aiohttp import web


def is_by_another_page(request: web.Request) -> bool:
    """Tell whether a browser sends a request on behalf of a page of another origin.

    Browsers say so in ``Sec-Fetch-Site``, which no script can set (Fetch Metadata Request Headers, W3C);
    programs say nothing. What a user types, or opens from another program, is ``none``.
    """
    return request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
