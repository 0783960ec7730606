"""Class folders: a folder for each class, the images of it inside; the folders' names in order are classes 0, 1, ..."""

import hashlib
from pathlib import Path

import numpy as np

from jitnet.data.content import Report, read_file, silent
from jitnet.data.readers.images import read_images
from jitnet.errors import InputError

MOST_CLASSES = 256  # labels are bytes
HELD_OUT = 7  # without a `test` folder every seventh image of a class is for testing, which is MNIST's own share
_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pgm"}


def classes_in(folder: Path) -> list[Path]:
    """Return the folders with images directly in `folder`, sorted as people count: 2 before 10."""
    try:
        found = [entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
        found = [entry for entry in found if files_in(entry)]
    except OSError as error:
        raise InputError(f"cannot look into {folder} ({error.strerror}): check its permissions") from None
    return sorted(found, key=lambda entry: (len(entry.name) if entry.name.isdecimal() else 99, entry.name))


def files_in(folder: Path) -> list[Path]:
    """Return the image files directly in a folder, sorted by name."""
    return sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in _SUFFIXES and entry.is_file())


def read(folder: Path, report: Report = silent) -> dict[str, np.ndarray]:
    """Read images of one size, grey, from `folder`/CLASS/, or from `folder`/train/CLASS/ and `folder`/test/CLASS/.

    `report` is told how many of them are read.

    Returns
    -------
    dict of x_train, x_test (N, H, W) and y_train, y_test (N,), all uint8

    Raises
    ------
    InputError : fewer than two classes, more than 256, images of different sizes, too few of a class, a bad image
    """
    if is_split(folder):
        train, test = classes_in(folder / "train"), classes_in(folder / "test")
        expected = [each.name for each in train]
        if expected != [each.name for each in test]:
            other = sorted(set(expected) ^ {each.name for each in test})[0]
            raise InputError(f"{folder} has the class {other!r} in one of train and test only: expected the same ones")
        pieces = {"train": [files_in(each) for each in train], "test": [files_in(each) for each in test]}
    else:
        train = classes_in(folder)
        files = [files_in(each) for each in train]
        for each, there in zip(train, files):
            if len(there) < HELD_OUT:
                raise InputError(
                    f"{each} has {len(there)} images: expected at least {HELD_OUT}, one in seven is for testing; "
                    "add some, or make the folders train and test"
                )
        pieces = {
            "train": [[file for i, file in enumerate(each) if (i + 1) % HELD_OUT] for each in files],
            "test": [each[HELD_OUT - 1 :: HELD_OUT] for each in files],
        }
    if not 2 <= len(train) <= MOST_CLASSES:
        raise InputError(f"{folder} has {len(train)} folders with images: expected 2 to {MOST_CLASSES}, one a class")
    made: dict[str, np.ndarray] = {}
    shape: tuple[int, ...] | None = None
    done, total = 0, sum(len(each) for of_classes in pieces.values() for each in of_classes)
    for part, of_classes in pieces.items():
        images = []
        for file in (file for each in of_classes for file in each):
            report(f"reading {folder}", done / total)
            done += 1
            image = _one(file)
            shape = shape or image.shape
            if image.shape != shape:
                raise InputError(
                    f"{file} has {image.shape[1]} x {image.shape[0]} pixels: expected {shape[1]} x {shape[0]} "
                    "as in the files before, bring all images to one size"
                )
            images.append(image)
        labels = np.repeat(np.arange(len(of_classes)), [len(each) for each in of_classes])
        order = np.argsort(np.concatenate([np.arange(len(each)) / len(each) for each in of_classes]), kind="stable")
        made[f"x_{part}"], made[f"y_{part}"] = (
            np.stack(images)[order],
            labels.astype(np.uint8)[order],
        )  # the classes mixed evenly
    return made


def fingerprint(folder: Path) -> str:
    """Return a hash of all image files, their names and content: where it is equal, `read` gives equal arrays."""
    digest = hashlib.sha256()
    places = (folder / "train", folder / "test") if is_split(folder) else (folder,)
    for file in (file for place in places for each in classes_in(place) for file in files_in(each)):
        digest.update(f"{file.relative_to(folder)}\0".encode("utf-8", "surrogateescape"))
        digest.update(hashlib.sha256(read_file(file)).digest())
    return digest.hexdigest()


def names(folder: Path) -> list[str]:
    """Return the classes' names in the order of their labels."""
    return [each.name for each in classes_in(folder / "train" if is_split(folder) else folder)]


def is_there(folder: Path) -> bool:
    """Whether a folder is one of class folders."""
    return bool(is_split(folder) or classes_in(folder))


def is_split(folder: Path) -> bool:
    """Whether training and test images have folders of their own."""
    return all((folder / part).is_dir() and classes_in(folder / part) for part in ("train", "test"))


def _one(file: Path) -> np.ndarray:
    found = read_images(file)
    if len(found) != 1:
        raise InputError(f"{file} holds {len(found)} images: expected one in each file")
    return found[0][1]
