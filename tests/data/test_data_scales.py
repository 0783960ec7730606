"""What numbers of pixels mean: full scales, what is out of them, what is said of them, blank and turned images."""

import numpy as np
import pytest
from test_data_inputs import X, Y, load, stroke

from jitnet.data.orientation import turned
from jitnet.data.pixels import Scale, as_trained, remark, require_content, scale_of, to_bytes
from jitnet.data.record import DataRecord
from jitnet.errors import InputError

DIGITS = [str(digit) for digit in range(10)]


def test_one_number_above_255_is_a_mistake_and_two_are_a_deeper_scale():
    values = np.arange(100)
    values[7] = 300
    with pytest.raises(InputError, match=r"the value 300 at \[7\], and 1 of its pixels are above 255"):
        scale_of([values], "f")
    values[9] = 301
    assert scale_of([values], "f").full == 1023
    with pytest.raises(InputError, match="and 2 of its pixels are above 255"):
        scale_of([np.concatenate([values, np.arange(1, 256).repeat(8)])], "f")  # of two thousand that are drawn


@pytest.mark.parametrize(("high", "full"), [(1.0005, 1), (255.4, 255), (130.5, 255)])
def test_rounding_may_lead_a_little_beyond_a_scale(high, full):
    values = np.array([0.25, high])
    scale = scale_of([values], "f")
    assert scale.full == full and to_bytes(values, scale, "f")[1] == round(min(high, full) / full * 255)


@pytest.mark.parametrize("high", [1.002, 127.5, 255.6])
def test_fractions_of_no_scale_are_refused(high):
    with pytest.raises(InputError, match="expected 0 to 1, or 0 to 255"):
        scale_of([np.array([0.25, high])], "f")


def test_numbers_beyond_the_scale_of_the_training_are_refused():
    scale = Scale(16.0, 0, 16)
    assert to_bytes(np.array([0.0, 16.05]), scale, "f").tolist() == [0, 255]
    for values in ([0.0, 16.1], [-0.1, 16.0]):
        with pytest.raises(InputError, match="expected 0 to 16"):
            to_bytes(np.array(values), scale, "f")
    with pytest.raises(InputError, match="expected -1 to 1"):
        to_bytes(np.array([-1.1, 1.0]), Scale(1.0, -1, 1), "f")


@pytest.mark.parametrize("scale", [Scale(), Scale(16.0, 0, 16), Scale(1.0, 0, 1, False, "float64")])
def test_ink_or_none_is_white_or_black_for_every_network(scale):
    found, note = as_trained(np.array([[True, False]]), scale, "f")
    assert found.tolist() == [[255, 0]] and note == ""


def test_bytes_mean_the_same_where_fractions_were_trained_on():
    found, note = as_trained(X, Scale(1.0, 0, 1, False, "float64"), "f")
    np.testing.assert_array_equal(found, X)
    assert note == ""


def test_a_scale_is_that_of_both_parts_together(tmp_path):
    train, test = X // 17, X // 16 + 1  # up to 15, and up to 16
    np.savez(tmp_path / "d.npz", x_train=train, y_train=Y, x_test=test, y_test=Y)
    data, _ = load(tmp_path / "d.npz")
    assert data.facts.scale.full == 16 and data.x_test.max() == 255
    np.testing.assert_array_equal(data.x_train, np.rint(train * (255 / 16)))


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (Scale(), ""),
        (Scale(high=128.0), ""),
        (Scale(high=127.0), "divided by 255; is that their full scale?"),
        (Scale(high=255.0, dtype="float32"), "whole numbers as floats, up to 255"),
        (Scale(1.0, 0, 1, False, "float32"), "fractions from 0 to 1: they are kept as bytes"),
        (Scale(1.0, 0, 0.09, False, "float32"), "in 256 levels; is 1 their full scale?"),
        (Scale(1.0, -1, 1, False, "float32"), "-1 is taken for black and 1 for white"),
        (Scale(16.0, 0, 16), "whole numbers from 0 to 16: they are divided by 16"),
    ],
)
def test_a_scale_that_is_not_the_usual_one_is_said(scale, words):
    said = remark(scale, "f")
    assert said.endswith(words) if words.endswith(("?", "16")) else (words in said and bool(said) == bool(words))


@pytest.mark.parametrize("full", [1e-3, 1.9e-3])
def test_fractions_of_which_bytes_keep_nothing_are_refused(tmp_path, full):
    """Half of a level is black: the images differ, but not as bytes."""
    np.savez(tmp_path / "d.npz", x_train=X / 255 * full, y_train=Y, x_test=X / 255 * full, y_test=Y)
    with pytest.raises(
        InputError, match=r"in 256 levels of fractions from 0 to 0.00.*, has 70 images, and every pixel"
    ):
        load(tmp_path / "d.npz")


def test_numbers_that_were_scaled_are_a_fact_of_the_data():
    def pixels(scale):
        return dict(DataRecord(kind="npz", scale=scale).facts()).get("pixels")

    assert pixels(Scale()) is None
    assert pixels(Scale(255.0, 0, 255, False, "float64")) == "fractions from 0 to 255 (float64), divided by 255"
    assert pixels(Scale(16.0, 0, 16, True, "int64")) == "whole numbers from 0 to 16 (int64), divided by 16"


def test_blank_images_are_said_from_one_in_a_hundred_on(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (200, 6, 6)).astype(np.uint8)
    images[:2] = np.array([0, 200])[:, None, None]
    assert require_content(images, "f") == ""
    images[2] = 7
    assert require_content(images, "f") == "3 of the 200 images of f are blank"
    np.savez(tmp_path / "d.npz", x=images[:70], y=Y)
    assert any("3 of the 70 images of" in each for each in load(tmp_path / "d.npz")[1])
    with pytest.raises(InputError, match="70 images, and all are the same"):
        require_content(np.broadcast_to(X[0], X.shape), "f")


def test_the_polarity_is_that_of_the_training_images(tmp_path):
    y = np.arange(40) % 10
    x = np.stack([stroke(label, np.random.default_rng(0)) for label in y])
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=255 - x, y_test=y)
    assert load(tmp_path / "d.npz")[0].record.polarity == "light on dark"


def lying(labels: np.ndarray, wide: int = 20, tall: int = 4) -> np.ndarray:
    """Images (N, 28, 28) of bars; those of the ones are from left to right, as long as `wide`."""
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 14 - tall // 2 : 14 + tall // 2, 14 - wide // 2 : 14 + wide // 2] = 255
    return images


def test_only_digits_are_turned_without_being_asked():
    labels = np.arange(40) % 10
    images = lying(labels)
    assert turned(images, labels, DIGITS, False) == "turned upright"
    assert turned(images, labels, list("abcdefghij"), False) == "upright"  # a minus, a dash
    assert turned(images, labels, list("abcdefghij"), True) == "turned upright"
    assert turned(images.swapaxes(1, 2), labels, DIGITS, True) == "upright"  # a file that somebody turned already
    assert turned(255 - images, labels, DIGITS, False) == "upright"  # whose ink is paper here
    assert turned(np.maximum(images, 40), labels, DIGITS, False) == "upright"  # on grey paper, as no EMNIST is
    assert turned(images[:, :, :20], labels, DIGITS, True) == "upright"


def test_ones_tell_whether_digits_lie_on_their_side():
    labels = np.arange(40) % 10
    images = lying(labels)
    images[labels == 1] = images[labels == 1].swapaxes(1, 2)
    assert turned(images, labels, DIGITS, False) == "upright"
    images = lying(labels, 20, 12)
    images[labels == 1] = lying(labels)[labels == 1]
    images[labels == 0] = lying(labels, 16, 16)[labels == 0]
    assert turned(images, labels, DIGITS, False) == "turned upright"


def test_blank_images_do_not_tell_how_digits_lie():
    labels = np.arange(40) % 10
    images = lying(labels, 20, 10)
    images[10:] = 0
    assert turned(images, labels, DIGITS, False) == "turned upright"
