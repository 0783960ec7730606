"""Random bits that depend on a number alone: the generator splitmix64 (Steele, Lea, Flood 2014) as a hash."""

import numpy as np

from .compiler.decorators import body

MASK = 0xFFFF_FFFF_FFFF_FFFF  # uint64 wraps, the integers of plain Python do not


@body
def unsigned(value):
    """Return an integer as uint64, in plain Python as an int: numba turns uint64 + int64 into float64."""
    return int(np.uint64(value))


@body
def splitmix64(state):
    """Return what the generator splitmix64 puts out in a state, which is a good hash of that state."""
    z = (unsigned(state) + 0x9E37_79B9_7F4A_7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & MASK
    return z ^ (z >> 31)


@body
def uniform(bits):
    """Return the upper 53 bits of a uint64 as a float64 in [0, 1)."""
    return (unsigned(bits) >> 11) * 2.0**-53
