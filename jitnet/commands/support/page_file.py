"""The HTML pages that commands write."""

from pathlib import Path

from jitnet.display.format import data_size
from jitnet.errors import InputError
from jitnet.printing import say
from jitnet.storage.atomic import replace_file


def write_page(out: Path, text: str) -> None:
    """Write a page and say so with its size; raises `InputError`."""
    content = text.encode("utf-8", "backslashreplace")
    try:
        replace_file(out, content)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose another --out") from None
    say(f"written: {out} ({data_size(len(content))})")
