"""The built-in digits: a pure function of (seed, index), and neither too easy to learn nor impossible."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from jitnet.data import load
from jitnet.data.synthetic import TRAIN, draw, make
from jitnet.kernels.splitmix64 import splitmix64

DRAW = """
import sys
from jitnet.data.synthetic import draw
images, labels = draw(seed=5, first=100, count=int(sys.argv[1]))
sys.stdout.buffer.write(images.tobytes() + labels.tobytes())
"""


@pytest.fixture(scope="module")
def digits():
    return make()


def printed(code: str, *arguments: str, **environment: str) -> bytes:
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, check=True).stdout


def twin(state: int) -> int:
    """splitmix64 as published, in Python's integers."""
    z = (state + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def test_the_hash_is_splitmix64():
    assert twin(0) == 0xE220A8397B1DCDAF  # the first number of the published generator seeded with 0
    compiled = numba.njit(lambda state: splitmix64(state))
    for state in (0, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, twin(1)):
        assert int(compiled(np.uint64(state))) == twin(state)


def test_the_four_arrays(digits):
    x_train, y_train, x_test, y_test = digits
    assert x_train.shape == (60_000, 28, 28) and x_test.shape == (10_000, 28, 28)
    assert y_train.shape == (60_000,) and y_test.shape == (10_000,)
    for array in digits:
        assert array.dtype == np.uint8 and array.flags.c_contiguous and array.flags.writeable


def test_the_ink_is_like_that_of_mnist(digits):
    x_train = digits[0]
    assert 0.75 < np.mean(x_train == 0) < 0.85
    assert 0.12 < x_train.mean() / 255 < 0.14
    assert x_train.max(axis=(1, 2)).min() > 128, "some image is all but blank"


def test_labels_are_balanced_and_in_no_order(digits):
    for labels in (digits[1], digits[3]):
        share = np.bincount(labels, minlength=10) / len(labels)
        assert len(share) == 10 and share.min() > 0.09 and share.max() < 0.11
        assert abs(np.mean(labels[1:] == labels[:-1]) - 0.1) < 0.01


def test_an_image_depends_on_its_index_alone(digits):
    x_train, y_train, x_test, y_test = digits
    for index in (0, 1, 4321, TRAIN - 1):
        image, label = draw(0, index, 1)
        assert np.array_equal(image[0], x_train[index]) and label[0] == y_train[index]
    image, label = draw(0, TRAIN, 1)  # the test set continues where the training set ends
    assert np.array_equal(image[0], x_test[0]) and label[0] == y_test[0]


def test_no_image_comes_twice(digits):
    images = np.concatenate([digits[0], digits[2]]).reshape(-1, 28 * 28)
    assert len({image.tobytes() for image in images}) == len(images)


def test_seeds_differ_and_any_integer_is_one():
    drawn = {seed: draw(seed, 0, 50)[0].tobytes() for seed in (0, 1, 2, -1, 2**63, 2**64 - 2)}
    assert len(set(drawn.values())) == len(drawn)
    assert draw(2**64 - 1, 0, 50)[0].tobytes() == drawn[-1]


def test_the_same_bits_for_any_number_of_threads():
    set_threads = "import sys, numba\nnumba.set_num_threads(int(sys.argv[2]))"
    outputs = {printed(set_threads + DRAW, "2001", n, NUMBA_NUM_THREADS="4") for n in ("1", "2", "4")}
    images, labels = draw(5, 100, 2001)
    assert outputs == {images.tobytes() + labels.tobytes()}


def test_plain_python_draws_the_same():
    plain = np.frombuffer(printed(DRAW, "12", NUMBA_DISABLE_JIT="1"), np.uint8).astype(int)
    images, labels = draw(5, 100, 12)
    assert np.array_equal(plain[-12:], labels)
    assert np.abs(plain[:-12] - images.ravel()).max() <= 1  # sin and sqrt may round another way


def test_numba_is_not_imported_before_it_is_needed():
    printed("import sys, jitnet.data.synthetic\nassert 'numba' not in sys.modules")


def test_a_linear_model_finds_it_hard_and_prototypes_find_it_possible(digits):
    x_train, y_train, x_test, y_test = digits
    x, y = x_train[:10_000].reshape(-1, 784) / np.float32(255), y_train[:10_000]
    x_new = x_test.reshape(-1, 784) / np.float32(255)
    ridge = np.linalg.solve(x.T @ x + 10 * np.eye(784), x.T @ (2.0 * np.eye(10)[y] - 1))
    assert 0.7 < np.mean((x_new @ ridge).argmax(axis=1) == y_test) < 0.93
    means = np.stack([x[y == digit].mean(axis=0) for digit in range(10)])
    nearest = (x_new @ means.T - 0.5 * (means**2).sum(axis=1)).argmax(axis=1)
    assert np.mean(nearest == y_test) > 0.5


def test_it_loads_as_a_data_set(digits):
    data = load("synthetic")
    assert data.synthetic and data.classes == 10
    assert np.array_equal(data.x_train, digits[0]) and np.array_equal(data.y_test, digits[3])
