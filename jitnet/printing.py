"""What people read: names and messages, in which nothing can move a cursor, set a title or turn the writing round.

Names of files, folders, classes and columns come from anywhere. All that jitnet prints passes through here. A leaf.
"""

import json
import re
import sys
from typing import IO, Any

ONCE = "; this happens once, later starts load it"
_ONE = r"[-+]?[\d.,]+(e[-+]?\d+)?"
_NUMBER = re.compile(rf"{_ONE}( (to|±) {_ONE})*|-", re.IGNORECASE)  # "-" for one that is not known


def printable(text: object) -> str:
    """Return text in one line, with an escape for each control character, bidirectional mark and undecodable byte.

    >>> print(printable("a\\x1b[2Jb\\nc"))
    a\\x1b[2Jb\\nc
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def say(*lines: object, error: bool = False) -> None:
    """Print each argument in one line; what it must not hold, or the stream's encoding lacks, is escaped."""
    stream: IO[str] | None = sys.stderr if error else sys.stdout
    if stream is not None:  # None: we were started with a closed one
        for line in lines or ("",):
            print(encodable(printable(line), getattr(stream, "encoding", None)), file=stream)
        stream.flush()


def warn(message: object) -> None:
    """Print a warning to standard error."""
    say(f"warning: {message}", error=True)


def say_once(what: str, share: float = 0.0) -> None:
    """Print to standard error that something begins which happens once and takes long; nothing of other work."""
    if share == 0 and what.endswith(ONCE):
        say(what, error=True)


def encodable(text: str, encoding: str | None) -> str:
    """Return text with an escape for each character that an encoding lacks."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def brief(value: object) -> str:
    """Return a value in at most 40 characters, for a message."""
    try:
        shown = repr(value)
    except ValueError:  # a whole number of more than 4,300 digits
        shown = "a very long number"
    return shown if len(shown) <= 40 else shown[:37] + "..."


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
