"""How the pictures of a data set were drawn and placed: measured when it is trained on, followed by `predict`."""

from dataclasses import dataclass

import numpy as np

_DARK = 64  # grey levels from here on are ink, where ink is light
_PLAIN = 16  # grey levels: so near to black or white paper is plain
_SMALLEST = 16  # pixels of a side: smaller images are not prepared, they are taken as they are
_EXAMINED = 1000  # images that show whether they are dark on light
_STEADY = 0.9  # of the pictures share a size and a place in data that were prepared like MNIST


@dataclass(frozen=True)
class Style:
    """`prepared`: drawings of one size, in the middle, on plain paper, as MNIST's. The rest is measured on them.

    A picture is taken as it is if its longer side and its place are within what the data set has.
    """

    prepared: bool = False
    light: bool = True  # light ink on dark paper
    side: int = 20  # pixels of the ink's longer side: the usual one
    shortest: int = 0  # and the extremes
    longest: int = 28
    by_mass: bool = True  # the centre of mass is in the middle, or else that of the bounding box
    farthest: float = 0.0  # pixels from the middle to the centre of mass, at most

    @property
    def text(self) -> str:
        """Return it as a phrase."""
        if not self.prepared:
            return "as they are"
        return f"ink {self.side} pixels long, centred by {'mass' if self.by_mass else 'its box'}"


AS_IS = Style()
MNIST = Style(True, True, 20, 1, 20, True, 2.0)


def presumed(height: int, width: int) -> Style:
    """Return the style of pictures of this size of which nothing is recorded: MNIST's, if they are not too small."""
    return MNIST if min(height, width) >= _SMALLEST else AS_IS


def measure(images: np.ndarray) -> tuple[Style, str]:
    """Return the style of images (N, H, W) or (N, H, W, C) uint8, and their polarity as a phrase.

    Of images with colours the style is that they are taken as they are; the polarity is "" if it cannot be told.
    """
    height, width = images.shape[1:3]
    if images.ndim == 4 and (images == images[..., :1]).all():
        images = images[..., 0]  # greys in several channels
    if images.ndim != 3 or min(height, width) < _SMALLEST:
        return AS_IS, ""
    border = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    paper = np.sort(border, axis=1)[:, border.shape[1] // 2]
    middle = float(np.median(paper))
    means = images.mean(axis=(1, 2), dtype=np.float64)
    lighter = float((means > paper).mean())
    polarity = "light on dark" if middle < 128 and lighter > 0.9 else ""
    polarity = "dark on light" if middle >= 128 and lighter < 0.1 else polarity
    light = polarity == "light on dark"
    plain = float((paper <= _PLAIN if light else paper >= 255 - _PLAIN).mean())
    if not polarity or plain < 0.98:
        return AS_IS, polarity
    side, place, box = placement(images, light)
    usual = int(np.median(side))
    ink = images.max(axis=(1, 2)) if light else 255 - images.min(axis=(1, 2))
    if usual < 1 or float(np.median(ink)) < 2 * _DARK:  # too pale to tell where a stroke ends
        return AS_IS, polarity
    steady = float((np.abs(side - usual) <= 1).mean())
    middles = [float((offset <= 1.6).mean()) for offset in (place, box)]
    if steady < _STEADY or max(middles) < _STEADY or usual > 0.9 * min(height, width):
        return AS_IS, polarity
    found = Style(
        prepared=True,
        light=light,
        side=usual,
        shortest=int(side.min()),
        longest=int(side.max()),
        by_mass=bool(np.median(place) <= np.median(box)),
        farthest=float(place.max()),
    )
    return found, polarity


def other_polarity(images: np.ndarray, polarity: str) -> str:
    """Return the polarity of images (N, H, W, ...), bytes or fractions, if it is not the given one, else ""."""
    found = polarity_of(images) if polarity else ""
    return found if found != polarity else ""


def polarity_of(images: np.ndarray) -> str:
    """Return the polarity of images (N, H, W, ...), bytes or fractions, as a phrase; "" if it cannot be told."""
    return measure(as_bytes(images[:: -(-len(images) // _EXAMINED)]))[1]


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Return images as uint8, fractions from 0 to 1 in 256 levels."""
    return images if images.dtype == np.uint8 else np.clip(np.rint(images * 255), 0, 255).astype(np.uint8)


def placement(images: np.ndarray, light: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the longer side of the ink in images (N, H, W), and the distances of its mass and its box to the middle.

    Each is an array (N,); of a blank image they are 0.
    """
    height, width = images.shape[1:3]
    middle = np.array([height / 2, width / 2])
    sides: list[np.ndarray] = []
    places: list[np.ndarray] = []
    boxes: list[np.ndarray] = []
    for start in range(0, len(images), 1000):
        part = images[start : start + 1000]
        part = part if light else 255 - part
        ink = part >= _DARK
        mass = np.maximum(part.sum(axis=(1, 2), dtype=np.int64), 1)
        extents, centres, middles = [], [], []
        for axis, extent in ((1, height), (2, width)):
            there: np.ndarray = np.any(ink, axis=3 - axis)
            first, last = there.argmax(axis=1), extent - there[:, ::-1].argmax(axis=1)
            blank = ~np.any(there, axis=1)
            extents.append(np.where(blank, 0, last - first))
            middles.append(np.where(blank, extent / 2, (first + last) / 2))
            profile = part.sum(axis=3 - axis, dtype=np.int64)
            centres.append(np.where(blank, extent / 2, profile @ np.arange(extent) / mass))
        sides.append(np.maximum(*extents))
        for found, kept in ((centres, places), (middles, boxes)):
            kept.append(np.abs(np.stack(found, axis=1) - middle).max(axis=1))
    return np.concatenate(sides), np.concatenate(places), np.concatenate(boxes)


def in_style(image: np.ndarray, style: Style) -> np.ndarray | None:
    """Return an image (H, W) uint8 that is already drawn as the data set's are: as it is, or moved to the middle.

    None if its paper or the size of its ink is another.
    """
    border = np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]))
    if (border > _PLAIN) if style.light else (border < 255 - _PLAIN):
        return None
    side, place, _ = placement(image[None], style.light)
    if not style.shortest <= side[0] <= style.longest:
        return None
    if place[0] <= style.farthest + 1e-9:
        return image.copy()
    return _moved(image, style) if style.by_mass else None


def _moved(image: np.ndarray, style: Style) -> np.ndarray:
    """Return an image (H, W) with its ink moved by whole pixels, its centre of mass to the middle."""
    ink = image if style.light else 255 - image
    rows, columns = (np.flatnonzero((ink > _PLAIN).any(axis=axis)) for axis in (1, 0))
    shape = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    out = np.zeros_like(ink)
    at = []
    for axis, extent in enumerate(ink.shape):
        mass = shape.sum(axis=1 - axis, dtype=np.float64)
        centre = float(mass @ np.arange(len(mass)) / mass.sum())
        at.append(min(max(round(extent / 2 - centre), 0), extent - len(mass)))
    out[at[0] : at[0] + shape.shape[0], at[1] : at[1] + shape.shape[1]] = shape
    return out if style.light else 255 - out
