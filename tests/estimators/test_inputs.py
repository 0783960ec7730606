"""What estimators make of the numbers they are given: the same rule as for files, and a warning where one is due."""

import warnings

import numpy as np
import pytest

from jitnet.errors import InputError
from jitnet.estimators import inputs
from jitnet.estimators.targets import require_alike

X = np.random.default_rng(0).integers(0, 256, (20, 6, 6)).astype(np.uint8)
X[0, 0, 0] = 255


def quiet(x, trained=None):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return inputs.images(x, True, trained)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (X.astype(float), "whole numbers as floats, up to 255: they are divided by 255"),
        (X.reshape(20, 36).astype(np.float32), "divided by 255"),
        ((X > 127).astype(int), "divided by 1"),
        (np.rint(X / 255 * 16), "divided by 16"),
        (np.rint(X / 255 * 4095).astype(np.uint16), "divided by 4095"),
        (X // 4, "is that their full scale"),
    ],
)
def test_whole_numbers_of_any_type_are_pixels_of_a_scale(values, words):
    with pytest.warns(UserWarning, match=words):
        images, scale = inputs.images(values, True)
    assert images.dtype == np.uint8 and images.shape == (20, 6, 6, 1)
    again, _ = quiet(values[:3], scale)  # one image may not show the scale: that of fit decides
    np.testing.assert_array_equal(again, images[:3])


def test_bytes_and_fractions_need_no_word_and_mean_the_same():
    images, scale = quiet(X)
    np.testing.assert_array_equal(images[..., 0], X)
    fractions, of_fractions = quiet(X / 255)
    assert fractions.dtype == np.float32 and of_fractions.full == 1.0
    assert quiet(X / 255, scale)[0].dtype in (np.uint8, np.float32)
    np.testing.assert_allclose(quiet(X, of_fractions)[0] / 255, fractions, atol=1e-6)
    assert quiet(np.float64(X) / 255 * 6 - 3)[0].dtype == np.float32  # standardised


def test_large_fractions_are_warned_of():
    with pytest.warns(UserWarning, match="fractions from .* divide pixels by 255"):
        assert inputs.images(X + 0.5, True)[0].dtype == np.float32


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.repeat(X[:, None], 3, 1), "the channels first: expected"),
        (X[:, None], "give x.transpose"),
        ([X[0], X[1, :3]], "images of different sizes"),
        (X.astype(int) * 10**4, "at most 65,535"),
        (np.array([["a", "b"]]), "expected numbers"),
    ],
)
def test_what_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        inputs.images(values, True)


def test_numbers_of_another_scale_than_in_fit_are_refused():
    with pytest.warns(UserWarning):
        _, scale = inputs.images(np.rint(X / 255 * 16).astype(int), True)
    with pytest.raises(InputError, match="expected 0 to 16, as in the data"):
        inputs.images(X, True, scale)


def test_labels_of_another_type_are_refused():
    with pytest.raises(InputError, match=r"y holds text such as '1', but fit had numbers such as 0"):
        require_alike(np.array(["1"]), np.array([0, 1]))
    require_alike(np.array([1]), np.array([0, 1]))


def drawings(count: int = 12) -> np.ndarray:
    """Light squares (count, 18, 18) on black."""
    x = np.zeros((count, 18, 18), np.uint8)
    x[:, 4:14, 5:12] = 200
    x[:, 6, 7] = np.arange(count)
    return x


@pytest.mark.parametrize("full", [255, 16, 1.0])
def test_ink_and_paper_the_other_way_round_are_warned_of(full):
    x = drawings()
    x = x / 255 if full == 1 else np.rint(x * (full / 255)).astype(np.uint8)
    x[0, 8, 8] = full
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images, scale = inputs.images(x, True)
        inverse, _ = inputs.images(full - x, True, scale)
    record = inputs.record_of(images, np.array([0, 1]), scale)
    assert record.polarity == "light on dark"
    with pytest.warns(UserWarning, match="dark on light, and those of fit were light on dark: invert them"):
        inputs.warn_of_polarity(inverse, record)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inputs.warn_of_polarity(images[:1], record)
        inputs.warn_of_polarity(np.zeros_like(images), record)
