"""Weight gradient of a 3x3 convolution with a quarter of the multiplications. Replaces part of layers/convolution.py.

Chosen over batches, for layers with tiles enough and an output gradient that is not mostly zero.

Winograd's F(4x4, 3x3) computes a tile of outputs as A ((G w) * (B x)), along rows and columns both: see
conv_winograd.py. Its derivative by the weights needs the same matrices, transposed; g is the output's gradient:

    grad_w = G^T ((A^T g) * (B x))

The sum over tiles and images comes before G^T, so that each of the 36 products of a tile becomes a matrix product, of
channels by tiles with tiles by filters: `contract`. They are summed image after image, and G^T follows once, at the end
of a shard. A filter without a gradient, or a channel of zeros, has a gradient of exactly zero.
"""

from .. import table
from ..compiler.array_views import strided, view
from ..compiler.decorators import body
from ..compiler.simd import lane_count, store
from ..compiler.symbols import primitive
from ..table import GAP, INPUT_TILE, LINE, OUTPUT_TILE, TILE_PRODUCTS
from .contraction import contract
from .conv_winograd import transform_inputs, transform_tiles
from .winograd_matrices import load_six, times_a_transposed, times_g_transposed

tiles_across = body(table.tiles_across)
round_up_to_line = body(table.round_up_to_line)


@body
def _transform_gradients(
    grad_map,  # (H+2, W+2, OC), zero border
    band,  # (6, 4*tiles, a vector) scratch, overwritten
    gradients,  # (36*plane,), overwritten
    place,
    plane,  # elements from one plane to the next
):
    """Write A^T g A for the tiles of an image; see `transform_tiles`."""
    transform_tiles(times_a_transposed, 1, OUTPUT_TILE, grad_map, band, gradients, place, plane)


@primitive("4 4 3 1 3")
def winograd_backward_weight(
    x,  # (N, H+2, W+2, C), zero border
    grad_maps,  # (N, H+2, W+2, OC), zero border
    init,  # (36, C, OC), last stride 1; may be `sums` itself
    scratch,  # (table.tile_scratch(N, H, W, C, OC),) overwritten
    sums,  # (36, C, OC), last stride 1, overwritten
):
    """Sum the products of some images' tiles, from which `transform_sums` makes their weight gradient.

    sums[6*i+j,c,o] = init[6*i+j,c,o] + sum over the tiles of (B x B^T)[i,j,c] * (A^T g A)[i,j,o]

    Parallel : no; callers cut the batch.
    Work     : 72*C*OC flop a tile, about 6 for each of its 36*C inputs and 3 for each of its 36*OC gradients.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.winograd_backward_weight.
    Source   : Lavin, Gray (2016), "Fast algorithms for convolutional neural networks", section 4.3: F(3x3, 4x4).
    """
    N, height, width, C = x.shape
    OC = grad_maps.shape[3]
    each = tiles_across(height - 2) * tiles_across(width - 2)
    tiles = N * each
    plane_in, plane_out = tiles * round_up_to_line(C) + GAP, tiles * round_up_to_line(OC) + GAP
    inputs = view(scratch, 0, (TILE_PRODUCTS * plane_in,))
    gradients = view(scratch, inputs.size, (TILE_PRODUCTS * plane_out,))
    wide = OUTPUT_TILE * tiles_across(width - 2) + 2
    band = view(scratch, inputs.size + gradients.size, (INPUT_TILE * wide * LINE,))
    for n in range(N):
        one = view(x, n * height * width * C, (height, width, C))
        transform_inputs(one, band, inputs, n * each * round_up_to_line(C), plane_in)
        grad_map = view(grad_maps, n * height * width * OC, (height, width, OC))
        _transform_gradients(grad_map, band, gradients, n * each * round_up_to_line(OC), plane_out)
    contract(
        strided(inputs, 0, (TILE_PRODUCTS, 1, tiles, C), (plane_in, 0, round_up_to_line(C), 1)),
        strided(gradients, 0, (TILE_PRODUCTS, 1, tiles, OC), (plane_out, 0, round_up_to_line(OC), 1)),
        init,
        x.dtype.type(1),
        sums,
    )


@primitive("3 1 4")
def transform_sums(
    sums,  # (36, C, OC), from winograd_backward_weight, last strides OC and 1
    scratch,  # (>= 18 vectors,) overwritten
    grad_weight,  # (3, 3, C, OC), overwritten
):
    """Make the weight gradient from the sums of the tiles' products.

    grad_weight[i,j,c,o] = sum_{k,l < 6} G[k,i] * sums[6*k+l,c,o] * G[l,j]

    Parallel : no.
    Work     : about 130*C*OC flop, once for all images.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.transform_sums; after winograd_backward_weight, torch.nn.grad.conv2d_weight.
    Source   : the same, section 4.3.
    """
    size = sums.shape[1] * sums.shape[2]
    plane = sums.strides[0] // sums.itemsize
    lanes = lane_count(sums)
    for n in range(0, size, lanes):
        count = size - n
        for j in range(INPUT_TILE):
            column = times_g_transposed(*load_six(sums, j * plane + n, INPUT_TILE * plane, count))
            for i, value in enumerate(column):
                store(scratch, (INPUT_TILE * i + j) * lanes, lanes, value)
        for i in range(3):
            row = times_g_transposed(*load_six(scratch, INPUT_TILE * i * lanes, lanes, lanes))
            for j, value in enumerate(row):
                store(grad_weight, (3 * i + j) * size + n, count, value)
