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
_MARGINS = tuple(place / 100 for place in range(21))  # of the side: where a frame may end
_STROKES = (0.1, 0.2)  # of the shorter side: what is narrower may be a stroke
_RING = 0.015  # of the side: depth of the border that shows the paper
_EVEN = 0.8  # of the border is paper
_STEEP = 0.03  # of the contrast from pixel to pixel: the edge of a stroke
_BETWEEN = 0.03  # of the area: with more between ink and paper there are shadows
_MOST = 25  # pixels that tell how strong ink is
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
    rest = grey[inner] - paper if light else paper - grey[inner]
    if _is_flat(rest):
        found = np.maximum(rest, 0)
    else:
        light = _side_of_strokes(grey[inner], light)
        found = _difference(grey[inner], paper, light, widest)
    strength[inner] = _without_lines(found)
    return Ink(strength, light, strong(strength), _noise(grey), margin)


def strong(strength: np.ndarray) -> float:
    """Return the level of strong ink (H, W): of the strongest thousandth of it, at most `_MOST` pixels."""
    most = min(max(1, strength.size // 1000), _MOST)
    return float(np.partition(strength, strength.size - most, axis=None)[-most:].mean())


def is_blank(ink: Ink) -> bool:
    """Whether what was found is no more than the paper's own unevenness."""
    return ink.contrast < max(_CONTRAST, 5 * ink.noise)


def _polarity(grey: np.ndarray) -> tuple[bool, int, np.ndarray]:
    """Return whether the ink is lighter than the paper, the width of a frame, and the paper in it as a plane (h, w).

    The paper is what the border shows, continued inside as a plane; the ink is what differs most from it. Where
    that is most of the area, the border was a frame if it is even, and so is another border inside it; if there is
    none, the drawing fills the picture.
    """
    side = min(grey.shape)
    first: tuple[bool, int, np.ndarray] | None = None
    drawn = np.zeros(grey.shape, bool)  # what is far from the outermost border
    for margin in sorted({round(share * side) for share in _MARGINS}):
        inner = grey[margin : len(grey) - margin, margin : grey.shape[1] - margin]
        if min(inner.shape) < 4:
            break
        plane = _plane(inner)
        rest = inner - plane
        size = np.abs(rest)
        level = float(np.quantile(size, 0.995))
        far = size > 0.5 * level
        even = float(far[_ring(inner.shape)].mean()) <= 1 - _EVEN
        if not margin:
            drawn = far
            if even:
                first = float(rest[far].sum()) > 0, margin, plane
        is_frame = margin and even and (not first or float(drawn[_border(grey.shape, margin)].mean()) <= 1 - _EVEN)
        if far.mean() <= _MOST_INK and (is_frame or not margin):
            return float(rest[far].sum()) > 0, margin, plane
    if first:
        return first
    rest = grey - np.median(grey)
    return float((rest.astype(np.float64) ** 3).sum()) > 0, 0, np.full(grey.shape, np.median(grey), np.float32)


def _plane(grey: np.ndarray) -> np.ndarray:
    """Return the plane (H, W) through the border's grey levels, without those that are far from it."""
    height, width = grey.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    ring = _ring(grey.shape)
    columns = np.stack([np.ones_like(x), x, y], axis=-1)  # (H, W, 3)
    known, levels = columns[ring].astype(np.float64), grey[ring].astype(np.float64)
    fit = np.array([np.median(levels), 0.0, 0.0])
    for _ in range(4):
        distance = np.abs(levels - known @ fit)
        near = distance <= max(float(np.quantile(distance, 0.7)), 1.0)
        fit = np.linalg.lstsq(known[near], levels[near], rcond=None)[0]
    return (columns @ fit.astype(np.float32)).astype(np.float32)


def _ring(shape: tuple[int, ...]) -> np.ndarray:
    """Return the mask (H, W) of the pixels next to the border, which show the paper."""
    return _border(shape, max(1, round(_RING * min(shape))))


def _border(shape: tuple[int, ...], deep: int) -> np.ndarray:
    """Return the mask (H, W) of the `deep` outermost pixels."""
    border = np.ones(shape, bool)
    border[deep : shape[0] - deep, deep : shape[1] - deep] = False
    return border


def _is_flat(rest: np.ndarray) -> bool:
    """Whether a picture less its paper (H, W), ink positive, has two levels alone: no shadow, and the border is paper.

    Where it is so, nothing but the ink differs from the paper, however wide the strokes are.
    """
    contrast = float(np.quantile(rest, 0.99))
    if contrast < _CONTRAST or float((rest[_ring(rest.shape)] > 0.5 * contrast).mean()) > 1 - _EVEN:
        return False
    calm = np.ones(rest.shape, bool)  # pixels away from the edges of strokes
    for axis in (0, 1):
        step = np.abs(np.diff(rest, axis=axis)) > _STEEP * contrast
        calm &= ~np.concatenate([step, np.take(step, [-1], axis)], axis) & ~np.concatenate(
            [np.take(step, [0], axis), step], axis
        )
    between = (np.abs(rest) > 0.2 * contrast) & (rest < 0.8 * contrast)
    return float((between & calm).mean()) < _BETWEEN


def _side_of_strokes(grey: np.ndarray, light: bool) -> bool:
    """Return whether the strokes of an unevenly lit picture (H, W) are light; the border's answer, if it is not clear.

    What is narrow is a stroke: the light says nothing of it, as shadows are wide. Only loops and gaps are narrow on the
    other side too, more of them the wider the window is.
    """
    coarse = _blurred(at_most(grey, _COARSE), 3)
    fine, wide = (_narrow(coarse, max(3, round(share * min(coarse.shape)) | 1)) for share in _STROKES)
    sure = [sum(fine) > 0 and fine[side] > 2 * fine[1 - side] and 1.5 * wide[side] > wide[1 - side] for side in (0, 1)]
    return light if not any(sure) else sure[1]


def _narrow(grey: np.ndarray, window: int) -> tuple[float, float]:
    """Return how much of an image (H, W) is dark and narrower than a window, and how much is light and so."""
    closed, opened = (
        _extreme(_extreme(grey, window, one), window, other)
        for one, other in ((np.maximum, np.minimum), (np.minimum, np.maximum))
    )
    return float(np.square(closed - grey).sum()), float(np.square(grey - opened).sum())


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
