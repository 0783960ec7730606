"""Data sets of Hugging Face's `datasets` as arrays, by a stand-in: any columns, with and without names of classes."""

from types import SimpleNamespace

import numpy as np
import pytest

from jitnet.errors import InputError
from jitnet.integrations.datasets import to_arrays

IMAGES = [np.full((4, 3), level, np.uint8) for level in (0, 7, 200)]
NAMES = ["cat", "dog"]


def data_set(names=NAMES, image="image", label="label", images=IMAGES, labels=(1, 0, 1)):
    """What `to_arrays` needs of a data set, in a format other than plain values; and a column that is not asked for."""
    plain = {image: images, label: list(labels), "other": ["x", "y", "z"]}
    features = {name: SimpleNamespace(names=names if name == label else ["x"]) for name in plain}
    if names is None:
        features[label] = SimpleNamespace(dtype="int64")
    return SimpleNamespace(
        column_names=list(plain), features=features, with_format=lambda kind: plain if kind is None else None
    )


@pytest.mark.parametrize("columns", [("image", "label"), ("img", "fine_label"), ("label", "image")])
def test_images_and_labels_are_those_of_the_columns(columns):
    image, label = columns
    x, y = to_arrays(data_set(image=image, label=label), image, label)
    assert x.dtype == np.uint8 and np.array_equal(x, IMAGES) and y.tolist() == ["dog", "cat", "dog"]
    x, y = to_arrays(data_set(None, image, label, labels=(30, 5, 30)), image, label)
    assert np.array_equal(x, IMAGES) and y.dtype.kind == "i" and y.tolist() == [30, 5, 30]


def test_what_has_no_images_of_one_size_or_no_such_column_is_refused():
    for asked in ({"image": "picture"}, {"label": "picture"}):
        with pytest.raises(InputError, match="has no column 'picture': expected one of image, label, other"):
            to_arrays(data_set(), **asked)
    with pytest.raises(InputError, match="has no column 'image': expected one of none"):
        to_arrays(object())
    splits = SimpleNamespace(column_names={"train": ["image", "label"], "test": ["image", "label"]})
    with pytest.raises(InputError, match="has the splits train, test: give one of them"):
        to_arrays(splits)
    with pytest.raises(InputError, match="images of different sizes: expected one size"):
        to_arrays(data_set(images=[*IMAGES[:2], np.zeros((4, 4), np.uint8)]))
    with pytest.raises(InputError, match="has no rows: expected images"):
        to_arrays(data_set(images=[], labels=()))
