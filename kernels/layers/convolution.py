"""Convolution 3x3, stride 1, zero padding 1, and its three gradients.

A pixel (h, w) of the output sees the 3x3 pixels (h+i-1, w+j-1) of the input around it, i and j from 0 to 2. Those
outside the image count as zeros, so a loop leaves them out. The bias has one value per position, as in the documents,
or one per channel; `h % BH` and `w % BW` are h and w in the first case, 0 and 0 in the second.
"""

from numba import prange

from ..compiler.decorators import kernel


@kernel
def conv2d_forward(
    x,  # (N, H, W, C) float32 or float64
    weight,  # (3, 3, C, OC)
    bias,  # (H, W, OC) per position, or (1, 1, OC) per channel
    out,  # (N, H, W, OC), overwritten
):
    """Slide a bank of 3x3 filters over a batch of images.

    out[n,h,w,o] = bias[h,w,o] + sum_{i,j < 3, c} x[n, h+i-1, w+j-1, c] * weight[i,j,c,o]

    Parallel : over n; one thread owns out[n].
    Work     : 18*N*H*W*C*OC flop.
    Errors   : none raised, nothing checked; jitnet/model/architecture.py checks the network.
    Matches  : tests.support.naive.conv2d_forward; torch.nn.functional.conv2d with padding=1.
    Source   : Goodfellow, Bengio, Courville (2016), eq. 9.6 (cross-correlation).
    """
    N, H, W, C = x.shape
    BH, BW, OC = bias.shape
    for n in prange(N):
        for h in range(H):
            for w in range(W):
                for o in range(OC):
                    out[n, h, w, o] = bias[h % BH, w % BW, o]
                for i in range(3):
                    for j in range(3):
                        u, v = h + i - 1, w + j - 1
                        if 0 <= u < H and 0 <= v < W:
                            for c in range(C):
                                for o in range(OC):
                                    out[n, h, w, o] += x[n, u, v, c] * weight[i, j, c, o]


@kernel
def conv2d_backward_input(
    grad_output,  # (N, H, W, OC)
    weight,  # (3, 3, C, OC)
    grad_input,  # (N, H, W, C), overwritten
):
    """Collect at each input pixel (u, v) the gradients of the outputs (u-i+1, v-j+1) that saw it.

    grad_input[n,u,v,c] = sum_{i,j < 3, o} grad_output[n, u-i+1, v-j+1, o] * weight[i,j,c,o]

    Parallel : over n; one thread owns grad_input[n].
    Work     : 18*N*H*W*C*OC flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv2d_backward_input; torch.nn.grad.conv2d_input.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.5.
    """
    N, H, W, C = grad_input.shape
    OC = grad_output.shape[3]
    for n in prange(N):
        for u in range(H):
            for v in range(W):
                for c in range(C):
                    grad_input[n, u, v, c] = 0
                for i in range(3):
                    for j in range(3):
                        h, w = u - i + 1, v - j + 1
                        if 0 <= h < H and 0 <= w < W:
                            for c in range(C):
                                for o in range(OC):
                                    grad_input[n, u, v, c] += grad_output[n, h, w, o] * weight[i, j, c, o]


@kernel
def conv2d_backward_weight(
    x,  # (N, H, W, C)
    grad_output,  # (N, H, W, OC)
    grad_weight,  # (3, 3, C, OC), added to
    grad_bias,  # (H, W, OC) or (1, 1, OC), added to
):
    """Add the gradients of the filters and of the bias, summed over the images.

    grad_weight[i,j,c,o] += sum_{n,h,w} x[n, h+i-1, w+j-1, c] * grad_output[n,h,w,o]
    grad_bias[h,w,o]     += sum_n grad_output[n,h,w,o], or per channel the sum over h and w as well

    Parallel : over the nine places (i, j) of a filter; one thread owns grad_weight[i,j]. The bias: one thread.
    Work     : 18*N*H*W*C*OC flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.conv2d_backward_weight; torch.nn.grad.conv2d_weight.
    Source   : Goodfellow, Bengio, Courville (2016), section 9.5.
    """
    N, H, W, C = x.shape
    BH, BW, OC = grad_bias.shape
    for place in prange(9):
        i, j = place // 3, place % 3
        for n in range(N):
            for h in range(H):
                for w in range(W):
                    u, v = h + i - 1, w + j - 1
                    if 0 <= u < H and 0 <= v < W:
                        for c in range(C):
                            for o in range(OC):
                                grad_weight[i, j, c, o] += x[n, u, v, c] * grad_output[n, h, w, o]
    for n in range(N):
        for h in range(H):
            for w in range(W):
                for o in range(OC):
                    grad_bias[h % BH, w % BW, o] += grad_output[n, h, w, o]
