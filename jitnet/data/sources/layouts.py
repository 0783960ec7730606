"""From a path to the arrays of a data set: which files may be there, how named, in which format."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from jitnet.data.content import Part, read_file, sha256, unzipped
from jitnet.data.pixels import Scale
from jitnet.data.readers import arrays, class_folders, idx, npy, parquet, tables
from jitnet.data.readers.kinds import is_parquet, kind_of
from jitnet.data.readers.names import entries, part_of
from jitnet.data.readers.pixel_columns import as_in
from jitnet.data.readers.raw import Raw, of_parts
from jitnet.data.readers.tables import Table
from jitnet.data.record import CLASS_FOLDERS, CSV, PARQUET
from jitnet.data.sources.cache import Cache
from jitnet.data.sources.known import FILES, KNOWN, PARTS
from jitnet.errors import InputError

_MOST = 100  # files of a folder that are examined for IDX
_TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")  # endings of the tables that are looked for in a folder
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
VERSION = 6  # of the readers: what an earlier one has parsed and cached is parsed again


@dataclass(frozen=True)
class Options:
    """What the user says about files: the column of the labels, whether damaged images may be skipped.

    `whole`: of a single file all images are wanted, as one that is only measured on.
    """

    label: str = ""
    skip_damaged: bool = False
    whole: bool = False


def read(path: Path, cache: Cache, options: Options = Options()) -> Raw:
    """Read the data set at a path.

    Parameters
    ----------
    path : a folder with IDX files (plain or .gz; also in `MNIST/raw` below it), `x_train.npy` and so on, CSV files, an
        .npz file or a folder of images for each class; or one .npz file or table. What a file is, its content tells
    cache : where parsed arrays are kept between runs; a CSV's are kept next to it if that can be written

    Raises
    ------
    InputError : nothing of this kind is there, or a file of it is damaged or holds something else
    """
    try:
        if path.is_dir():
            return _folder(path, cache, options)
        if not path.exists():
            raise InputError(f"{path} does not exist: expected a folder or file of images and labels, check the path")
    except InputError:
        raise
    except (OSError, ValueError) as error:  # no permission, a NUL byte, a name that is too long
        raise InputError(f"cannot look into {path} ({error}): check the path and its permissions") from None
    kind = kind_of(path)
    if kind == "npz":
        return _npz(path)
    if kind in ("npy", "idx"):
        four = FILES.values() if kind == "idx" else ("x_train.npy and so on",)
        raise InputError(f"{path} is one of several files: expected the folder of them, {', '.join(four)}")
    part, stem = part_of(path.name)
    siblings = [] if options.whole or part != "train" else entries(path.parent)
    others = [each for each in siblings if part_of(each.name) == ("test", stem) and each.is_file()]
    return _tables(path, cache, options, others[0] if others else None)


def _folder(folder: Path, cache: Cache, options: Options) -> Raw:
    for place in (folder, folder / "MNIST" / "raw", folder / "raw"):
        if found := _idx_files(place) or _idx_by_content(place):
            parts = {part: _idx(file, cache) for part, file in found.items()}
            raw = of_parts("IDX", parts)
            raw.split = f"the files {found['x_train'].name} and {found['x_test'].name}"
            if "emnist" in found["x_train"].name.lower():
                raw.orientation = "EMNIST"
            return raw
    if files := {each.stem: each for each in entries(folder) if each.suffix.lower() == ".npy" and each.is_file()}:
        given = arrays.roles(list(files), str(folder))
        read = {role: npy.read_path(files[name], npy.ALSO_TEXT) for role, name in given.items()}
        return arrays.of_roles("npy", read, list(files), given, str(folder))
    if tables_there := _table_files(folder):
        raw = _tables(tables_there[0], cache, options, tables_there[1])
        raw.notes += tables_there[2]
        return raw
    names = {known.npz for known in KNOWN.values()} - {""}
    archives = [each for each in entries(folder) if each.suffix.lower() == ".npz"]
    archives = [each for each in archives if each.name in names] or archives
    if len(archives) == 1:
        return _npz(archives[0])
    if class_folders.is_there(folder):
        return _class_folders(folder, cache, options)
    inside = [each for each in entries(folder) if each.is_dir()]
    if len(inside) == 1 and len(entries(folder)) == 1:  # as an archive unpacks: a folder in a folder
        return _folder(inside[0], cache, options)
    class_folders.require_no_images(folder)
    if packed := [each.name for each in entries(folder) if each.name.lower().endswith(_ARCHIVES)]:
        raise InputError(f"{folder} has {packed[0]}, an archive, and no data set: unpack it")
    raise InputError(
        f"{folder} holds no data set: expected {', '.join(FILES.values())} (or these with .gz), or "
        f"{', '.join(f'{part}.npy' for part in PARTS)}, or CSV files of which one is for training, or mnist.npz, "
        "or a folder of images for each class, these also in the folders train and test (or training and testing)"
    )


def _files(folder: Path, names: dict[str, list[str]]) -> dict[str, Path]:
    """Return the first spelling there is of each name, {} if there is none.

    Raises `InputError` if only some are there, or one in two spellings, plain and .gz, with other content.
    """
    found: dict[str, Path] = {}
    for key, spellings in names.items():
        there = [folder / each for each in spellings if (folder / each).is_file()]
        if there:
            found[key] = there[0]
        contents = [unzipped(read_file(each), str(each)) for each in there] if len(there) > 1 else []
        if other := next((each for each, content in zip(there, contents) if content != contents[0]), None):
            raise InputError(
                f"{folder} has {there[0].relative_to(folder)} and {other.relative_to(folder)} with other content: "
                "expected one of them, move the other away"
            )
    if found and (missing := [spellings[0] for key, spellings in names.items() if key not in found]):
        shown = ", ".join(file.name for file in found.values())
        raise InputError(f"{folder} has {shown} but lacks {', '.join(missing)}: expected all of them, add what lacks")
    return found


def _idx_files(folder: Path) -> dict[str, Path]:
    """Return the four IDX files of a folder, with any prefix, as EMNIST's have; {} of none."""
    if not folder.is_dir():
        return {}
    sets: dict[str, dict[str, list[str]]] = {}
    for each in entries(folder):
        plain = each.name.removesuffix(".gz").replace(".idx", "-idx")
        for ending in FILES.values():
            for other in {ending, ending.replace("t10k", "test")}:
                if plain.endswith(other):
                    prefix = plain.removesuffix(other)
                    sets[prefix] = {part: _spellings(prefix + name) for part, name in FILES.items()}
    if len(sets) > 1:
        shown = ", ".join(f"{prefix}..." for prefix in sorted(sets))
        raise InputError(f"{folder} has several data sets, {shown}: put the four files of one into their own folder")
    return _files(folder, next(iter(sets.values()), {}))


def _idx_by_content(folder: Path) -> dict[str, Path]:
    """Return the four IDX files of a folder that are called otherwise: images have more extents than labels."""
    files = [each for each in entries(folder) if each.is_file()] if folder.is_dir() else []
    found: dict[str, list[Path]] = {}
    for each in files if len(files) <= _MOST else []:
        if extents := idx.extents_of(each):
            found.setdefault(f"{'y' if extents == 1 else 'x'}_{part_of(each.name)[0]}", []).append(each)
    clear = sorted(found) == sorted(PARTS) and all(len(each) == 1 for each in found.values())
    return {part: found[part][0] for part in PARTS} if clear else {}


def _spellings(name: str) -> list[str]:
    """Return how a file may be called: with .gz, with a dot as some archives unpack it, and test for t10k."""
    names = [name, name.replace("t10k", "test")]
    dotted = [each for n in names for each in (n, n.replace("-idx", ".idx"))]
    inside = [f"{folder}/{each}" for folder in names for each in dotted]  # as some archives hold each in a folder
    return list(dict.fromkeys(each + end for each in (*dotted, *inside) for end in ("", ".gz")))


def _table_files(folder: Path) -> tuple[Path, Path | None, list[str]] | None:
    """Return the tables to train on and to test with, or the only one there is, and notes.

    Raises `InputError` if it is not clear which one is to be trained on.
    """
    found = [each for each in entries(folder) if each.name.lower().endswith(_TABLES) and each.is_file()]
    parts = {each: part_of(each.name) for each in found}
    train = [each for each in found if parts[each][0] == "train"] or [each for each in found if not parts[each][0]]
    if not found or (class_folders.is_there(folder) and not any(part for part, _ in parts.values())):
        return None  # a list next to class folders
    if len(train) != 1:
        shown = ", ".join(each.name for each in train or found)
        raise InputError(f"{folder} has {shown}: name the file to train on by --data FILE")
    others = [each for part in ("test", "val") for each in found if parts[each][0] == part]
    pair = [each for each in others if parts[each][1] == parts[train[0]][1]]
    test = pair[0] if pair else None
    unused = [each.name for each in others if each != test]
    shown = f"{', '.join(unused[:6])} of {folder} {'is' if len(unused) == 1 else 'are'} not used"
    reason = f": expected the name of {train[0].name} with test in place of train" if not pair else ""
    return train[0], test, [shown + reason] if unused else []


def _idx(file: Path, cache: Cache) -> np.ndarray:
    if file.suffix != ".gz":
        return idx.read_path(file)
    content = read_file(file)
    return _kept(_key(content), ("x",), lambda: {"x": idx.decode(content, str(file))}, [cache])["x"]


def _npz(file: Path) -> Raw:
    content = read_file(file)
    names = npy.names_in(content, str(file))
    given = arrays.roles(names, str(file))
    read = npy.decode_npz(content, tuple(given.values()), str(file), npy.ALSO_TEXT)
    return arrays.of_roles("npz", {role: read[name] for role, name in given.items()}, names, given, str(file))


def _tables(train: Path, cache: Cache, options: Options, test: Path | None) -> Raw:
    """Read a pair of CSV files, or a single one; a test file without labels is not used."""
    first = _table(train, cache, options.label)
    if first.labels is None:
        raise InputError(
            f"{train} has {first.pixels.shape[1]} columns and no labels: expected a column with them too; predict "
            "reads such a file by --csv"
        )
    kind = PARQUET if is_parquet(train) else CSV
    raw = Raw(
        kind, first.pixels, first.labels, header=first.header, label_column=first.label_column, columns=first.columns
    )
    raw.notes += first.notes
    if "emnist" in train.name.lower():
        raw.orientation = "EMNIST"
    if test is None:
        return raw
    second = _table(test, cache, options.label, first.pixels.shape[1])
    if second.labels is None:
        raw.notes.append(f"{test} has no labels, so it is not used: a part of {train.name} is for testing")
        return raw
    order, note = as_in(second.columns, str(test), first.columns, train.name)
    raw.x_test = second.pixels if order is None else np.ascontiguousarray(second.pixels[:, order])
    raw.y_test = second.labels
    raw.notes += [*second.notes, *([note] if note else [])]
    raw.split = f"the files {train.name} and {test.name}"
    return raw


def _table(file: Path, cache: Cache, label: str, pixels: int = 0) -> Table:
    next_to_it = Cache(file.parent / ".jitnet" if cache.folder else None, cache.warn, cache.report)
    if is_parquet(file):
        return parquet.read_path(file, label)
    content = unzipped(read_file(file), str(file))
    made: Table | None = None

    def parse() -> dict[str, np.ndarray]:
        nonlocal made
        made = tables.decode(content, str(file), cache.report, label, pixels)
        labels = None if made.labels is None else made.labels.tolist()
        facts = [made.header, made.label_column, made.columns, made.notes, labels]
        return {"x": made.pixels, "m": np.frombuffer(json.dumps(facts).encode(), np.uint8).copy()}

    kept = _kept(_key(content, label, str(pixels)), ("x", "m"), parse, [next_to_it, cache])
    if made is not None:
        return made
    header, column, columns, notes, labels = json.loads(kept["m"].tobytes())
    return Table(kept["x"], None if labels is None else np.array(labels), header, column, tuple(columns), notes=notes)


def _class_folders(folder: Path, cache: Cache, options: Options) -> Raw:
    def parse() -> dict[str, np.ndarray]:
        raw = class_folders.read(folder, cache.report, options.skip_damaged)
        images = [raw.x_train] if raw.x_test is None else [raw.x_train, raw.x_test]
        labels = [each.tolist() for each in (raw.y_train, raw.y_test) if each is not None]
        facts = json.dumps([raw.names, raw.split, raw.notes, labels, raw.scale and asdict(raw.scale)]).encode()
        return {"x": np.concatenate(images), "m": np.frombuffer(facts, np.uint8).copy()}

    key = _key(class_folders.fingerprint(folder).encode(), str(folder), str(options.skip_damaged))
    kept = _kept(key, ("x", "m"), parse, [cache])
    names, split, notes, labels, scale = json.loads(kept["m"].tobytes())
    count = len(labels[0])
    x, y = kept["x"][:count], np.array(labels[0])
    raw = Raw(CLASS_FOLDERS, x, y, names=names, split=split, scale=Scale(**scale), notes=notes)
    if len(labels) > 1:
        raw.x_test, raw.y_test = kept["x"][count:], np.array(labels[1])
    return raw


def _key(content: bytes, *more: str) -> str:
    """Return the key of what is parsed from some content: another content, reader or option is another key."""
    digest = hashlib.sha256(f"{VERSION}\0{json.dumps(more)}\0".encode())
    digest.update(content)
    return digest.hexdigest()[:32]


def _kept(
    key: str, names: tuple[str, ...], parse: Callable[[], dict[str, np.ndarray]], caches: list[Cache]
) -> dict[str, np.ndarray]:
    """Return the arrays under a key from the first cache that has them, else parse and fill one if they are bytes."""
    for cache in caches:
        kept = {name: part.array for name in names if (part := cache.load(f"{key}-{name}"))}
        if len(kept) == len(names):
            return kept
    made = parse()
    if all(array.dtype == np.uint8 and array.size for array in made.values()):
        for cache in caches:
            if all(cache.save(f"{key}-{name}", Part(array, sha256(array))) for name, array in made.items()):
                break
    return made
