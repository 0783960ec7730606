"""The convolution of layers/convolution.py row by row, and its gradients.

An image is stored in a buffer with a border of zeros: x is (H+2, W+2, C), so no kernel tests for the edge. A row of the
output is computed in tiles of adjacent outputs, for which a number of the image is loaded once.

The 3*C numbers under one row of the filter are adjacent in x, and the next output pixel's are C further on: the sum
over a window is a product of a strided matrix with weight.reshape(3, 3*C, OC). So the filters that do not fill a
vector, and the weight gradient, are contractions over shifted views.
"""

from ..compiler.array_views import strided, view
from ..compiler.decorators import body
from ..compiler.simd import lane_count
from ..compiler.simd_conv_row import outputs_of_one_vector, outputs_of_two_vectors
from ..compiler.symbols import primitive
from ..compiler.tile import ROW_OUTPUTS
from .contraction import contract
from .vector_rows import transpose


@primitive("3 4 3 int int int 1 int")
def conv2d_row(
    x,  # (H+2, W+2, C) one padded image
    weight,  # (3, 3, C, OC), strides (3*C*step, C*step, step, 1): filters may be between others
    bias,  # (H, W, OC) per position, or (1, 1, OC) per channel; last stride 1
    y,  # the output row wanted
    first,  # filter, of those wanted
    stop,  # the filter after the last
    out,  # (.,), holds (W, OC) from `place` on
    place,
):
    """Compute one output row: the body of the plain and the pooled convolution, and of the dense input gradient.

    out[w,o] = bias[y,w,o] + sum_{i,j < 3, c} x[y+i, w+j, c] * weight[i,j,c,o]

    Parallel : no.
    Work     : 18*W*C flop a filter.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv2d_row; a row of torch.nn.functional.conv2d.
    Source   : Goodfellow, Bengio, Courville (2016), eq. 9.6 (cross-correlation).
    """
    height, padded, C = x.shape
    W = padded - 2
    OC = weight.shape[3]
    BH, BW, _ = bias.shape
    step = weight.strides[1] // (C * weight.itemsize)
    down = bias.strides[0] // bias.itemsize if BH > 1 else 0
    across = bias.strides[1] // bias.itemsize if BW > 1 else 0
    init = strided(bias, 0, (height - 2, W, OC), (down, across, 1))
    lanes = lane_count(out)
    o = first
    while ROW_OUTPUTS[0] > 0 and stop - o >= lanes:
        vectors = 2 if stop - o >= 2 * lanes else 1
        pieces = (W + ROW_OUTPUTS[vectors - 1] - 1) // ROW_OUTPUTS[vectors - 1]
        for piece in range(pieces):  # of nearly equal width
            w, end = W * piece // pieces, W * (piece + 1) // pieces
            if vectors == 2:
                outputs_of_two_vectors(x, weight, init, out, y, w, o, place + w * OC + o, end - w)
            else:
                outputs_of_one_vector(x, weight, init, out, y, w, o, place + w * OC + o, end - w)
        o += vectors * lanes
    if o < stop:
        rest = stop - o
        contract(
            strided(x, y * padded * C, (1, 3, 3 * C, W), (0, padded * C, 1, C)),
            strided(weight, o, (1, 3, 3 * C, rest), (0, 3 * C * step, step, 1)),
            strided(bias, y * down + o, (1, W, rest), (0, across, 1)),
            weight.dtype.type(1),
            strided(out, place + o, (1, W, rest), (0, OC, 1)),
        )


@body
def flip_weight(
    weight,  # (3, 3, C, OC)
    out,  # (3, 3, OC, C), overwritten
):
    """Turn the filters round and swap their channels: out[ky,kx,oc,c] = weight[2-ky, 2-kx, c, oc]."""
    _, _, C, OC = weight.shape
    for k in range(9):
        transpose(view(weight, (8 - k) * C * OC, (C, OC)), view(out, k * OC * C, (OC, C)))


@body
def conv2d_backward_weight_sample(
    x,  # (H+2, W+2, C)
    grad_output,  # (H+2, W+2, OC), its border is not read
    scale,
    init,  # (3, 3, C, OC)
    out,  # (3, 3, C, OC), overwritten; may be init itself
):
    """out = init + scale * the weight gradient of one image.

    With init = out = weight and scale = -lr this is the gradient and the SGD step in one pass.
    """
    height, padded, C = x.shape
    H, W = height - 2, padded - 2
    OC = grad_output.shape[2]
    shape = (3, 3 * C, OC)
    strides = (3 * C * OC, OC, 1)
    contract(
        strided(x, 0, (3, H, W, 3 * C), (padded * C, padded * C, C, 1)),
        strided(grad_output, (padded + 1) * OC, (3, H, W, OC), (0, padded * OC, OC, 1)),
        strided(init, 0, shape, strides),
        scale,
        strided(out, 0, shape, strides),
    )
