"""Augmentation: the twin, what its random numbers depend on, and changes whose result is known."""

import naive
import numpy as np
import pytest
from canary import assert_unharmed, guarded
from hypothesis import given
from hypothesis import strategies as st
from shapes import DTYPES, seeds

from jitnet.errors import InputError
from jitnet.training.augmentation import LEVELS, Amounts, arguments, augmented, parse, require_images

KINDS = [np.uint8, *DTYPES]


def pictures(seed, dtype, *shape):
    drawn = np.random.default_rng(seed).random(shape)
    return np.uint8(drawn * 255) if dtype == np.uint8 else drawn.astype(dtype)


def changed(images, text, seed=0, epoch=0, rows=None):
    rows = np.arange(len(images)) if rows is None else np.array(rows)
    return augmented(images, rows, text, seed, epoch)[rows]


@pytest.mark.parametrize("dtype", KINDS)
@given(
    H=st.integers(2, 7), W=st.integers(2, 7), C=st.integers(1, 3), seed=seeds, epoch=st.integers(0, 99),
    text=st.sampled_from(["shift=1.5", "rotate=40", "scale=0.4", "shear=0.5", "elastic=1.5", *LEVELS]),
)  # fmt: skip
def test_twin(dtype, H, W, C, seed, epoch, text):
    images, rows = guarded(pictures(seed, dtype, 3, H, W, C)), np.array([2, 0])
    found = augmented(images, rows, text, seed, epoch)
    assert_unharmed(images)
    amounts = arguments(images, rows, text, seed, epoch, images)[4]
    expected = naive.augment_images(images, rows, seed, epoch, amounts)
    tolerance = {np.uint8: 0.5 + 1e-9, np.float32: 1e-6, np.float64: 1e-12}[dtype]  # bytes are rounded
    assert np.abs(found[rows] - expected).max() <= tolerance


@pytest.mark.parametrize("dtype", KINDS)
def test_no_change_is_the_same_image(dtype):
    images = pictures(1, dtype, 2, 5, 6, 2)
    assert np.array_equal(changed(images, "shift=0,rotate=0"), images)


def test_an_image_depends_on_seed_epoch_and_itself_alone():
    images = pictures(2, np.uint8, 6, 9, 8, 1)
    images[1:] = images[0]
    whole = changed(images, "medium", 3, 4)
    assert len({image.tobytes() for image in whole}) == 6
    assert np.array_equal(changed(images, "medium", 3, 4, [5, 2]), whole[[5, 2]])
    assert not np.array_equal(changed(images, "medium", 4, 4), whole)
    assert not np.array_equal(changed(images, "medium", 3, 5), whole)


@pytest.mark.parametrize("dtype", KINDS)
def test_a_plain_image_stays_plain_and_nothing_leaves_the_range(dtype):
    """Beyond the edge its pixels are repeated: white paper gets no black border."""
    white = np.full((4, 8, 8, 1), 255 if dtype == np.uint8 else 0.75, dtype)
    assert np.allclose(changed(white, "strong"), white, rtol=1e-6)
    images = pictures(3, dtype, 50, 6, 6, 1)
    found = changed(images, "strong")
    assert found.min() >= images.min() and found.max() <= images.max()


def test_changes_stay_within_their_amounts():
    """The centre of mass of a dot shows where it went."""
    dots = np.zeros((400, 21, 21, 1))
    dots[:, 10, 10] = 1
    places = np.arange(21.0)
    for text, limit in (("shift=3", 3), ("elastic=2", 2.5), ("rotate=30", 1e-9), ("scale=0.3", 1e-9)):
        found = changed(dots, text)[..., 0]
        mass = found.sum(axis=(1, 2))
        moved = np.stack([found.sum(axis=2) @ places, found.sum(axis=1) @ places], axis=1) / mass[:, None] - 10
        assert np.abs(moved).max() <= limit
        if limit > 1:
            assert np.abs(moved).max() > limit / 2 and np.abs(moved.mean(axis=0)).max() < limit / 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Amounts()), ("light", LEVELS["light"]), ("shift=2,rotate=10", Amounts(shift=2, rotate=10)),
        ("scale=.5", Amounts(scale=0.5)), ("shear=2,rotate=180", Amounts(shear=2, rotate=180)),
    ],
)  # fmt: skip
def test_text(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text", ["hard", "shift", "shift=", "shift=-1", "shift=1,shift=2", "turn=3", "shift=nan", "rotate=181", "scale=1e9"]
)
def test_bad_text_is_refused(text):
    with pytest.raises(InputError, match="the augmentation has "):
        parse(text)


def test_rows_of_numbers_are_no_images():
    with pytest.raises(InputError, match="expected images of at least 2x2 pixels, the data have 1x30"):
        require_images("light", (1, 30, 1))
    require_images("", (1, 30, 1))
    require_images("shift=0", (1, 30, 1))
    require_images("light", (2, 2, 1))
