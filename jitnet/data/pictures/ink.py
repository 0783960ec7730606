"""Where the ink of a picture is: the paper is estimated locally, and the ink is what differs from it.

Lengths are shares of the picture's side, so that a photograph and a thumbnail are treated alike.
"""

from dataclasses import dataclass

import numpy as np

from jitnet.data.pictures.resize import at_most, enlarged

_CONTRAST = 24.0  # grey levels between ink and paper: below it nothing is drawn
_WIDEST_STROKE = 0.4  # of the shorter side: what is wider is paper, or its shadow
_COARSE = 64  # pixels of the longer side that the paper is estimated in
_NEAR = 0.1  # of the side: the outermost pixels of a stroke at the border may be blurred
_ALL_ALONG = 0.08  # of a line's pixels may be paper
_THICKEST_LINE = 0.06  # of the side
_MARGINS = (0.0, 0.03, 0.06, 0.1, 0.15, 0.2)  # of the side: where a frame may end
_MOST_INK = 0.45  # of the area inside the margin: more is not ink but the paper inside a frame


@dataclass(frozen=True)
class Ink:
    """How strong the ink is at each pixel, and how it was found."""

    strength: np.ndarray  # (H, W) float32, in grey levels, 0 on paper
    light: bool  # light ink on darker paper
    contrast: float  # grey levels between strong ink and its paper
    noise: float  # deviation of the paper's grey levels
    margin: int  # pixels at each border that are a frame


def find_ink(grey: np.ndarray, widest: float = _WIDEST_STROKE) -> Ink:
    """Return the ink of a picture (H, W) of grey levels; nothing of it is strong where the picture is blank.

    What is wider than `widest`, a share of the shorter side, is paper.
    """
    grey = np.asarray(grey, np.float32)
    light, margin, paper = _polarity(grey)
    inner = slice(margin, len(grey) - margin), slice(margin, grey.shape[1] - margin)
    strength = np.zeros(grey.shape, np.float32)
    strength[inner] = _without_lines(_difference(grey[inner], paper, light, widest))
    return Ink(strength, light, strong(strength), _noise(grey), margin)


def strong(strength: np.ndarray) -> float:
    """Return the level of strong ink (H, W): that of the strongest thousandth of the picture."""
    most = max(1, strength.size // 1000)
    return float(np.partition(strength, strength.size - most, axis=None)[-most:].mean())


def is_blank(ink: Ink) -> bool:
    """Whether what was found is no more than the paper's own unevenness."""
    return ink.contrast < max(_CONTRAST, 5 * ink.noise)


def _polarity(grey: np.ndarray) -> tuple[bool, int, np.ndarray]:
    """Return whether the ink is lighter than the paper, the width of a frame, and the paper in it as a plane (h, w).

    The paper is what the border shows, continued inside as a plane; the ink is what differs most from it. Where
    that is most of the area, the border was a frame, and the look begins again inside it.
    """
    side = min(grey.shape)
    for share in _MARGINS:
        margin = round(share * side)
        inner = grey[margin : len(grey) - margin, margin : grey.shape[1] - margin]
        if min(inner.shape) < 4:
            break
        plane = _plane(inner)
        rest = inner - plane
        size = np.abs(rest)
        level = float(np.quantile(size, 0.995))
        far = size > 0.5 * level
        if far.mean() <= _MOST_INK:
            return float(rest[far].sum()) > 0, margin, plane
    rest = grey - np.median(grey)
    return float((rest.astype(np.float64) ** 3).sum()) > 0, 0, np.full(grey.shape, np.median(grey), np.float32)


def _plane(grey: np.ndarray) -> np.ndarray:
    """Return the plane (H, W) through the border's grey levels, without those that are far from it."""
    height, width = grey.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    ring = np.zeros(grey.shape, bool)
    deep = max(1, round(0.04 * min(grey.shape)))
    ring[:deep], ring[-deep:], ring[:, :deep], ring[:, -deep:] = True, True, True, True
    columns = np.stack([np.ones_like(x), x, y], axis=-1)  # (H, W, 3)
    known, levels = columns[ring].astype(np.float64), grey[ring].astype(np.float64)
    fit = np.array([np.median(levels), 0.0, 0.0])
    for _ in range(4):
        distance = np.abs(levels - known @ fit)
        near = distance <= max(float(np.quantile(distance, 0.7)), 1.0)
        fit = np.linalg.lstsq(known[near], levels[near], rcond=None)[0]
    return (columns @ fit.astype(np.float32)).astype(np.float32)


def _difference(grey: np.ndarray, plane: np.ndarray, light: bool, widest: float) -> np.ndarray:
    """Return how much each pixel (H, W) differs from the paper around it, in the ink's direction.

    The paper is the picture without what is narrower than a stroke can be (a morphological closing, or an opening for
    light ink). Beyond the border it continues as the border does, or, where ink crosses the border, as the `plane`
    (H, W). Dark ink is measured relative to its paper, as a shadow dims both.
    """
    coarse = at_most(grey, _COARSE)
    calm = _blurred(coarse, 3) if max(grey.shape) > _COARSE else coarse  # single pixels of noise do not decide
    window = max(3, round(widest * min(coarse.shape)) | 1)
    one, other = (np.minimum, np.maximum) if light else (np.maximum, np.minimum)
    around = np.pad(at_most(plane, _COARSE) if _is_crossed(coarse) else calm, window, mode="edge")
    around[window:-window, window:-window] = calm
    paper = _blurred(_extreme(_extreme(around, window, one), window, other), window // 4 | 1)
    paper = enlarged(paper[window:-window, window:-window], *grey.shape)
    if light:
        return np.maximum(grey - paper, 0)
    paper = np.maximum(paper, 1)
    return np.maximum(paper - grey, 0) / paper * float(np.quantile(paper, 0.9))


def _is_crossed(coarse: np.ndarray) -> bool:
    """Whether ink reaches the border of a picture (h, w): near it the grey levels jump, as no shadow's do."""
    contrast = float(np.quantile(coarse, 0.99) - np.quantile(coarse, 0.01))
    deep = max(1, round(_NEAR * min(coarse.shape)))
    sides = [lines for each in (coarse, coarse.T) for lines in (each[:deep], each[-deep:])]  # each (deep, n)
    return any(side.shape[1] > 2 and float(np.abs(side[:, 2:] - side[:, :-2]).max()) > 0.6 * contrast for side in sides)


def _without_lines(strength: np.ndarray) -> np.ndarray:
    """Return the ink (H, W) without thin lines from border to border: ruled and squared paper, a thin frame."""
    for axis in (1, 0):
        level = np.quantile(strength, _ALL_ALONG, axis=axis)  # of each row, of each column
        level[~_thin(level > 0.1 * strong(strength))] = 0
        strength = np.maximum(strength - np.expand_dims(level, axis), 0)
    return strength


def _thin(there: np.ndarray) -> np.ndarray:
    """Return which rows (N,) of a mask belong to runs that are no thicker than a line."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    kept = np.zeros(len(there), bool)
    for start, stop in zip(edges[::2], edges[1::2]):
        kept[start:stop] = stop - start <= max(1, _THICKEST_LINE * len(there))
    return kept


def _noise(grey: np.ndarray) -> float:
    """Return the deviation of the noise: the usual size of a second difference along rows, rare in strokes."""
    if grey.shape[1] < 3:
        return 0.0
    second = grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]
    return float(np.median(np.abs(second))) / 0.6745 / 6**0.5


def _extreme(image: np.ndarray, window: int, which: np.ufunc) -> np.ndarray:
    """Return the largest or smallest value in a square window around each pixel (H, W), the border continued."""
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (window // 2, window // 2)
        padded = np.moveaxis(np.pad(image, pad, mode="edge"), axis, 0)
        length = 1  # of the windows that `padded` has the extremes of: it doubles
        while 2 * length <= window:
            padded = which(padded[:-length], padded[length:])
            length *= 2
        if length < window:
            padded = which(padded[: len(padded) - window + length], padded[window - length :])
        image = np.moveaxis(padded, 0, axis)
    return image


def _blurred(image: np.ndarray, window: int) -> np.ndarray:
    """Return the mean over a square window around each pixel (H, W), the border continued."""
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (window // 2 + 1, window // 2)
        sums = np.cumsum(np.pad(image, pad, mode="edge"), axis=axis, dtype=np.float64)
        ahead = [slice(None)] * 2
        back = [slice(None)] * 2
        ahead[axis], back[axis] = slice(window, None), slice(None, -window)
        image = ((sums[tuple(ahead)] - sums[tuple(back)]) / window).astype(np.float32)
    return image
