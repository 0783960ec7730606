"""The dense layer of layers/linear.py for one image: only the rows of the weights whose input is not zero are read."""

from ..compiler.decorators import body
from ..compiler.simd_rows import dots_then_add
from .activation_in_place import activate
from .vector_rows import add_rows


@body
def active_inputs(
    x,  # (D,)
    all_inputs,  # bool: also list those that are zero?
    rows,  # (D,) int64, overwritten
    factors,  # (D,), overwritten
):
    """List the inputs that are not zero, and return how many there are.

    Written without a branch: half the inputs are zero in no pattern, and a wrong guess costs about 15 cycles.
    """
    count = 0
    for d in range(x.size):
        rows[count] = d
        factors[count] = x[d]
        count += (x[d] != 0) | all_inputs
    return count


@body
def linear_forward_sample(
    x,  # (D,)
    weight,  # (D, K)
    bias,  # (K,)
    activation,  # LINEAR, RELU, SIGMOID or TANH
    all_inputs,  # bool: also list inputs that are zero, since their gradient matters?
    rows,  # (D,) int64: on return the first `count` are the inputs that are not zero
    factors,  # (D,): and these are their values
    out,  # (K,), overwritten
):
    """Compute one image's layer and return the count of its non-zero inputs: the other rows are not even read."""
    count = active_inputs(x, all_inputs, rows, factors)
    add_rows(bias, weight, factors, rows, count, out)
    activate(activation, out)
    return count


@body
def linear_sgd_sample(
    grad_output,  # (K,)
    rows,  # (D,) int64, from linear_forward_sample
    factors,  # (D,)
    count,
    lr,
    weight,  # (D, K), updated
    bias,  # (K,), updated
    grad_input,  # (D,), overwritten
):
    """Compute one image's input gradient and take its SGD step, in one pass over the rows that matter.

    grad_input[d] = sum_k weight[d,k] * grad_output[k];  weight[d,k] -= lr * x[d] * grad_output[k]

    A zero has no update. Its gradient is stopped where ReLU returned x, and not needed where x is the network's
    input; elsewhere the forward pass listed all inputs.
    """
    for d in range(grad_input.size):
        grad_input[d] = 0
    dots_then_add(weight, rows, factors, count, grad_output, -lr, grad_input)
    for k in range(bias.size):
        bias[k] -= lr * grad_output[k]
