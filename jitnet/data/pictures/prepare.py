"""A drawing made to look like the digits of a data set: their size, their place, their polarity."""

import math
from dataclasses import dataclass, field

import numpy as np

from jitnet.data.pictures.ink import Ink, find_ink, is_blank
from jitnet.data.pictures.resize import at_most, resized
from jitnet.data.pictures.shapes import drawing
from jitnet.errors import InputError

_SMALLEST = 4  # pixels of a side
_WORK = 160  # pixels of the longer side that ink is looked for in
_FINE = 640  # where nothing was found
_SMALL = 0.4  # of the picture: a drawing that is smaller is examined again alone
_WIDE = 0.8  # of the part around a small drawing: so wide its strokes may be
_PAPER = 0.25  # of strong ink: below it is paper, its shadows, and what JPEG adds
_LINES = 0.5  # of strong ink: below it are ruled lines, where they were not straight enough to go
_EDGE = 0.02  # of the side: reach of the blurred edge around strong ink
_ALL_ACROSS = 0.85  # of the side: weak ink that spans so much is lines, and an edge that does is that of a band
_FAINT = 48.0  # grey levels of contrast: below it an answer is doubtful
_FULL = 0.45  # of the area in ink: above it an answer is doubtful
_PLAIN = 0.1  # of the contrast: what varies less is of one level
_STEEP = 0.5  # of the contrast between a band and nearly all of the third line behind it: its edge
_LINE = 0.06  # of the picture: a thinner band may be a ruled line
_STROKE = 0.25  # of the picture: a wider band is not a stroke of a drawing that fills it
_TURNS = {"left": 3, "right": 1, "top": 0, "bottom": 2}  # quarters of a turn that bring a side to the top
_THIN = 1.6  # pixels of a stroke in an image of 28: a thinner one is made so


@dataclass
class Prepared:
    """An image ready for a network, what was seen on the way, and the notes that an answer should carry."""

    image: np.ndarray  # (height, width) uint8, or (height, width, C) with colours
    notes: list[str] = field(default_factory=list)
    steps: list[tuple[str, np.ndarray]] = field(default_factory=list)  # (name, image as above of any size)
    several: bool = False  # shapes next to each other


def centred(grey: np.ndarray, height: int, width: int, side: int = 0, by_mass: bool = True) -> Prepared:
    """Prepare a drawing as MNIST's digits were: light on black, of one size, in the middle.

    Parameters
    ----------
    grey : (H, W) grey levels 0 to 255, dark on light or light on dark: the local contrast decides
    height, width : of the result
    side : pixels of the ink's longer side; 0 is 20/28 of the smaller extent, as in MNIST
    by_mass : whether its centre of mass comes to the middle, as in MNIST, or else its bounding box

    Raises
    ------
    InputError : the picture is blank, or only a few pixels high or wide
    """
    if min(grey.shape) < _SMALLEST and np.ptp(grey):
        raise InputError(
            f"the picture has {grey.shape[1]} x {grey.shape[0]} pixels: expected at least {_SMALLEST} each way"
        )
    side = side or round(min(height, width) * 20 / 28)
    small = at_most(grey, _WORK)
    ink = find_ink(small)
    if is_blank(ink) and max(grey.shape) > _WORK:  # a small drawing in a large picture
        small = at_most(grey, _FINE)
        ink = find_ink(small)
    if is_blank(ink):
        raise _blank(grey)
    name, share = ("", 0.0) if ink.margin else _band(small)
    if share > _STROKE:
        found = centred(_cut(grey, name, share), height, width, side, by_mass)
        found.notes.insert(0, f"a plain band along its {name} is taken for the edge of a scan")
        return found
    mask, several = _drawing(ink.strength, ink.contrast)
    box = _box(mask)
    if max(box[2] - box[0], box[3] - box[1]) < _SMALL * max(small.shape) and max(grey.shape) > _WORK:
        small, ink, mask, several = _closer(grey, small, box, (ink, mask, several))
    faint, full = ink.contrast < _FAINT, mask.mean() > _FULL
    if faint and full:  # the light on the paper, or its noise
        raise _blank(grey)
    found = Prepared(np.zeros((height, width), np.uint8), several=several)
    found.steps = [("the picture", _bytes(small)), ("its ink", _bytes(ink.strength * (255 / ink.contrast)))]
    if name:
        found.notes.append(f"a plain band along its {name} may be the edge of a scan: crop it")
    if several:
        found.notes.append("there seem to be several shapes")
    if faint:
        found.notes.append(f"there is almost no contrast ({ink.contrast:.0f} grey levels)")
    if full:
        found.notes.append("the ink fills the picture")
    kept = np.where(mask, np.clip(ink.strength / ink.contrast - _PAPER, 0, 1 - _PAPER), 0)
    top, left, bottom, right = _box(mask)
    shape = kept[top:bottom, left:right]
    found.steps.append(("the drawing", _bytes(shape * (255 / (1 - _PAPER)))))
    scale = side / max(shape.shape)
    shape = _with_stroke(shape, scale * 28 / min(height, width))
    scale = side / max(shape.shape)
    small_shape = _to(shape, scale)
    place = [_start(small_shape, axis, extent, by_mass) for axis, extent in ((0, height), (1, width))]
    rows, columns = (slice(at, at + extent) for at, extent in zip(place, small_shape.shape))
    found.image[rows, columns] = np.rint(small_shape * (255 / float(small_shape.max())))
    found.steps.append(("as the network sees it", found.image))
    return found


def _blank(grey: np.ndarray) -> InputError:
    """Return the error of a picture (H, W) without a drawing."""
    levels = f"grey levels {int(np.min(grey))} to {int(np.max(grey))}"
    return InputError(f"the image is blank, nothing stands out from its paper ({levels}): expected a drawing")


def _to(shape: np.ndarray, scale: float) -> np.ndarray:
    """Return a drawing (H, W) at another scale, each extent at least 1."""
    return resized(shape, *(max(1, round(extent * scale)) for extent in shape.shape))


def _drawing(strength: np.ndarray, contrast: float) -> tuple[np.ndarray, bool]:
    """Return the drawing's mask (H, W) and whether there are several; with ruled lines it is that of the pen alone."""
    near = _grown(strength > _LINES * contrast, max(1, round(_EDGE * min(strength.shape))))
    lines = (strength > _PAPER * contrast) & ~near
    spans = (np.ptp(np.flatnonzero(lines.any(axis=axis))) + 1 for axis in (0, 1)) if lines.any() else ()
    if any(span > _ALL_ACROSS * extent for span, extent in zip(spans, strength.shape[::-1])):
        strength = np.where(near, strength, 0)
    return drawing(strength, _PAPER * contrast)


def _closer(
    grey: np.ndarray, small: np.ndarray, box: tuple[int, int, int, int], before: tuple[Ink, np.ndarray, bool]
) -> tuple[np.ndarray, Ink, np.ndarray, bool]:
    """Look again at the part (top, left, bottom, right) of the picture where the drawing is, at a finer size."""
    scale = max(grey.shape) / max(small.shape)
    margin = 0.35 * max(box[2] - box[0], box[3] - box[1])
    top, left = (max(0, round((at - margin) * scale)) for at in box[:2])
    bottom, right = (round((at + margin) * scale) for at in box[2:])
    part = at_most(grey[top:bottom, left:right], _WORK)
    ink = find_ink(part, _WIDE)
    if is_blank(ink) or ink.light != before[0].light:
        return small, *before
    mask, several = _drawing(ink.strength, ink.contrast)
    return part, ink, mask, several


def _band(grey: np.ndarray) -> tuple[str, float]:
    """Return the side along which a picture (H, W) has a band of one level with a sharp edge, and its share.

    "" and 0 if there is none.
    """
    full = float(np.quantile(grey, 0.99) - np.quantile(grey, 0.01))
    for name, turns in _TURNS.items():
        lines = np.rot90(grey, turns)
        away = np.abs(lines - float(np.median(lines[0])))  # of each pixel, from the level of the line at the border
        ends = away.max(axis=1) > _PLAIN * full
        deep = int(ends.argmax()) if ends.any() else len(lines)
        if _LINE * len(lines) < deep < len(lines) - 3 and float((away[deep + 2] > _STEEP * full).mean()) > _ALL_ACROSS:
            return name, deep / len(lines)
    return "", 0.0


def _cut(grey: np.ndarray, name: str, share: float) -> np.ndarray:
    """Return a picture (H, W) without the band that `_band` found, and the blurred lines at its edge."""
    lines = np.rot90(grey, _TURNS[name])
    return np.rot90(lines[math.ceil((share + _EDGE) * len(lines)) :], -_TURNS[name])


def _with_stroke(shape: np.ndarray, scale: float) -> np.ndarray:
    """Return a drawing (H, W) whose strokes, at `scale`, are not much thinner than MNIST's."""
    binary = np.pad(shape > 0.5 * shape.max(), 1)
    perimeter = sum(int(np.count_nonzero(np.diff(binary, axis=axis))) for axis in (0, 1))
    stroke = 2.6 * int(np.count_nonzero(binary)) / max(1, perimeter) * scale
    if stroke >= _THIN:
        return shape
    reach = round((_THIN - stroke) / scale / 2)
    if reach < 1:
        return shape
    padded = np.pad(shape, reach)
    return _grown(padded, reach)


def _grown(image: np.ndarray, reach: int) -> np.ndarray:
    """Return the largest value (H, W) within that many pixels along both axes."""
    window = np.lib.stride_tricks.sliding_window_view(np.pad(image, reach), 2 * reach + 1, axis=0).max(axis=-1)
    return np.lib.stride_tricks.sliding_window_view(window, 2 * reach + 1, axis=1).max(axis=-1)


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Return top, left, bottom, right of what is set in a mask (H, W)."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _start(shape: np.ndarray, axis: int, extent: int, by_mass: bool) -> int:
    """Return where the ink (h, w) begins so that its centre is in the middle and all of it fits.

    The middle is pixel extent / 2 counted from 0, as in MNIST: the mean over its digits is (13.99, 14.00).
    """
    length = shape.shape[axis]
    if not by_mass:
        return max(0, (extent - length) // 2)
    mass = shape.sum(axis=1 - axis)
    centre = float(mass @ np.arange(length) / mass.sum())
    return min(max(round(extent / 2 - centre), 0), extent - length)


def _bytes(levels: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
