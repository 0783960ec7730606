"""Convolution 3x3, stride 1, zero padding 1, and its two gradients, each as one contraction over shifted views.

Images are NHWC with a border of zeros that belongs to the buffer: x is (H+2, W+2, C), so no kernel asks where the edge
is. In such a buffer the 3*C numbers under one row of the filter lie side by side, and the next output pixel's lie C
further on: the sum over a window is a product of a strided matrix with weight.reshape(3, 3*C, OC).
"""

from numba import prange

from ..compiler.array_views import strided, view
from ..compiler.decorators import body, kernel
from ..compiler.symbols import primitive
from ..fast.vector_rows import transpose
from .contraction import contract


@primitive("3 4 3 int int int 1 int")
def conv2d_row(
    x,  # (H+2, W+2, C) one padded image
    weight,  # (3, 3, C, OC)
    bias,  # (H, W, OC) per position, or (1, 1, OC) per channel
    y,  # the output row wanted
    first,  # filter, of those wanted
    stop,  # the filter behind the last
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
    _, padded, C = x.shape
    W = padded - 2
    OC = weight.shape[3]
    BH, BW, _ = bias.shape
    filters = stop - first
    contract(
        strided(x, y * padded * C, (1, 3, 3 * C, W), (0, padded * C, 1, C)),
        strided(weight, first, (1, 3, 3 * C, filters), (0, 3 * C * OC, OC, 1)),
        strided(bias, (y if BH > 1 else 0) * BW * OC + first, (1, W, filters), (0, OC if BW > 1 else 0, 1)),
        weight.dtype.type(1),
        strided(out, place + first, (1, W, filters), (0, OC, 1)),
    )


@body
def conv2d_forward_sample(x, weight, bias, out):
    """Convolve one image into out (H, W, OC); see `conv2d_forward`."""
    H, W, OC = out.shape
    flat = view(out, 0, (out.size,))
    for y in range(H):
        conv2d_row(x, weight, bias, y, 0, OC, flat, y * W * OC)


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
    """out = init + scale * the weight gradient of one image; see `conv2d_backward_weight`.

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


@kernel
def conv2d_forward(
    x,  # (N, H+2, W+2, C) float32 or float64, zero border
    weight,  # (3, 3, C, OC)
    bias,  # (H, W, OC) or (1, 1, OC)
    out,  # (N, H, W, OC), overwritten
):
    """Slide a bank of 3x3 filters over a batch of images.

    out[n,y,x,o] = bias[y,x,o] + sum_{i,j < 3, c} x[n, y+i, x+j, c] * weight[i,j,c,o]

    Parallel : over n; one thread owns out[n].
    Work     : 18*N*H*W*C*OC flop.
    Errors   : none raised, nothing checked; layout.py builds the buffers.
    Matches  : tests.support.naive.conv2d_forward; torch.nn.functional.conv2d with padding=1.
    Source   : Goodfellow, Bengio, Courville (2016), eq. 9.6 (cross-correlation).
    """
    for n in prange(x.shape[0]):
        conv2d_forward_sample(x[n], weight, bias, out[n])


@kernel
def conv2d_backward_input(
    grad_output,  # (N, H+2, W+2, OC), zero border
    flipped,  # (3, 3, OC, C) scratch, overwritten by flip_weight
    weight,  # (3, 3, C, OC)
    zeros,  # (1, 1, C) zeros
    grad_input,  # (N, H, W, C), overwritten
):
    """Convolve the output's gradient with the filters turned round.

    grad_input[n,y,x,c] = sum_{i,j < 3, o} grad_output[n, y+i, x+j, o] * weight[2-i,2-j,c,o]

    Parallel : over n; one thread owns grad_input[n].
    Work     : 18*N*H*W*C*OC flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv2d_backward_input; torch.nn.grad.conv2d_input.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.5.
    """
    flip_weight(weight, flipped)
    for n in prange(grad_output.shape[0]):
        conv2d_forward_sample(grad_output[n], flipped, zeros, grad_input[n])


@kernel
def conv2d_backward_weight(
    x,  # (N, H+2, W+2, C)
    grad_output,  # (N, H+2, W+2, OC)
    shards,  # (S, 3, 3, C, OC) scratch, overwritten; S depends on N alone
    grad_weight,  # (3, 3, C, OC), overwritten
):
    """Correlate the input with the output's gradient.

    grad_weight[i,j,c,o] = sum_{n,y,x} x[n, y+i, x+j, c] * grad_output[n, y+1, x+1, o]

    The batch is cut into S shards, whose sums are then added in order: the same bits for any number of threads.

    Parallel : over shards; one thread owns shards[s].
    Work     : 18*N*H*W*C*OC flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv2d_backward_weight; torch.nn.grad.conv2d_weight.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.5.
    """
    N = x.shape[0]
    S = shards.shape[0]
    one = x.dtype.type(1)
    for s in prange(S):
        shards[s] = 0
        for n in range(N * s // S, N * (s + 1) // S):
            conv2d_backward_weight_sample(x[n], grad_output[n], one, shards[s], shards[s])
    grad_weight[...] = 0
    for s in range(S):
        grad_weight += shards[s]
