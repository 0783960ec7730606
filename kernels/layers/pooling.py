"""Pooling 3x3, stride 2, padded by one row and one column at the bottom and right: 28 -> 14 -> 7.

An output (p, q) is the largest or the average of the pixels (2p+i, 2q+j), i and j from 0 to 2; those beyond the edge
take no part. Of the largest, a tie goes to the first and NaN wins; the forward pass keeps the winner's place 3*i + j,
where the backward pass sends the gradient.
"""

from numba import prange

from ..compiler.decorators import kernel


@kernel
def max_pool2d_forward(
    x,  # (N, H, W, C) float32 or float64
    out,  # (N, H//2, W//2, C), overwritten
    winner,  # (N, H//2, W//2, C) uint8, overwritten
):
    """Take the largest of each 3x3 window, stride 2.

    out[n,p,q,c] = max_{i,j < 3} x[n, 2p+i, 2q+j, c]

    Parallel : over n; one thread owns out[n] and winner[n].
    Work     : 9*N*OH*OW*C comparisons.
    Errors   : none raised, nothing checked; jitnet/model/architecture.py refuses images too small to pool.
    Matches  : tests.support.naive.max_pool2d_forward; torch.nn.functional.max_pool2d on an input padded by -inf.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.3; the documents' one-sided padding.
    """
    N, H, W, C = x.shape
    for n in prange(N):
        for p in range(H // 2):
            for q in range(W // 2):
                for c in range(C):
                    out[n, p, q, c] = x[n, 2 * p, 2 * q, c]
                    winner[n, p, q, c] = 0
                for i in range(min(3, H - 2 * p)):
                    for j in range(min(3, W - 2 * q)):
                        for c in range(C):
                            value = x[n, 2 * p + i, 2 * q + j, c]
                            if value > out[n, p, q, c] or value != value:
                                out[n, p, q, c] = value
                                winner[n, p, q, c] = 3 * i + j


@kernel
def max_pool2d_backward(
    grad_output,  # (N, H//2, W//2, C)
    winner,  # (N, H//2, W//2, C) uint8, from the forward pass
    grad_input,  # (N, H, W, C), overwritten
):
    """Give each window's gradient to its winner.

    grad_input[n,u,v,c] = sum of grad_output[n,p,q,c] over the windows (p, q) whose winner is the pixel (u, v)

    Parallel : over n; one thread owns grad_input[n].
    Work     : N*OH*OW*C additions.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.max_pool2d_backward; the gradient of torch.nn.functional.max_pool2d.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.3.
    """
    N, OH, OW, C = grad_output.shape
    for n in prange(N):
        grad_input[n] = 0
        for p in range(OH):
            for q in range(OW):
                for c in range(C):
                    u, v = 2 * p + winner[n, p, q, c] // 3, 2 * q + winner[n, p, q, c] % 3
                    grad_input[n, u, v, c] += grad_output[n, p, q, c]


@kernel
def average_pool2d_forward(
    x,  # (N, H, W, C) float32 or float64
    out,  # (N, H//2, W//2, C), overwritten
):
    """Take the average of each 3x3 window, stride 2.

    out[n,p,q,c] = sum_{i,j < 3} x[n, 2p+i, 2q+j, c] / R,   R the number of pixels of the window that exist: 4, 6 or 9

    Parallel : over n; one thread owns out[n].
    Work     : 9*N*OH*OW*C additions.
    Errors   : none raised, nothing checked; jitnet/model/architecture.py refuses images too small to pool.
    Matches  : tests.support.naive.average_pool2d_forward; torch.nn.functional.avg_pool2d(x, 3, 2, ceil_mode=True).
    Source   : LeCun, Bottou, Bengio, Haffner (1998), section II.B, without their trained factor.
    """
    N, H, W, C = x.shape
    for n in prange(N):
        for p in range(H // 2):
            for q in range(W // 2):
                rows, columns = min(3, H - 2 * p), min(3, W - 2 * q)
                for c in range(C):
                    out[n, p, q, c] = 0
                for i in range(rows):
                    for j in range(columns):
                        for c in range(C):
                            out[n, p, q, c] += x[n, 2 * p + i, 2 * q + j, c]
                for c in range(C):
                    out[n, p, q, c] /= rows * columns


@kernel
def average_pool2d_backward(
    grad_output,  # (N, H//2, W//2, C)
    grad_input,  # (N, H, W, C), overwritten
):
    """Share each window's gradient among its pixels.

    grad_input[n,u,v,c] = sum of grad_output[n,p,q,c] / R over the windows (p, q) that contain the pixel (u, v)

    Parallel : over n; one thread owns grad_input[n].
    Work     : 9*N*OH*OW*C additions.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.average_pool2d_backward; the gradient of torch.nn.functional.avg_pool2d.
    Source   : the derivative of the average: each of its R terms has the slope 1/R.
    """
    N, H, W, C = grad_input.shape
    for n in prange(N):
        grad_input[n] = 0
        for p in range(H // 2):
            for q in range(W // 2):
                rows, columns = min(3, H - 2 * p), min(3, W - 2 * q)
                for i in range(rows):
                    for j in range(columns):
                        for c in range(C):
                            grad_input[n, 2 * p + i, 2 * q + j, c] += grad_output[n, p, q, c] / (rows * columns)
