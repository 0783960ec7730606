"""The HTML pages that commands write."""

import contextlib
import webbrowser
from pathlib import Path

from jitnet.display.format import data_size
from jitnet.errors import InputError
from jitnet.printing import say, warn
from jitnet.storage.atomic import replace_file


def is_page(path: Path) -> bool:
    """Whether a file is empty or begins as a page."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(9).lower() in (b"", b"<!doctype")
    return False


def write_page(out: Path, text: str, shown: bool) -> None:
    """Write a page, print its name and size, and open it in a browser if it is to be `shown`; raises `InputError`."""
    content = text.encode("utf-8", "backslashreplace")
    if out.is_file() and not is_page(out):
        raise InputError(f"--out is {out}, a file that is no page: expected a new file, or a page to replace")
    try:
        replace_file(out, content)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose another --out") from None
    say(f"written: {out} ({data_size(len(content))})")
    if shown and not webbrowser.open(out.absolute().as_uri()):
        warn(f"no browser was found: open {out.absolute()} in one")
