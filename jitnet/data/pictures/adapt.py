"""A picture prepared as the pictures were that a network was trained on."""

import numpy as np

from jitnet.data import pixels
from jitnet.data.pictures.prepare import Prepared, centred
from jitnet.data.pictures.resize import resized
from jitnet.data.pictures.style import in_style, other_polarity, presumed
from jitnet.data.record import CLASS_FOLDERS, DataRecord
from jitnet.errors import InputError

_ASPECT = 1.1  # a picture may be so much wider or taller than the network's images and still be resized


def adapt(levels: np.ndarray, record: DataRecord, height: int, width: int, name: str, drawn: bool) -> Prepared:
    """Return a picture as an image for a network.

    Parameters
    ----------
    levels : (H, W) numbers, as a file has them; for networks that see colours (H, W, C)
    record : of the data that the network was trained on; one without a kind is of an old run, whose style is presumed
    height, width : of the network's images
    name : of the picture, for messages
    drawn : whether it is a picture file, whose format says what white is, or an array, which follows the data

    Raises
    ------
    InputError : it is blank, or its numbers or its shape are others than in training
    """
    style = record.style if record.kind else presumed(height, width)
    image, note = _bytes(levels, record, name, drawn)
    if style.prepared and image.ndim == 2:
        _require_ink(image, note)
        if image.shape == (height, width) and (ready := in_style(image, style)) is not None:
            found = Prepared(ready, steps=[("the picture", image), ("as the network sees it", ready)])
        else:
            found = centred(image, height, width, style.side if record.kind else 0, style.by_mass)
            if found.several and record.is_of_digits:
                raise InputError("there seem to be several shapes: expected one digit, cut the others off")
            if not style.light:
                found.image = 255 - found.image
                found.steps.append(("dark on light, as in training", found.image))
    elif image.shape[:2] == (height, width):
        found = Prepared(image.copy(), steps=[("taken as it is", image)])
        if image.min() == image.max() and record.kind != "":
            raise InputError(f"the image is blank (all grey levels are {image.min()}): expected a picture")
    else:
        found = _resized(image, height, width)
    found.notes += [note] if note else []
    if not style.prepared and (other := other_polarity(image[None], record.polarity)):
        found.notes.append(f"it is {other}, and the training pictures were {record.polarity}")
    return found


def _bytes(levels: np.ndarray, record: DataRecord, name: str, drawn: bool) -> tuple[np.ndarray, str]:
    """Return levels (H, W, ...) as uint8, by the data's scale or by that of the picture's own format, and a note."""
    if record.as_given and (record.scale.low < 0 or record.scale.full != 1.0):
        raise InputError(
            f"the network was trained on {record.scale.found}, and a picture does not say how its pixels become such "
            "numbers: expected a network trained on pixels, or the numbers as the rows of a table, --csv FILE"
        )
    if not drawn:
        return pixels.as_trained(levels, record.scale, name)
    if record.kind == CLASS_FOLDERS and levels.max() <= record.scale.full:
        return pixels.to_bytes(levels, record.scale, name), ""
    if levels.dtype == np.uint8:
        return levels, ""
    scale = pixels.scale_of([levels], name)
    whole_depth = levels.dtype.kind == "u" and scale.full == np.iinfo(levels.dtype).max  # as the format says
    return pixels.to_bytes(levels, scale, name), "" if whole_depth else pixels.remark(scale, name)


def _require_ink(image: np.ndarray, note: str) -> None:
    """Refuse an image (H, W) without contrast (`InputError`); `note` says of its numbers why that may be."""
    if int(image.max()) - int(image.min()) < 24:
        if note:
            raise InputError(note)
        raise InputError(f"the image is blank (grey levels {image.min()} to {image.max()}): expected a drawn digit")


def _resized(image: np.ndarray, height: int, width: int) -> Prepared:
    """Return a picture (H, W) or (H, W, C) at the size of the training pictures, which were taken as they are."""
    tall, wide = image.shape[:2]
    if image.min() == image.max():
        raise InputError(f"the image is blank (all grey levels are {image.min()}): expected a picture")
    ratio = (tall / wide) / (height / width)
    if not 1 / _ASPECT <= ratio <= _ASPECT:
        raise InputError(
            f"the picture has {wide} x {tall} pixels: expected {width} x {height} as in training, or their proportion; "
            "crop it"
        )
    small = np.rint(resized(image, height, width)).astype(np.uint8)
    found = Prepared(small, [f"resized from {wide} x {tall} pixels"])
    found.steps = [("the picture", image), ("as the network sees it", small)]
    return found
