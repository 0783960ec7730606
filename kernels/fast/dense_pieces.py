"""How the three products of a dense layer over a batch are cut into pieces, for any number of threads."""

from ..table import GROUP, LINE, round_up_to_line

# Pieces of a dense layer: a multiple of this many where they are large enough, so that threads have equal shares. Four
# strips, the last of 16 of 784 inputs, and the bias as a fifth piece left one of two threads without work.
PIECES = 4  # of the outputs
INPUT_PIECES = 8  # of the input gradient
WEIGHT_PIECES = 16  # of the weight gradient
UNIT_GROUPS = 4  # of a weight gradient with many units, each with a panel at least
PANEL_COLUMNS = 64  # output units of one piece, at most, if they are copied to a panel
STRIP = 256  # input units of one piece of a dense layer's backward pass, at most
_NARROWEST = 32  # input units of one piece that is cut for the sake of equal shares
_ENOUGH_LINES = 7  # of a strip, so that it can be cut at a cache line
TRANSPOSED_IMAGES = 64  # images of one block of transposed gradients


def strip_count(D: int, pieces: int) -> int:
    """Return into how many strips of nearly equal width the inputs of a dense layer are cut.

    A multiple of `pieces`, or where the strips would be too narrow, of a half, a quarter and so on.
    """
    least = (D + STRIP - 1) // STRIP
    while pieces > 1 and (least + pieces - 1) // pieces * pieces * _NARROWEST > D:
        pieces //= 2
    return (least + pieces - 1) // pieces * pieces


def strip_unit(D: int, strips: int) -> int:
    """Return what strips of an input gradient are multiples of: a cache line, or 1 if that makes them unequal."""
    return LINE if strips * _ENOUGH_LINES * LINE <= D else 1


def piece_range(extent: int, pieces: int, piece: int, unit: int) -> tuple[int, int]:
    """Return where a piece of an extent begins, and its end, exclusive: pieces of nearly as many whole units."""
    units = (extent + unit - 1) // unit
    return units * piece // pieces * unit, min(extent, units * (piece + 1) // pieces * unit)


# Inputs of one part of the forward pass's sum, at most, chosen with STRIP to fit the first two caches.
DEPTH = 256
PARTS = 4  # a sum of several parts has a multiple of this many
_WEIGHTS_FOR_A_SUM = 3  # at least, for each sum of a part that is written and read
_GROUP_COLUMNS = 128  # output units of one piece of one part, at least
_ENOUGH_PIECES = 16


def part_count(D: int) -> int:
    """Return into how many equal parts the forward pass cuts the sum over D inputs."""
    return 1 if D <= DEPTH else (D + DEPTH * PARTS - 1) // (DEPTH * PARTS) * PARTS


def by_parts(N: int, D: int, parts: int) -> bool:
    """Return whether pieces of the forward pass are parts of the sum for all images, not all parts for some images.

    Then each thread reads only the weights that it updates itself, and none from another core's cache. The parts' sums
    are written and read instead: of few images there are far fewer of them than weights.
    """
    return parts > 1 and _WEIGHTS_FOR_A_SUM * N * parts <= D


def group_count(K: int, parts: int) -> int:
    """Return into how many groups the units of a part are cut, so that 16 threads have a piece each."""
    return max(1, min(K // _GROUP_COLUMNS, (_ENOUGH_PIECES + parts - 1) // parts))


# Images from which a weight gradient copies its operands to panels. Of 128 images the gradient of 784x1000 then takes
# 0.8 of the time; of 64 the copies cost what they bring, and of 16 a fifth more.
PACKED_IMAGES = 96


def weight_cut(N: int, D: int, K: int, room: int, wide: int, narrow: int) -> tuple[int, int, bool]:
    """Return into how many strips of inputs and groups of units a weight gradient is cut, and whether it is packed.

    Each strip copies all gradients of its group, and each group all inputs of its strip: four wide strips by four
    groups copy less than sixteen narrow strips. `room` is how many elements a panel has; `wide` and `narrow` are
    strip_count of WEIGHT_PIECES // UNIT_GROUPS and of WEIGHT_PIECES.
    """
    widest = room // N - LINE if N >= PACKED_IMAGES else 0  # inputs of a strip that fit into a panel
    groups = UNIT_GROUPS if UNIT_GROUPS * PANEL_COLUMNS <= K and wide * widest >= D else 1
    strips = wide if groups > 1 else narrow
    return strips, groups, strips * widest >= D


def strip_width(D: int, strips: int) -> int:
    """Return how many inputs a strip has, at most, rounded up to whole cache lines."""
    return (D + strips * LINE - 1) // (strips * LINE) * LINE


def linear_scratch(N: int, D: int, K: int) -> int:
    """Return how many elements of scratch the products of up to N images need, forward or for the input gradient."""
    parts, strips = part_count(D), strip_count(D, INPUT_PIECES)
    few = min(N, D // (_WEIGHTS_FOR_A_SUM * parts))  # images that are multiplied by parts, at most
    forward = round_up_to_line(K) + (parts - 1) * round_up_to_line(few * K)
    sums = strips * TRANSPOSED_IMAGES * strip_width(D, strips)
    return max(forward, TRANSPOSED_IMAGES + round_up_to_line(N * K) + sums)


COLUMN_BLOCK = 112  # output units of one piece of a dense layer's forward pass, at most
ROW_BLOCKS = (GROUP, 64, 128)  # images of one piece, at most; a panel is copied if there are more than the fewest


def images_of_block(N: int, K: int) -> int:
    """Return how many images a piece has, at most: the more, the more often a panel is read once it is copied.

    128 if 16 threads have a piece each, 64 if two have equal shares.
    """
    few, more, most = ROW_BLOCKS
    panels = (K + PANEL_COLUMNS - 1) // PANEL_COLUMNS
    if (N + most - 1) // most * panels >= 4 * PIECES:
        return most
    pieces = (N + more - 1) // more * panels
    return more if pieces >= PIECES and pieces % 2 == 0 else few


def columns_of_block(N: int, K: int, images: int) -> int:
    """Return how many output units a piece has, if `images_of_block` gives it `images`: whole cache lines.

    The widest with which the number of pieces is a multiple of PIECES, or of its half where that does not exist or
    there are many pieces: wider ones are faster.
    """
    most = PANEL_COLUMNS if images > ROW_BLOCKS[0] else COLUMN_BLOCK
    down = (N + images - 1) // images
    least = (K + most - 1) // most
    parts = PIECES if down * least < 4 * PIECES else PIECES // 2
    while parts > 1:
        for across in range(least, (K + LINE - 1) // LINE + 1):
            columns = (K + across * LINE - 1) // (across * LINE) * LINE
            if down * ((K + columns - 1) // columns) % parts == 0:
                return columns
        parts //= 2
    return (K + least * LINE - 1) // (least * LINE) * LINE
