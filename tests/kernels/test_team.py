"""Each half of a part is done by one thread, and no thread continues before both halves are done."""

import compiled
import numba
import numpy as np
import pytest

from jitnet.kernels.compiler.decorators import entered
from jitnet.kernels.fast.spin_barrier import TEAM_SIZE

PARTS = 200_000


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_half_wrote_is_there_for_the_next_part(threads):
    team, cells = np.zeros(TEAM_SIZE, np.int64), np.array([[1, 2], [0, 0]])
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, before))
    try:
        with entered():
            compiled.hand_over(team, cells, PARTS)
    finally:
        numba.set_num_threads(before)
    first, second = 1, 2
    for _ in range(PARTS):
        first, second = (first + second) % 2**64, (first + second + 1) % 2**64
    assert cells[PARTS % 2].view(np.uint64).tolist() == [first, second]
    assert team[[0, 16, 32, 48]].tolist() == [PARTS] * 4


def test_what_was_done_is_passed_by():
    """A thread that comes late finds all parts taken, and changes nothing."""
    team, cells = np.full(TEAM_SIZE, 10), np.array([[5, 6], [7, 8]])
    with entered():
        compiled.hand_over(team, cells, 10)
    assert cells.tolist() == [[5, 6], [7, 8]] and (team == 10).all()
