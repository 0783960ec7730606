"""What people read: names and messages, in which nothing can move a cursor, set a title or turn the writing round.

Names of files, folders, classes and columns come from anywhere. All that jitnet prints passes through here. A leaf.
"""

import json
import re
import sys
from typing import IO, Any

_NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]?\d+)?( .*)?", re.IGNORECASE)


def printable(text: object) -> str:
    """Return text in one line, with an escape for each control character, bidirectional mark and undecodable byte.

    >>> print(printable("a\\x1b[2Jb\\nc"))
    a\\x1b[2Jb\\nc
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def printable_lines(text: object) -> str:
    """Return text as `printable` does, but keep its line ends: they are jitnet's."""
    return "\n".join(map(printable, str(text).split("\n")))


def say(text: object = "", *, end: str = "\n", file: IO[str] | None = None, flush: bool = False) -> None:
    """Print lines; what they must not hold, or the stream's encoding lacks, is escaped."""
    file = sys.stdout if file is None else file
    if file is not None:  # None: we were started with a closed one
        print(encodable(printable_lines(text), getattr(file, "encoding", None)), end=end, file=file, flush=flush)


def warn(message: object) -> None:
    """Print a warning of one line to standard error."""
    say(f"warning: {printable(message)}", file=sys.stderr)


def encodable(text: str, encoding: str | None) -> str:
    """Return text with an escape for each character that an encoding lacks."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON in printable ASCII. Raises `ValueError` for a number that is not finite."""
    return json.dumps(value, indent=indent, default=str, allow_nan=False).replace("\x7f", "\\u007f")


def csv_cell(text: object) -> str:
    """Return a cell that no spreadsheet takes for a formula: one that begins like that gets an apostrophe.

    >>> csv_cell("=1+1"), csv_cell("-0.5"), csv_cell("@x")
    ("'=1+1", '-0.5', "'@x")
    """
    shown = printable(text)
    return "'" + shown if shown[:1] in tuple("=+-@") and not _NUMBER.fullmatch(shown) else shown
