"""Proved bounds on the distance of a result from the exact one, instead of tuned tolerances.

A sum of products that is rounded K times on its way, in any order, is off by at most gamma_K * sum |a||b|, where
gamma_K = K*u / (1 - K*u) and u is half the distance from 1 to the next number (Higham 2002, section 3.1).
"""

import numpy as np

GRADIENT_ERROR = 1e-6  # the worst that a gradient may differ from central differences, relative


def gamma(roundings, dtype):
    """Return gamma_K for a number type."""
    u = np.finfo(dtype).eps / 2
    return roundings * u / (1 - roundings * u)


def assert_within(actual, expected, roundings, magnitude):
    """Hold a result against its twin: |actual - expected| <= (gamma_K + gamma_K of float64) * magnitude.

    `magnitude` is the sum with all its terms made positive. The second gamma is for the twin, which rounds as well.
    """
    actual = np.asarray(actual)
    assert actual.shape == np.shape(expected)
    limit = (gamma(roundings, actual.dtype) + gamma(roundings, np.float64)) * magnitude
    error = np.abs(np.float64(actual) - expected)
    off = ~(error <= limit)  # true for NaN
    assert not off.any(), f"{off.sum()} of {off.size} outside the bound, by up to {np.max(error / limit):.3g} bounds"


def central_differences(function, array, places=None, step=1e-4):
    """Return d function / d array.flat[place] for each place (all of them if None), to the fourth order in `step`.

    `function` is called without arguments while `array` is changed in place; it may return an array.
    """
    flat = array.reshape(-1)
    assert np.shares_memory(flat, array)
    results = []
    for place in range(flat.size) if places is None else places:
        kept = flat[place]
        values = {}
        for times in (-2, -1, 1, 2):
            flat[place] = kept + times * step
            values[times] = function()
        flat[place] = kept
        results.append((8 * (values[1] - values[-1]) - (values[2] - values[-2])) / (12 * step))
    return np.array(results)


def worst_relative_error(actual, expected):
    """Return max |a - e| / max(|e|, largest / 100): what is smaller drowns in the rounding of a difference."""
    actual, expected = np.ravel(actual), np.ravel(expected)
    assert actual.size == expected.size and np.isfinite(actual).all()
    largest = np.max(np.abs(expected))
    if largest == 0:
        return np.max(np.abs(actual))
    return np.max(np.abs(actual - expected) / np.maximum(np.abs(expected), 0.01 * largest))
