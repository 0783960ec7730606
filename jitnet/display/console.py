"""The rich console of all views and commands: what it prints holds no control characters but its own."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from jitnet.printing import encodable, printable


class SafeConsole(Console):
    """A console that escapes all text that it draws, at the last moment before it is styled."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable, their text escaped."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            if control or (text.isascii() and text.isprintable()) or text == "\n":
                yield segment
            else:
                yield Segment(encodable("\n".join(map(printable, text.split("\n"))), self.encoding), style)


def safe_console(**options: Any) -> SafeConsole:
    """Return a console; `options` are those of rich's, without markup, emoji names or highlighting."""
    return SafeConsole(**{"highlight": False, "markup": False, "emoji": False} | options)
