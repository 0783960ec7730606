"""A barrier for two threads that share one image: each phase has two halves; a free thread claims an unclaimed half.

A parallel region of numba costs about 2 us, one of these barriers 0.1 us: it is a loop that reads an integer. What is
computed never depends on which thread claims a half, nor on how many threads there are: a single thread claims both. So
no thread can wait for one that was never started, and one that comes late finds the phases complete and skips them.

    barrier[ 0], barrier[16]   the last phase whose first half, whose second half was claimed
    barrier[32], barrier[48]   the last phase whose halves are complete, each in separate cache lines
"""

from ..compiler.atomics import acquire, exchange, pause, release
from ..compiler.decorators import body

BARRIER_SIZE = 64
_APART = 16  # int64 from one element to the next: two cache lines, which some processors fetch together
_COMPLETE = 2 * _APART
_PATIENCE = 1000  # reads before a thread that waits offers its core to others: about 20 us


@body
def claim(
    barrier,  # (BARRIER_SIZE,) int64
    half,
    phase,  # numbered from 1 in each call of the kernel
):
    """Return whether the half of a phase was unclaimed; it is claimed then."""
    place = half * _APART
    return acquire(barrier, place) == phase - 1 and exchange(barrier, place, phase - 1, phase)


@body
def complete(
    barrier,  # (BARRIER_SIZE,) int64
    half,
    phase,  # as in claim
):
    """Mark a half as complete; all that the thread wrote is visible to threads that wait for it."""
    release(barrier, _COMPLETE + half * _APART, phase)


@body
def wait(
    barrier,  # (BARRIER_SIZE,) int64
    phase,  # as in claim
):
    """Return when both halves of a phase are complete."""
    reads = 0
    while acquire(barrier, _COMPLETE) < phase or acquire(barrier, _COMPLETE + _APART) < phase:
        reads += 1
        pause(reads % _PATIENCE == 0)
