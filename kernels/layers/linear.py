"""The dense layer, out = x W + b, and its gradients. The weights are (D, K): a row is what one input adds."""

from numba import prange

from ..compiler.decorators import kernel


@kernel
def linear_forward(
    x,  # (N, D) float32 or float64
    weight,  # (D, K)
    bias,  # (K,)
    out,  # (N, K), overwritten
):
    """Multiply a batch by the weights.

    out[n,k] = bias[k] + sum_d x[n,d] * weight[d,k]

    Parallel : over n; one thread owns out[n].
    Work     : 2*N*D*K flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.linear_forward; torch.nn.functional.linear with weight.T.
    Source   : Goodfellow, Bengio, Courville (2016), section 6.1.
    """
    N, D = x.shape
    K = bias.size
    for n in prange(N):
        for k in range(K):
            out[n, k] = bias[k]
        for d in range(D):
            for k in range(K):
                out[n, k] += x[n, d] * weight[d, k]


@kernel
def linear_backward_input(
    grad_output,  # (N, K)
    weight,  # (D, K)
    grad_input,  # (N, D), overwritten
):
    """Multiply the gradient by the weights' transpose.

    grad_input[n,d] = sum_k grad_output[n,k] * weight[d,k]

    Parallel : over n; one thread owns grad_input[n].
    Work     : 2*N*D*K flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.linear_backward_input; the gradient of torch.nn.functional.linear.
    Source   : Goodfellow, Bengio, Courville (2016), algorithm 6.4.
    """
    D, K = weight.shape
    for n in prange(grad_output.shape[0]):
        for d in range(D):
            grad_input[n, d] = 0
            for k in range(K):
                grad_input[n, d] += grad_output[n, k] * weight[d, k]


@kernel
def linear_backward_weight(
    x,  # (N, D)
    grad_output,  # (N, K)
    grad_weight,  # (D, K), added to
    grad_bias,  # (K,), added to
):
    """Add the gradients of the weights and of the bias, summed over the images.

    grad_weight[d,k] += sum_n x[n,d] * grad_output[n,k]
    grad_bias[k]     += sum_n grad_output[n,k]

    Parallel : over d; one thread owns grad_weight[d]. The bias: one thread.
    Work     : 2*N*D*K flop.
    Errors   : none raised, nothing checked.
    Matches  : tests.support.naive.linear_backward_weight; the gradient of torch.nn.functional.linear.
    Source   : Goodfellow, Bengio, Courville (2016), algorithm 6.4.
    """
    N, K = grad_output.shape
    for d in prange(x.shape[1]):
        for n in range(N):
            for k in range(K):
                grad_weight[d, k] += x[n, d] * grad_output[n, k]
    for n in range(N):
        for k in range(K):
            grad_bias[k] += grad_output[n, k]
