"""The page prepares drawings as `jitnet predict` does, step by step."""

from itertools import pairwise

import numpy as np
import play_engine
import pytest

from jitnet.data.pictures.adapt import adapt
from jitnet.data.pictures.style import AS_IS, MNIST, Style
from jitnet.data.record import DataRecord
from jitnet.data.synthetic import draw
from jitnet.errors import InputError

PIXELS = 3  # of an image may differ by one grey level: numpy sums in 32 bits, and a half is rounded up or down


def pictures():
    """Yield drawings of all kinds: thick and thin, dark on light, with noise, a shadow or lines, small, blank."""
    rng = np.random.default_rng(0)
    for n in range(16):
        side = int(rng.integers(60, 200))
        picture = strokes(rng, side, side + 30 * (n % 5 == 0), width=rng.uniform(1.5, side / 9), small=n % 7 == 6)
        if n % 4 == 1:
            picture = picture + rng.normal(0, 6, picture.shape)
        if n % 6 == 2:
            picture = 0.6 * picture + np.linspace(20, 90, picture.shape[1])
        if n % 8 == 3:
            picture[::20] = 255
        picture = np.clip(picture, 0, 255)
        yield (255 - picture if n % 3 == 0 else picture).astype(np.uint8)
    for n, deep in enumerate((10, 50, 180)):  # scans with a plain band along a side
        scan = np.pad(strokes(rng, 90, 80, 7, small=False), ((0, deep), (0, 0)), constant_values=255)
        yield np.ascontiguousarray(np.rot90(scan, n)).astype(np.uint8)
        yield np.ascontiguousarray(np.rot90(255 - scan, n + 2)).astype(np.uint8)
    one, other = (strokes(rng, 100, 60, 9, small=False) for _ in range(2))
    yield np.concatenate([one, other], axis=1).astype(np.uint8)
    yield (rng.normal(150, 5, (80, 80)) + 30 * np.sin(np.arange(80) / 9)).astype(np.uint8)
    yield np.zeros((80, 80), np.uint8)
    yield np.full((28, 28), 7, np.uint8)
    yield from draw(0, 5, 4)[0]
    yield np.roll(draw(0, 5, 1)[0][0], 5, axis=1)


def strokes(rng, height: int, width_: int, width: float, small: bool) -> np.ndarray:
    """Return a picture (height, width_) of a bent line, light on dark."""
    points = rng.uniform(0.12, 0.88, (int(rng.integers(3, 6)), 2)) * (0.25 if small else 1.0) * [height, width_]
    y, x = np.mgrid[0:height, 0:width_]
    out = np.zeros((height, width_))
    for a, b in pairwise(points):
        along = np.clip(((y - a[0]) * (b - a)[0] + (x - a[1]) * (b - a)[1]) / max(1e-9, ((b - a) ** 2).sum()), 0, 1)
        distance = np.hypot(y - a[0] - along * (b - a)[0], x - a[1] - along * (b - a)[1])
        out = np.maximum(out, np.clip(width / 2 - distance + 0.5, 0, 1) * 255)
    return out


@pytest.mark.parametrize(
    "style", [MNIST, Style(True, False, 20, 1, 20, True, 2.0), Style(True, True, 18, 1, 20, False, 1), AS_IS]
)
def test_pictures_are_prepared_as_predict_does(scripts, style):
    record = DataRecord(kind="IDX", style=style, class_names=tuple("0123456789" if style.by_mass else "abc"))
    refused = 0
    for picture in pictures():
        found = play_engine.prepare(scripts, picture, style, record.is_of_digits)
        try:
            expected = adapt(picture, record, 28, 28, "x", drawn=True)
        except InputError:
            assert isinstance(found, str)
            refused += 1
            continue
        assert [name for name, _ in expected.steps][: len(found["steps"])] == found["steps"] or not style.prepared
        assert len(found["notes"]) == len([note for note in expected.notes if "resized" not in note])
        off = np.abs(np.array(found["image"]) - expected.image.ravel().astype(float))
        assert off.max() <= 1 and (off > 0).sum() <= PIXELS
    assert refused >= 2


def test_a_drawing_as_drawn_is_only_resized(scripts):
    picture = strokes(np.random.default_rng(4), 224, 224, 17, small=False).astype(np.uint8)
    found = scripts.run(
        f"(() => {{ const d = floats('{play_engine.text(picture)}');"
        "return Array.from(Prepare.asDrawn({h: 224, w: 224, d}, 28, 28).image.d); })()"
    )
    means = picture.reshape(28, 8, 28, 8).mean(axis=(1, 3))
    assert np.abs(np.array(found).reshape(28, 28) - means).max() <= 0.5 + 1e-3
