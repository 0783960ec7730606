"""From a path to the four arrays of a data set: which files may lie there, how named, in which format."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jitnet.data import checks
from jitnet.data.content import Part, read_file, sha256
from jitnet.data.readers import class_folders, idx, npy, tables
from jitnet.data.sources.cache import Cache
from jitnet.data.sources.known import FILES, KNOWN, PARTS
from jitnet.errors import InputError

Parts = dict[str, Part]  # x_train, y_train, x_test, y_test

_TABLES = (("mnist_train.csv", "mnist_test.csv"), ("train.csv", "test.csv"))
_HELD_OUT = 7  # of a lone CSV file the last of seven parts is for testing, which is MNIST's own share


def read(path: Path, cache: Cache) -> Parts:
    """Read the data set at a path.

    Parameters
    ----------
    path : a folder with IDX files (plain or .gz; also in `MNIST/raw` below it), `x_train.npy` and so on, a
        pair of CSV files, an `mnist.npz` or a folder of images for each class; or one .npz or .csv file
    cache : where parsed arrays are kept between runs; a CSV's are kept beside it if that can be written

    Returns
    -------
    dict of x_train, x_test (N, H, W) or (N, H, W, C) and y_train, y_test (N,), all uint8, with their hashes

    Raises
    ------
    InputError : nothing of this kind is there, or a file of it is damaged or holds something else
    """
    try:
        if path.is_dir():
            return _folder(path, cache)
        if not path.exists():
            raise InputError(f"{path} does not exist: expected a folder or file of images and labels, check the path")
    except InputError:
        raise
    except (OSError, ValueError) as error:  # no permission, a NUL byte, a name that is too long
        raise InputError(f"cannot look into {path} ({error}): check the path and its permissions") from None
    if path.suffix.lower() == ".npz":
        return _npz(path, cache)
    if path.suffix.lower() == ".csv":
        others = _existing(path.parent, [test for train, test in _TABLES if train == path.name])
        return _tables(path, cache, others[0] if others else None)
    raise InputError(f"{path} is not a data set: expected a folder, an .npz file or a .csv file")


def _folder(folder: Path, cache: Cache) -> Parts:
    for place in (folder, folder / "MNIST" / "raw", folder / "raw"):
        if files := _files(place, {part: _spellings(name) for part, name in FILES.items()}):
            return {part: _idx(part, file, cache) for part, file in files.items()}
    if files := _files(folder, {part: [f"{part}.npy"] for part in PARTS}):
        return {part: _checked(part, npy.read_path(file), file) for part, file in files.items()}
    for train, test in _TABLES:
        if files := _files(folder, {"train": [train], "test": [test]}):
            return _tables(files["train"], cache, files["test"])
    for known in KNOWN.values():
        if known.npz and (folder / known.npz).is_file():
            return _npz(folder / known.npz, cache)
    if class_folders.is_there(folder):
        return _class_folders(folder, cache)
    raise InputError(
        f"{folder} holds no data set: expected {', '.join(FILES.values())} (or these with .gz), or "
        f"{', '.join(f'{part}.npy' for part in PARTS)}, or mnist_train.csv and mnist_test.csv, or mnist.npz, "
        "or a folder of images for each class"
    )


def _files(folder: Path, names: dict[str, list[str]]) -> dict[str, Path]:
    """Return the first spelling there is of each name; {} if there is none, `InputError` if only some."""
    found = {key: file for key, spellings in names.items() for file in _existing(folder, spellings)[:1]}
    if found and (missing := [spellings[0] for key, spellings in names.items() if key not in found]):
        there = ", ".join(file.name for file in found.values())
        raise InputError(f"{folder} has {there} but lacks {', '.join(missing)}: expected all of them, add what lacks")
    return found


def _existing(folder: Path, names: list[str]) -> list[Path]:
    return [folder / name for name in names if (folder / name).is_file()]


def _spellings(name: str) -> list[str]:
    dotted = name.replace("-idx", ".idx")  # as some archives unpack them
    return [name, f"{name}.gz", dotted, f"{dotted}.gz"]


def _idx(part: str, file: Path, cache: Cache) -> Part:
    if file.suffix != ".gz":
        return _checked(part, idx.read_path(file), file)
    return _parsed(file, (part,), lambda content: {part: idx.decode(content, str(file))}, [cache])[part]


def _npz(file: Path, cache: Cache) -> Parts:
    return _parsed(file, PARTS, lambda content: npy.decode_npz(content, PARTS, str(file)), [cache])


def _tables(train: Path, cache: Cache, test: Path | None) -> Parts:
    """Read a pair of CSV files, or a lone one, of which the last images are for testing."""
    x, y = _table(train, cache)
    if test:
        x_test, y_test = _table(test, cache)
        return {"x_train": x, "y_train": y, "x_test": x_test, "y_test": y_test}
    count = len(x.array)
    held = count // _HELD_OUT
    if not held:
        raise InputError(f"{train} has {count} images: expected at least {_HELD_OUT}, one in seven is for testing")
    cache.warn(f"{train} has no test set beside it, so the last {held:,} of its images are for testing")
    pieces = {}
    for name, array in (("x", x.array), ("y", y.array)):
        pieces[f"{name}_train"], pieces[f"{name}_test"] = array[:-held], array[-held:]
    return {part: Part(array, sha256(array)) for part, array in pieces.items()}


def _table(file: Path, cache: Cache) -> tuple[Part, Part]:
    beside = Cache(file.parent / ".jitnet" if cache.folder else None, cache.warn, cache.report)
    parts = _parsed(
        file,
        ("x", "y"),
        lambda content: dict(zip("xy", tables.decode(content, str(file), cache.report))),
        [beside, cache],
    )
    return parts["x"], parts["y"]


def _parsed(
    file: Path, names: tuple[str, ...], parse: Callable[[bytes], dict[str, np.ndarray]], caches: list[Cache]
) -> Parts:
    """Return a file's arrays from the first cache that has them, else parse it and fill one."""
    content = read_file(file)
    key = hashlib.sha256(content).hexdigest()[:32]  # another content under the same name is another key
    return _kept(key, names, lambda: parse(content), file, caches)


def _class_folders(folder: Path, cache: Cache) -> Parts:
    names = class_folders.names(folder)
    if names != [str(label) for label in range(len(names))]:
        shown = ", ".join(f"{label} = {name}" for label, name in enumerate(names))
        cache.warn(f"the folders in {folder} are the classes {shown}")
    key = class_folders.fingerprint(folder)[:32]
    return _kept(key, PARTS, lambda: class_folders.read(folder, cache.report), folder, [cache])


def _kept(
    key: str,
    names: tuple[str, ...],
    parse: Callable[[], dict[str, np.ndarray]],
    file: Path,
    caches: list[Cache],
) -> Parts:
    """Return the arrays under a key from the first cache that has them, else parse and fill one."""
    for cache in caches:
        kept = {name: part for name in names if (part := cache.load(f"{key}-{name}"))}
        if len(kept) == len(names):
            return kept
    parts = {name: _checked(name, array, file) for name, array in parse().items()}
    for cache in caches:
        if all(cache.save(f"{key}-{name}", part) for name, part in parts.items()):
            break
    return parts


def _checked(part: str, values: np.ndarray, file: Path) -> Part:
    check = checks.images if part.startswith("x") else checks.labels
    array = check(values, str(file))
    return Part(array, sha256(array))
