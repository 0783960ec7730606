"""`-` instead of a file: what is piped into a command, kept in a file while it runs."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jitnet.data.content import LARGEST, read_some
from jitnet.errors import InputError

NAME = "stdin"  # in answers and messages


@contextlib.contextmanager
def spooled() -> Iterator[Path]:
    """Yield a file that holds all of standard input. Raises `InputError` if nothing, or too much, is piped in."""
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise InputError("- is given and standard input is closed: expected `< FILE` or a pipe")
    if sys.stdin.isatty():
        raise InputError("- is given and standard input is a terminal: expected `< FILE` or a pipe")
    content = read_some(stream, LARGEST + 1, NAME)
    if not content:
        raise InputError("- is given and standard input is empty: expected an image or the rows of a table")
    if len(content) > LARGEST:
        raise InputError(f"standard input has more than {LARGEST:,} bytes: expected fewer, give them in parts")
    with tempfile.TemporaryDirectory(prefix="jitnet-") as folder:
        path = Path(folder) / NAME
        path.write_bytes(content)
        yield path
