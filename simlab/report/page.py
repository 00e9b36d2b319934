"""From a page's parts to HTML."""

from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from simlab.core.printable import printable
from simlab.report.values import Page


def render(page: Page) -> str:
    """Return a page as HTML that asks for nothing else, neither a script nor a font nor a picture.

    All text is escaped, but for the ``<svg>`` elements, and so are control characters in it.
    """
    environment = Environment(
        loader=PackageLoader("simlab.report"),
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html").render(page=page, simlab=version("simlab"))


def _printable(value: object) -> object:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
