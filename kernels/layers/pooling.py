"""Max-pooling 3x3, stride 2, padded by one row and one column at the bottom and right: 28 -> 14 -> 7.

An output (p, q) is the largest of the pixels (2p+i, 2q+j), i and j from 0 to 2; those beyond the edge take no part. A
tie goes to the first; NaN wins. The forward pass keeps the winner's place 3*i + j, where the backward pass sends the
gradient.
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
