"""Files that are small unless they are damaged, read whole up to a limit: settings and the records of runs. A leaf."""

import tomllib
from pathlib import Path
from typing import Any

_LARGEST = 1 << 24  # bytes


def read(path: Path) -> bytes:
    """Return the content of a file. Raises `OSError`, and `ValueError` if it is larger than any that jitnet writes."""
    with open(path, "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST:,} bytes")
    return content


def toml_values(path: Path) -> dict[str, Any]:
    """Return the values of a TOML file as they are. Raises `OSError`, `ValueError` and `RecursionError`."""
    return tomllib.loads(read(path).decode("utf-8-sig"))  # some editors begin a file with a mark
