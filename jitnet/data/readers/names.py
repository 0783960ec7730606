"""What file and folder names say: which are parts of a data set, which belong together, which are no data at all."""

import re
from pathlib import Path

PARTS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "t10k"),
}
_WORD = {name: part for part, names in PARTS.items() for name in names}
_TOKEN = re.compile(r"(?i)(?<![a-z])(training|train|testing|test|t10k|validation|valid|val|dev)(?![a-z])")
_LITTER = {"thumbs.db", "desktop.ini", "__macosx"}


def is_litter(path: Path) -> bool:
    """Whether a file or folder is left by an operating system or an editor: hidden, or known to be no data."""
    return path.name.startswith((".", "._")) or path.name.lower() in _LITTER


def entries(folder: Path) -> list[Path]:
    """Return what is in a folder, without litter, sorted by name."""
    return sorted(entry for entry in folder.iterdir() if not is_litter(entry))


def part_of(name: str) -> tuple[str, str]:
    """Return the part that a name tells, "" if none, and the name with a star in its place: equal for a pair.

    >>> part_of("fashion-mnist_train.csv"), part_of("T10K-images"), part_of("fashion-mnist_test.csv")[1]
    (('train', 'fashion-mnist_*.csv'), ('test', '*-images'), 'fashion-mnist_*.csv')
    """
    found = _TOKEN.search(name)
    if not found:
        return "", name
    return _WORD[found[1].lower()], (name[: found.start()] + "*" + name[found.end() :]).lower()


def folder_part(name: str) -> str:
    """Return the part that a folder's whole name is, "" if it is none.

    >>> folder_part("Training"), folder_part("train-old")
    ('train', '')
    """
    return _WORD.get(name.lower(), "")
