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
_ROLES = {
    "x": ("x", "image", "images", "img", "imgs", "data", "feature", "features", "input", "inputs", "pixels"),
    "y": ("y", "label", "labels", "target", "targets", "class", "classes"),
}
_ROLE = {name: role for role, names in _ROLES.items() for name in names}
_PART_WORD = _WORD | {"tr": "train", "te": "test"}
_JOINED = [re.compile(f"({'|'.join(a)})({'|'.join(b)})") for a, b in ((_ROLE, _PART_WORD), (_PART_WORD, _ROLE))]
IMAGES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp"}  # endings
IMAGES |= {".pgm", ".ppm", ".pbm", ".pnm"}
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


def role_of(name: str) -> tuple[str, str, str]:
    """Return what the name of an array tells: its part, whether it holds images "x" or labels "y", and other words.

    >>> role_of("X_train"), role_of("test_labels"), role_of("trainX"), role_of("digits_y"), role_of("names")
    (('train', 'x', ''), ('test', 'y', ''), ('train', 'x', ''), ('', 'y', 'digits'), ('', '', 'names'))
    """
    words = [word for word in re.split("[^0-9a-z]+", re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower()) if word]
    words = [part for word in words for part in _parted(word)]
    parts = {_PART_WORD[word] for word in words if word in _PART_WORD}
    roles = {_ROLE[word] for word in words if word in _ROLE}
    rest = " ".join(word for word in words if word not in _PART_WORD and word not in _ROLE)
    if len(parts) > 1 or not roles:
        return "", "", rest or name
    return "".join(parts), "y" if "y" in roles else "x", rest


def _parted(word: str) -> tuple[str, ...]:
    found = next((match for pattern in _JOINED if (match := pattern.fullmatch(word))), None)
    return found.groups() if found else (word,)
