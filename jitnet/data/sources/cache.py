"""The folder where parsed arrays are kept. Everything read from it is verified by its hash.

An entry is one file, `<key>.<sha256 of the content>.npy`: its name says what must be in it, so one rename
puts both in place and several processes may fill the folder at once. Without a folder that can be written
nothing is cached, which is never an error.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jitnet.data.content import Part, Report, read_file, sha256, silent
from jitnet.data.readers import npy
from jitnet.errors import InputError

Warn = Callable[[str], None]


def default_folder() -> Path | None:
    """Return jitnet's folder for data: in JITNET_CACHE_DIR, else the system's caches; None without a home."""
    if chosen := os.environ.get("JITNET_CACHE_DIR"):
        return Path(chosen).absolute() / "data"
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if xdg.is_absolute():  # the specification says to ignore a relative one
        return xdg / "jitnet" / "data"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "jitnet" / "Cache" / "data"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "jitnet" / "data"
    return home / ".cache" / "jitnet" / "data"


class Cache:
    """A folder of verified arrays; with `folder` None it holds nothing and takes nothing.

    `warn` takes a sentence about an entry that was damaged and is given up, `report` the progress of making one.
    """

    def __init__(self, folder: Path | None, warn: Warn, report: Report = silent):
        self.folder = folder
        self.warn = warn
        self.report = report
        self._given_up: set[Path] = set()  # damaged, and perhaps not to be removed: each is mentioned once

    def load(self, key: str = "*", sha256: str = "*") -> Part | None:
        """Return the array kept under a key, or one with a known content; None when none is valid."""
        for path in self._entries(f"{key}.{sha256}.npy"):
            if path not in self._given_up and (part := self._verified(path)):
                return part
        return None

    def save(self, key: str, part: Part) -> bool:
        """Keep an array under a key; return whether that worked."""
        if self.folder is None:
            return False
        temporary = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix="jitnet-", suffix=".tmp")
            with open(handle, "wb") as file:
                np.save(file, part.array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.folder / f"{key}.{part.sha256}.npy")
        except OSError:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            return False
        return True

    def files(self) -> list[Path]:
        """Return every file that jitnet wrote here, including those of interrupted processes."""
        return self._entries(f"*.{'[0-9a-f]' * 64}.npy") + self._entries("jitnet-*.tmp")

    def _entries(self, pattern: str) -> list[Path]:
        try:
            return sorted(self.folder.glob(pattern)) if self.folder else []
        except OSError:
            return []

    def _verified(self, path: Path) -> Part | None:
        try:
            array = npy.decode(read_file(path), str(path))
        except InputError:
            array = None
        expected = path.name.split(".")[-2]
        if array is not None and array.dtype == np.uint8 and sha256(array) == expected:
            return Part(array, expected)
        self.warn(f"the cached copy {path} was damaged, so it is made again from its source")
        self._given_up.add(path)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return None
