"""A barrier for two threads that share one image: each phase has two halves; a free thread claims an unclaimed half.

A parallel region of numba costs about 2 us, one of these barriers 0.1 us: it is a loop that reads an integer. What is
computed never depends on which thread claims a half, nor on how many threads there are: a single thread claims both. So
no thread can wait for one that was never started, and one that comes late finds the phases complete and skips them.

While two threads work, neither looks at the other's claims, only at whether its half is complete: a cache line that one
core writes and the other reads goes back and forth, 0.1 us each time. A thread claims the other's half once it has
waited for it in vain, or if it was alone last time.

    barrier[ 0], barrier[16]   the last phase whose first half, whose second half was claimed
    barrier[32], barrier[48]   the last phase whose halves are complete, each in separate cache lines
"""

from ..compiler.atomics import acquire, exchange, pause, release
from ..compiler.decorators import body

BARRIER_SIZE = 64
_APART = 16  # int64 from one element to the next: two cache lines, which some processors fetch together
_COMPLETE = 2 * _APART
PATIENCE = 1000  # reads before a thread that waits offers its core to others: about 20 us


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
def is_complete(
    barrier,  # (BARRIER_SIZE,) int64
    half,
    phase,  # as in claim
    patience,  # reads at most
):
    """Return whether a half is complete, or becomes so within some reads."""
    place = _COMPLETE + half * _APART
    reads = 0
    while acquire(barrier, place) < phase:
        if reads >= patience:
            return False
        reads += 1
        pause(False)
    return True


@body
def wait(
    barrier,  # (BARRIER_SIZE,) int64
    phase,  # as in claim
):
    """Return when both halves of a phase are complete."""
    for half in range(2):
        while not is_complete(barrier, half, phase, PATIENCE):
            pause(True)
