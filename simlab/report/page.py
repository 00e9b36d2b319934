"""From a page's parts to HTML."""

from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined

from simlab.report.values import Page


def render(page: Page) -> str:
    """Return a page as HTML that asks for nothing else, neither a script nor a font nor a picture.

    All text is escaped, but for the ``<svg>`` elements.
    """
    environment = Environment(
        loader=PackageLoader("simlab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html").render(page=page, simlab=version("simlab"))
