"""Run parallel kernels as plain Python under any schedule of their `prange`: a race is found without luck.

To be imported with NUMBA_DISABLE_JIT=1, before any kernel: it takes the place of `numba.prange`. Three schedules:

in order   the reference
permuted   the items one after the other in a random order
isolated   each item starts from the state before the region, as if no other had run yet; no element may be changed by
           two items, and together their changes must be the reference's

A reader of what another item writes differs in one of the last two; so does a sum in order of arrival.
"""

import json
import sys

import numba
import numpy as np


class RaceError(AssertionError):
    """Two items of a region are not independent of each other."""


class Schedule:
    """A `numba.prange` that decides what comes next, and watches some arrays."""

    def __init__(self):
        self.kind, self.rng, self.arrays = "in order", np.random.default_rng(0), []
        self.items = {}  # by the kernel's name: the most items a region had

    def __call__(self, stop):
        name = sys._getframe(1).f_code.co_name
        self.items[name] = max(self.items.get(name, 0), int(stop))
        return self._isolated(name, stop) if self.kind == "isolated" else self._one_by_one(stop)

    def _one_by_one(self, stop):
        yield from range(stop) if self.kind == "in order" else map(int, self.rng.permutation(stop))

    def _isolated(self, name, stop):
        before = [array.copy() for array in self.arrays]
        merged = [array.copy() for array in self.arrays]
        writers = [np.zeros(array.shape, int) for array in self.arrays]
        for item in map(int, self.rng.permutation(stop)):
            for array, old in zip(self.arrays, before):
                array[...] = old
            yield item
            for array, old, new, count in zip(self.arrays, before, merged, writers):
                changed = different(array, old)
                count += changed
                new[changed] = array[changed]
        if any((count > 1).any() for count in writers):
            raise RaceError(f"{name}: two items write the same element")
        for array, new in zip(self.arrays, merged):
            array[...] = new


def different(a, b):
    """Compare elements by their bits: a NaN equals itself, -0 is not 0."""
    return a.view(f"u{a.itemsize}") != b.view(f"u{b.itemsize}")


prange = Schedule()
numba.prange = prange


def check(make, schedules):
    """Call what `make()` returns, a function and the arrays it writes, under many schedules; raises `RaceError`."""
    reference = None
    for number in range(schedules + 1):
        prange.kind = "in order" if number == 0 else ("permuted", "isolated")[number % 2]
        prange.rng = np.random.default_rng(number)
        call, prange.arrays = make()
        call()
        found = [array.tobytes() for array in prange.arrays]
        reference = reference or found
        if found != reference:
            raise RaceError(f"the {prange.kind} schedule {number} gives other bits")


def main(cases, planted, schedules):
    """Check all cases, and that each planted race is caught; print what was found as JSON."""
    for make in cases.values():
        check(make, schedules)
    caught = {}
    for name, make in planted.items():
        try:
            check(make, schedules)
            caught[name] = ""
        except RaceError as race:
            caught[name] = str(race)
    print(json.dumps({"items": prange.items, "schedules": schedules, "caught": caught}))
