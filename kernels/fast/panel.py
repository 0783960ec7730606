"""Copies of operands that the tiles of contraction.py read many times."""

from ..compiler.decorators import body
from ..compiler.simd import lane_count, load, store


@body
def pack(
    matrix,  # (., K) contiguous
    start,  # place of the block's first element
    depth,  # its rows
    columns,  # its columns
    K,  # columns of the matrix
    panel,  # stack_panel(matrix): overwritten with the block, rows of whole vectors one after another
):
    """Copy a block of a matrix for tiles that read it many times; return the distance of its rows in the panel.

    Rows that are 400 or 4,000 bytes apart begin inside a cache line, so that every second load of a vector reads two
    lines, and are in more pages than the processor translates at once.
    """
    lanes = lane_count(panel)
    width = (columns + lanes - 1) // lanes * lanes
    for k in range(depth):
        for c in range(0, columns, lanes):  # whole vectors: elementwise.copy, which tests each, makes a step take 1.04
            store(panel, k * width + c, lanes, load(matrix, start + k * K + c, columns - c))
    return width
