"""Class folders: a folder for each class, the images of it inside; the folders' names in order are classes 0, 1, ..."""

import hashlib
from pathlib import Path

import numpy as np

from jitnet.data.content import Report, read_file, silent
from jitnet.data.labels import HELD_OUT, MOST_CLASSES, composed, in_order
from jitnet.data.pixels import Scale, scale_of, to_bytes
from jitnet.data.readers import images
from jitnet.data.readers.names import IMAGES, entries, folder_part
from jitnet.data.readers.raw import Raw
from jitnet.data.record import CLASS_FOLDERS
from jitnet.errors import InputError

_LISTED = 20  # damaged images that are named


def classes_in(folder: Path) -> list[Path]:
    """Return the folders with images directly in `folder`, sorted as people count: 2 before 10."""
    try:
        there = [entry for entry in entries(folder) if entry.is_dir() and files_in(entry)]
    except OSError as error:
        raise InputError(f"cannot look into {folder} ({error.strerror}): check its permissions") from None
    found = {composed(entry.name): entry for entry in there}
    if twice := next((entry for entry in there if found[composed(entry.name)] != entry), None):
        raise InputError(
            f"{folder} has two folders of the class {composed(twice.name)!r}, spelled in two Unicode forms: "
            "expected one, move the images into it"
        )
    return [found[name] for name in in_order(set(found))]


def files_in(folder: Path) -> list[Path]:
    """Return the image files directly in a folder, sorted by name; hidden ones are none."""
    return [entry for entry in entries(folder) if _is_image(entry)]


def _is_image(file: Path) -> bool:
    """Whether a file is called as an image; a link that leads nowhere is a damaged one."""
    return file.suffix.lower() in IMAGES and (file.is_file() or (file.is_symlink() and not file.exists()))


def parts_in(folder: Path) -> dict[str, Path]:
    """Return the folders that are called train, val or test, or alike in any case, by the part they are."""
    found: dict[str, Path] = {}
    for entry in entries(folder):
        if (part := folder_part(entry.name)) and entry.is_dir():
            if part in found:
                raise InputError(f"{folder} has {found[part].name} and {entry.name}: expected one of them")
            found[part] = entry
    return found


def is_there(folder: Path) -> bool:
    """Whether a folder is one of class folders, or holds images that should be in some."""
    parts = parts_in(folder)
    return bool(classes_in(folder) or any(classes_in(place) or files_in(place) for place in parts.values()))


def require_no_images(folder: Path) -> None:
    """Refuse a folder that holds images, but not as class folders (`InputError`)."""
    if files_in(folder):
        raise InputError(
            f"{folder} has images but no folders of classes: expected a folder for each class, named by the class"
        )
    for each in _folders_in(folder):
        if inner := next((place for place in _folders_in(each) if files_in(place)), None):
            raise InputError(
                f"{folder} has images two folders deep, such as in {inner}: expected them in the folders of their "
                f"classes, directly in {folder}, move them"
            )


def places(folder: Path) -> tuple[dict[str, list[Path]], str]:
    """Return the class folders of "train", and of "test" if there are such, and how the split is described."""
    parts = parts_in(folder)
    if not any(classes_in(place) or files_in(place) for place in parts.values()):
        return {"train": classes_in(folder)}, ""
    if "train" not in parts:
        raise InputError(f"{folder} has {', '.join(p.name for p in parts.values())}: expected a folder train too")
    train = classes_in(parts["train"])
    if not train:
        raise InputError(
            f"{parts['train']} has images but no folders in it: expected a folder for each class, named by the class"
        )
    tests = [parts[part] for part in ("test", "val") if part in parts]
    used = next((place for place in tests if classes_in(place)), None)
    if used is None:
        return {"train": train}, "".join(f"{place.name} has no class folders, so it is not used; " for place in tests)
    others = [place.name for place in tests if place is not used and classes_in(place)]
    unused = f"; {', '.join(others)} is not used" if others else ""
    return {"train": train, "test": classes_in(used)}, f"the folders {parts['train'].name} and {used.name}{unused}"


def read(folder: Path, report: Report = silent, skip_damaged: bool = False) -> Raw:
    """Read images of one size, grey, from `folder`/CLASS/, or from `folder`/train/CLASS/ and `folder`/test/CLASS/.

    `report` receives the share of them that is read; `skip_damaged` excludes and counts what is not an image.
    Raises `InputError` for fewer than two classes, more than 256, images of different sizes, too few of a class, and
    damaged images, all of them named at once.
    """
    found, split = places(folder)
    train = found["train"]
    names = [composed(each.name) for each in train]
    if not 2 <= len(train) <= MOST_CLASSES:
        raise InputError(f"{folder} has {len(train)} folders with images: expected 2 to {MOST_CLASSES}, one a class")
    if extra := sorted({composed(each.name) for each in found.get("test", [])} - set(names)):
        raise InputError(
            f"{folder} has the class {extra[0]!r} to test with but not to train on: expected the same ones"
        )
    coloured: list[str] = []
    levels, damaged = _levels(folder, found, report, coloured)
    if damaged and not skip_damaged:
        shown = "; ".join(damaged[:_LISTED]) + (f"; and {len(damaged) - _LISTED} more" * (len(damaged) > _LISTED))
        raise InputError(f"{len(damaged)} damaged: {shown}. Remove them, or skip them by --skip-damaged")
    notes = []
    if "test" not in found:
        notes = [split.removesuffix("; ")] * bool(split)
        levels, split = _split(folder, names, levels["train"])
    notes += _unused(found)
    notes += images.colour_note(coloured, str(folder))
    levels, scale = _to_bytes(levels, str(folder), notes)
    made = {part: _mixed(of_classes) for part, of_classes in levels.items()}
    raw = Raw(CLASS_FOLDERS, *made["train"], *made["test"], names=names, split=split, notes=notes, scale=scale)
    if damaged:
        number = (
            f"{len(damaged)} damaged images of {folder} are" if len(damaged) > 1 else f"1 damaged image of {folder} is"
        )
        raw.notes.append(f"{number} skipped: {'; '.join(damaged[:3])}")
    return raw


Classes = dict[str, list[np.ndarray]]  # the images (H, W) of each class, in the order of the classes


def _split(folder: Path, names: list[str], images: Classes) -> tuple[dict[str, Classes], str]:
    """Hold every seventh image of each class out; return them and the others, and the rule."""
    for name in names:
        if len(images[name]) < HELD_OUT:
            raise InputError(
                f"{folder / name} has too few images ({len(images[name])}): expected at least {HELD_OUT}, one in seven "
                "is for testing; add some, or make the folders train and test"
            )
    train = {name: [image for i, image in enumerate(each) if (i + 1) % HELD_OUT] for name, each in images.items()}
    test = {name: each[HELD_OUT - 1 :: HELD_OUT] for name, each in images.items()}
    held = sum(map(len, test.values()))
    return {"train": train, "test": test}, f"every seventh image of each class is for testing, {held:,} in all"


def _to_bytes(parts: dict[str, Classes], where: str, notes: list[str]) -> tuple[dict[str, Classes], Scale]:
    """Return the images as uint8, deeper ones by the full scale that they have together, and the scale."""
    images = [image for part in parts.values() for each in part.values() for image in each]
    dtypes = {image.dtype for image in images}
    scales = {dtype: scale_of([image for image in images if image.dtype == dtype], where) for dtype in dtypes}
    if len(scales) > 1:
        scales[np.dtype(np.uint8)] = Scale()
        notes.append(f"{where} has images of 8 and of 16 bits: each is divided by the full scale of its kind")
    made = {
        part: {name: [to_bytes(image, scales[image.dtype], where) for image in each] for name, each in classes.items()}
        for part, classes in parts.items()
    }
    return made, scales.get(np.dtype(np.uint8)) or next(iter(scales.values()))


def _unused(found: dict[str, list[Path]]) -> list[str]:
    """Return notes about files and folders next to the images that are not read; refuse images that lie too deep."""
    classes = [each for part in found.values() for each in part]
    notes = []
    others = [file.name for each in classes for file in entries(each) if file.is_file() and not _is_image(file)]
    if others:
        shown = ", ".join(others[:3]) + ", ..." * (len(others) > 3)
        number = (
            f"{len(others):,} files in the class folders are" if len(others) > 1 else "one file in a class folder is"
        )
        notes.append(f"{number} not of a kind that is read: {shown}")
    deep = [inner for each in classes for inner in _folders_in(each) if files_in(inner)]
    empty = [each for place in {each.parent for each in classes} for each in _folders_in(place) if not files_in(each)]
    empty = sorted(each for each in empty if not folder_part(each.name))
    for each in empty:
        if any(files_in(inner) for inner in _folders_in(each)):
            raise InputError(
                f"{each} has images only in folders inside it: expected the images of a class in its folder itself, as "
                f"in {classes[0].name}; move them"
            )
    if deep:
        notes.append(f"the images in folders inside class folders are not used, such as those of {deep[0]}")
    if empty:
        notes.append(
            f"{', '.join(each.name for each in empty[:5])} in {empty[0].parent} has no images: it is not a class"
        )
    return notes


def _folders_in(folder: Path) -> list[Path]:
    return [each for each in entries(folder) if each.is_dir() and not each.is_symlink()]


def _mixed(images: Classes) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, H, W) uint8 and the names of their classes (N,), the classes mixed evenly."""
    order = np.argsort(
        np.concatenate([np.arange(len(each)) / max(1, len(each)) for each in images.values()]), kind="stable"
    )
    stack = np.stack([image for each in images.values() for image in each])
    return stack[order], np.repeat(list(images), [len(each) for each in images.values()])[order]


def _levels(
    folder: Path, found: dict[str, list[Path]], report: Report, coloured: list[str]
) -> tuple[dict[str, Classes], list[str]]:
    """Return the images by part and class, and a sentence for each damaged one; `coloured` receives those so."""
    levels: dict[str, Classes] = {
        part: {composed(each.name): [] for each in classes} for part, classes in found.items()
    }
    damaged: list[str] = []
    shape: tuple[int, ...] | None = None
    files = [
        (part, composed(each.name), file)
        for part, classes in found.items()
        for each in classes
        for file in files_in(each)
    ]
    for done, (part, name, file) in enumerate(files):
        report(f"reading {folder}", done / len(files))
        try:
            image = _one(file, coloured)
        except InputError as error:
            damaged.append(str(error))
            continue
        shape = shape or image.shape
        if image.shape != shape:
            raise InputError(
                f"{file} has {image.shape[1]} x {image.shape[0]} pixels: expected {shape[1]} x {shape[0]} "
                "as in the files before, bring all images to one size"
            )
        levels[part][name].append(image)
    if not all(any(part.values()) for part in levels.values()):
        raise InputError(f"{folder} has no image that can be read: {damaged[0]}")
    return levels, damaged


def fingerprint(folder: Path) -> str:
    """Return a hash of all image files, their names and content: where it is equal, `read` gives equal arrays."""
    digest = hashlib.sha256()
    for each in (each for part in places(folder)[0].values() for each in part):
        for file in files_in(each):
            digest.update(f"{file.relative_to(folder)}\0".encode("utf-8", "surrogateescape"))
            digest.update(hashlib.sha256(read_file(file) if file.exists() else b"a link to nowhere").digest())
    return digest.hexdigest()


def _one(file: Path, coloured: list[str]) -> np.ndarray:
    found = images.read_levels(file, coloured=coloured)
    if len(found) != 1:
        raise InputError(f"{file} holds {len(found)} images: expected one in each file")
    return found[0][1]
