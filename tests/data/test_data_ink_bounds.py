"""Where pictures and columns are judged: cases just on either side of a bound."""

import numpy as np
import pytest

from jitnet.data.pictures import ink
from jitnet.data.readers import columns


def test_a_picture_whose_border_is_ink_is_not_flat():
    inside, framed = np.zeros((40, 40)), np.zeros((40, 40))
    inside[10:30, 15:25] = framed[10:30, 15:25] = 200
    framed[:8] = framed[-8:] = framed[:, :8] = framed[:, -8:] = 200
    assert ink._is_flat(inside) and not ink._is_flat(framed)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 2), (2, 5), (3, 2)])
def test_a_picture_of_few_pixels_is_judged_without_an_error(shape):
    grey = np.linspace(0, 255, shape[0] * shape[1]).reshape(shape)
    assert ink._is_crossed(grey) in (True, False)


@pytest.mark.parametrize(("largest", "looks"), [(6, 2), (7, 1)])
def test_a_class_of_seven_tenths_makes_a_column_a_doubtful_label(largest, looks):
    assert columns._looks(np.array([0.0] * largest + [1.0] * (10 - largest))) == looks
