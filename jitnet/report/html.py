"""Elements of HTML and SVG as text: what is put into one is escaped, unless it is an element itself."""

from html import escape
from typing import Any

from jitnet.printing import printable


class Markup(str):
    """Text that is markup already."""


_ALONE = {"img", "meta", "br", "input"}


def element(tag: str, *children: Any, **attributes: Any) -> Markup:
    """Return an element. `class_` is written class, `stroke_width` stroke-width; None and False omit one.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    shown = "".join(_attribute(name, value) for name, value in attributes.items() if value not in (None, False))
    if tag in _ALONE:
        return Markup(f"<{tag}{shown}>")
    return Markup(f"<{tag}{shown}>{join(children)}</{tag}>")


def join(children: Any) -> Markup:
    """Return children one after the other; a list counts as its members, None as nothing."""
    parts = []
    for child in children:
        if isinstance(child, Markup):
            parts.append(str(child))
        elif isinstance(child, list | tuple):
            parts.append(str(join(child)))
        elif child is not None:
            parts.append(escape(printable(child), quote=False))
    return Markup("".join(parts))


def preformatted(texts: list[str]) -> Markup:
    """Return texts as the lines of a `pre`."""
    return Markup("\n".join(escape(printable(text), quote=False) for text in texts))


def table(caption: str, head: list[str], rows: list[list[Any]], class_: str = "figures", label: str = "") -> Markup:
    """Return a table whose first column names its rows; without a caption it needs a label for those who hear it."""
    top = element("tr", [element("th", name, scope="col") for name in head])
    body = [
        element("tr", element("th", row[0], scope="row"), [element("td", cell) for cell in row[1:]]) for row in rows
    ]
    parts = [element("caption", caption) if caption else None, element("thead", top), element("tbody", body)]
    made = element("table", parts, class_=class_)
    return element("div", made, class_="wide", tabindex="0", role="region", aria_label=label or caption)


def _attribute(name: str, value: Any) -> str:
    name = name.rstrip("_").replace("_", "-") if name != "viewBox" else name
    if isinstance(value, float):
        value = f"{value:.2f}".rstrip("0").rstrip(".")
    return f" {name}" if value is True else f' {name}="{escape(printable(value))}"'
