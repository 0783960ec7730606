"""Numbers arrive in the page as they were packed, and are written with Python's digits."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitnet.play import pack


@settings(max_examples=10)
@given(st.binary(max_size=200))
def test_bytes_arrive(scripts, data):
    found = scripts.run(
        f"Packed.inflated({json.dumps(pack.text(pack.deflated(data)))}).then(found => Array.from(found))"
    )
    assert bytes(found) == data and not set(pack.text(data)) & set("<>&'\"`-\\")


@pytest.mark.parametrize("bits", [24, 19, 14])
def test_parameters_arrive_rounded_and_shown_alike(scripts, bits):
    rng = np.random.default_rng(bits)
    tensors = {
        "a": (rng.standard_normal((50, 40)) * 0.01).astype(np.float32),
        "b": rng.standard_normal(7).astype(np.float32),
        "c": np.zeros(3, np.float32),
        "d": np.array([1e-30, -3e4], np.float32),
    }
    counts = [array.size for array in tensors.values()]
    given = json.dumps(pack.packed(tensors, bits))
    found = np.array(scripts.run(f"Packed.parameters({given}, {counts}).then(found => Array.from(found))"))
    there = pack.restored(tensors, bits)
    np.testing.assert_array_equal(found.astype(np.float32), np.concatenate([array.ravel() for array in there.values()]))
    error = np.abs(there["a"] - tensors["a"]).max()
    assert error <= 2.0**-bits * np.abs(tensors["a"]).max() * 2
    if bits > 14:
        assert [f"{value:.4f}" for value in there["a"].ravel()] == [f"{value:.4f}" for value in tensors["a"].ravel()]


def test_images_arrive(scripts):
    rng = np.random.default_rng(0)
    images = (rng.integers(0, 256, (9, 5, 7, 1)) * (rng.random((9, 5, 7, 1)) < 0.3)).astype(np.uint8)
    given = json.dumps(pack.images(images) | {"count": 9})
    assert scripts.run(f"Packed.images({given}, 35).then(found => Array.from(found))") == images.ravel().tolist()
    coarse = pack.coarse(images)
    assert len(np.unique(coarse)) <= 32 and np.abs(coarse.astype(int) - images).max() <= 4
    assert ((coarse == 0) >= (images == 0)).all()


@settings(max_examples=15)
@given(st.lists(st.floats(allow_nan=False, width=32) | st.floats(-10, 10), min_size=20, max_size=20))
def test_numbers_have_pythons_digits(scripts, values):
    given = "[" + ",".join(repr(value).replace("inf", "Infinity") for value in values) + "]"
    found = scripts.run(f"{given}.map(value => short(value))")
    expected = [f"{value:.3g}" if value else "0" for value in values]
    ties = [value for value in values if value and f"{value:.20e}"[5:].rstrip("0")[:-4] == "5"]  # exactly between two
    assert found == expected or ties


def test_the_hash_of_a_file_is_sha256(scripts):
    for size in (0, 1, 55, 56, 63, 64, 65, 1000):
        data = bytes(range(256)) * 4
        data = data[:size]
        found = scripts.run(f"Safetensors.sha256(Uint8Array.from({list(data)}))")
        assert found == hashlib.sha256(data).hexdigest()


def test_erf_is_pythons(scripts):
    import math

    places = np.linspace(-7, 7, 113).tolist()
    found = scripts.run(f"{places}.map(Activations.erf)")
    np.testing.assert_allclose(found, [math.erf(place) for place in places], rtol=4e-15, atol=1e-16)
