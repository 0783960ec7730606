"""The naive twins: every kernel again, slow and obvious, in float64, written from its equation.

They return what the kernel writes. A network is given by its layers (jitnet.model.architecture), its tensors by name
and its images as numbers from 0 to 1; they share no code, no layout and no table with the kernels.
"""

import math

import numpy as np

from jitnet.model.architecture import Conv, Dense, Pool


def contract(a, b, init, scale):
    """out[r,i,j] = init[r,i,j] + scale * sum_{t,k} a[r,t,k,i] * b[r,t,k,j]"""
    return np.float64(init) + float(scale) * np.einsum("rtki,rtkj->rij", np.float64(a), np.float64(b))


def add_rows(bias, weight, factors, rows):
    """out[k] = bias[k] + sum_n factors[n] * weight[rows[n],k]"""
    out = np.float64(bias)
    for factor, row in zip(factors, rows):
        out = out + float(factor) * np.float64(weight[row])
    return out


def dots_then_add(weight, rows, factors, vector, scale):
    """The dot products of some rows, and the matrix with scale * factor * vector added to each of them."""
    weight, vector = np.float64(weight), np.float64(vector)
    dots = [np.sum(weight[row] * vector) for row in rows]
    for row, factor in zip(rows, factors):
        weight[row] += float(scale) * float(factor) * vector
    return np.array(dots), weight


def transpose(matrix):
    """out[j,i] = matrix[i,j]"""
    M, N = matrix.shape
    out = np.empty((N, M), matrix.dtype)
    for i in range(M):
        for j in range(N):
            out[j, i] = matrix[i, j]
    return out


def conv2d_forward(x, weight, bias):
    """out[n,y,x,o] = bias[y,x,o] + sum_{i,j,c} x[n,y+i,x+j,c] * weight[i,j,c,o]; x has its border of zeros."""
    x, weight = np.float64(x), np.float64(weight)
    N, H, W, OC = len(x), x.shape[1] - 2, x.shape[2] - 2, weight.shape[3]
    out = np.zeros((N, H, W, OC)) + np.float64(bias)
    for i in range(3):
        for j in range(3):
            out += x[:, i : i + H, j : j + W] @ weight[i, j]
    return out


def conv2d_row(x, weight, bias, y, first, stop):
    """Row y of the convolution of one image, for some filters."""
    return conv2d_forward(x[None], weight, bias)[0, y, :, first:stop]


def conv2d_row_few_channels(x, weight, bias, y, first, stop):
    """The same row."""
    return conv2d_row(x, weight, bias, y, first, stop)


# Winograd's F(4x4, 3x3): see the head of kernels/fast/conv_winograd.py.
B = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
G = [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
]
A = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]


def transform_weight(weight, G=G):
    """out[6*i+j,c,o] = sum_{k,l} G[i,k] * weight[k,l,c,o] * G[j,l]"""
    out = np.einsum("ik,klco,jl->ijco", np.float64(G), np.float64(weight), np.float64(G))
    return out.reshape(36, *weight.shape[2:])


def conv2d_winograd(x, weight, bias, A=A, B=B, G=G):
    """The convolution, tile by tile: A ((G weight G^T) * (B x B^T)) A^T + bias; x has its border of zeros."""
    x, transformed = np.float64(x), transform_weight(weight, G)
    N, H, W, OC = len(x), x.shape[1] - 2, x.shape[2] - 2, weight.shape[3]
    x = np.pad(x, ((0, 0), (0, -H % 4), (0, -W % 4), (0, 0)))
    out = np.zeros((N, H + -H % 4, W + -W % 4, OC))
    for n, y, w in np.ndindex(N, out.shape[1] // 4, out.shape[2] // 4):
        inputs = np.einsum("ik,klc,jl->ijc", B, x[n, 4 * y : 4 * y + 6, 4 * w : 4 * w + 6], B)
        products = np.einsum("pc,pco->po", inputs.reshape(36, -1), transformed).reshape(6, 6, OC)
        out[n, 4 * y : 4 * y + 4, 4 * w : 4 * w + 4] = np.einsum("ik,klo,jl->ijo", A, products, A)
    return out[:, :H, :W] + np.float64(bias)


def winograd_backward_weight(x, grad_maps, A=A, B=B):
    """sums[6*i+j,c,o] = sum over all tiles of (B x B^T)[i,j,c] * (A^T g A)[i,j,o]; x and g have a border of zeros."""
    x, inside = np.float64(x), np.float64(grad_maps)[:, 1:-1, 1:-1]
    N, H, W, OC = inside.shape
    more = (0, 0), (0, -H % 4), (0, -W % 4), (0, 0)
    x, inside = np.pad(x, more), np.pad(inside, more)
    sums = np.zeros((6, 6, x.shape[3], OC))
    for n, y, w in np.ndindex(N, inside.shape[1] // 4, inside.shape[2] // 4):
        inputs = np.einsum("ik,klc,jl->ijc", B, x[n, 4 * y : 4 * y + 6, 4 * w : 4 * w + 6], B)
        gradients = np.einsum("ki,klo,lj->ijo", A, inside[n, 4 * y : 4 * y + 4, 4 * w : 4 * w + 4], A)
        sums += np.einsum("ijc,ijo->ijco", inputs, gradients)
    return sums.reshape(36, *sums.shape[2:])


def transform_sums(sums, G=G):
    """grad_weight[i,j,c,o] = sum_{k,l} G[k,i] * sums[6*k+l,c,o] * G[l,j]"""
    return np.einsum("ki,klco,lj->ijco", G, np.float64(sums).reshape(6, 6, *sums.shape[1:]), G)


def conv2d_backward_input(grad_output, weight):
    """Each output sends its gradient to the nine inputs it read; grad_output has a border of zeros."""
    grad_output, weight = np.float64(grad_output), np.float64(weight)
    N, H, W, C = len(grad_output), grad_output.shape[1] - 2, grad_output.shape[2] - 2, weight.shape[2]
    grad_x = np.zeros((N, H + 2, W + 2, C))
    for i in range(3):
        for j in range(3):
            grad_x[:, i : i + H, j : j + W] += grad_output[:, 1:-1, 1:-1] @ weight[i, j].T
    return grad_x[:, 1:-1, 1:-1]


def conv2d_backward_weight(x, grad_output):
    """grad_weight[i,j,c,o] = sum_{n,y,x} x[n,y+i,x+j,c] * grad_output[n,y+1,x+1,o]"""
    x, inside = np.float64(x), np.float64(grad_output)[:, 1:-1, 1:-1]
    _, H, W, OC = inside.shape
    grad_weight = np.zeros((3, 3, x.shape[3], OC))
    for i in range(3):
        for j in range(3):
            grad_weight[i, j] = np.einsum("nyxc,nyxo->co", x[:, i : i + H, j : j + W], inside)
    return grad_weight


def sparse_backward(x, grad_map, weight, first, stop):
    """Each number of some filters' maps adds the patch of x at its place to its filter, and its filter to the patch."""
    x, weight = np.float64(x), np.float64(weight)
    height, width, _ = grad_map.shape
    grad_weight, grad_x = np.zeros(weight.shape), np.zeros(x.shape)
    for y, w, o in np.ndindex(height - 2, width - 2, stop - first):
        g = np.float64(grad_map[y + 1, w + 1, first + o])
        grad_weight[first + o] += g * x[y : y + 3, w : w + 3]
        grad_x[y : y + 3, w : w + 3] += g * weight[first + o]
    return grad_weight, grad_x


def sparse_input_backward_weight(x, grad_map, first_row, stop_row, first, stop):
    """grad_weight[i,j,c,o] = sum over (y, w) of x[y+i,w+j,c] * g[y,w,o], g being some rows and filters of the map"""
    x = np.float64(x)
    grad_weight = np.zeros((3, 3, x.shape[2], grad_map.shape[2]))
    for y in range(first_row, stop_row):
        for w in range(grad_map.shape[1] - 2):
            g = np.float64(grad_map[y + 1, w + 1, first:stop])
            grad_weight[..., first:stop] += x[y : y + 3, w : w + 3, :, None] * g
    return grad_weight


def max_pool2d_row(top, middle, bottom, relu, first, stop):
    """One row of windows, for some channels; `bottom` is `top` again at the edge."""
    rows = [top, middle] if bottom is top else [top, middle, bottom]
    out, argmax = max_pool2d_forward(np.stack(rows)[None, ..., first:stop], relu)
    return out[0, 0], argmax[0, 0]


def max_pool2d_forward(x, relu):
    """The largest of each 3x3 window, stride 2, without the part outside the map; the first of equals; its place.

    NaN counts as the largest.
    """
    N, H, W, C = x.shape
    out = np.full((N, H // 2, W // 2, C), -np.inf)
    argmax = np.zeros(out.shape, np.uint8)
    for oy in range(H // 2):
        for ox in range(W // 2):
            for k in range(9):
                y, x_ = 2 * oy + k // 3, 2 * ox + k % 3
                if y < H and x_ < W:
                    wins = (x[:, y, x_] > out[:, oy, ox]) | np.isnan(x[:, y, x_])
                    out[:, oy, ox][wins] = x[:, y, x_][wins]
                    argmax[:, oy, ox][wins] = k
    if relu:
        argmax[out <= 0] = 255
        out = np.maximum(out, 0)
    return out, argmax


def max_pool2d_backward(grad_output, argmax, H, W):
    """Each window gives its gradient to its winner; a dead one (255) to nobody."""
    N, OH, OW, C = grad_output.shape
    grad_input = np.zeros((N, H, W, C))
    for n, oy, ox, c in np.ndindex(N, OH, OW, C):
        place = int(argmax[n, oy, ox, c])
        if place != 255:
            grad_input[n, 2 * oy + place // 3, 2 * ox + place % 3, c] += grad_output[n, oy, ox, c]
    return grad_input


def average_pool2d_forward(x):
    """The average of each 3x3 window, stride 2, without the part outside the map."""
    N, H, W, C = x.shape
    out = np.zeros((N, H // 2, W // 2, C))
    for oy, ox in np.ndindex(H // 2, W // 2):
        out[:, oy, ox] = np.float64(x)[:, 2 * oy : 2 * oy + 3, 2 * ox : 2 * ox + 3].mean(axis=(1, 2))
    return out


def average_pool2d_backward(grad_output, H, W):
    """Each window's gradient in equal shares to its pixels."""
    N, OH, OW, C = grad_output.shape
    grad_input = np.zeros((N, H, W, C))
    for n, oy, ox in np.ndindex(N, OH, OW):
        window = grad_input[n, 2 * oy : 2 * oy + 3, 2 * ox : 2 * ox + 3]
        window += np.float64(grad_output)[n, oy, ox] / (window.shape[0] * window.shape[1])
    return grad_input


def activation_forward(kind, x):
    """f(x)"""
    x = np.float64(x)
    return [
        lambda: x,
        lambda: np.maximum(x, 0),
        lambda: 0.5 + 0.5 * np.tanh(x / 2),
        lambda: np.tanh(x),
        lambda: x * normal_distribution(x),
        lambda: np.maximum(x, 0.01 * x),
    ][kind]()


def normal_distribution(x):
    """The probability that a normal number is below x."""
    return np.vectorize(math.erfc, otypes=[np.float64])(-x / math.sqrt(2)) / 2


def activation_backward(kind, z, grad):
    """f'(z) * grad"""
    f = activation_forward(kind, z)
    z = np.float64(z)
    slopes = (
        lambda: 1,
        lambda: z > 0,
        lambda: f - f**2,
        lambda: 1 - f**2,
        lambda: normal_distribution(z) + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi),
        lambda: np.where(z > 0, 1, 0.01),
    )
    return np.float64(grad) * slopes[kind]()


def activation_backward_from_result(kind, out, grad):
    """f'(z) * grad, by out = f(z)"""
    out = np.float64(out)
    return np.float64(grad) * (1, out > 0, out - out**2, 1 - out**2)[kind]


def activations(layers):
    """Return the activation of each layer with weights by name, the last layer's being linear."""
    learnt = [layer for layer in layers if not isinstance(layer, Pool)]
    names = [name for name, _ in blocks(layers)] + heads(layers)
    kinds = [("linear", "relu", "sigmoid", "tanh", "gelu", "leaky-relu").index(layer.activation) for layer in learnt]
    return dict(zip(names, [*kinds[:-1], 0]))


def linear_forward(x, weight, bias):
    """out[n,k] = bias[k] + sum_d x[n,d] * weight[d,k]"""
    return np.float64(bias) + np.float64(x) @ np.float64(weight)


def linear_backward_input(grad_output, weight):
    """grad_input[n,d] = sum_k grad_output[n,k] * weight[d,k]"""
    return np.float64(grad_output) @ np.float64(weight).T


def linear_backward_weight(x, grad_output):
    """grad_weight[d,k] = sum_n x[n,d] * grad_output[n,k];  grad_bias[k] = sum_n grad_output[n,k]"""
    return np.float64(x).T @ np.float64(grad_output), np.float64(grad_output).sum(axis=0)


def linear_batch_forward(x, weight, bias, kind):
    """out[n,k] = f(bias[k] + sum_d x[n,d] * weight[d,k])"""
    return activation_forward(kind, linear_forward(x, weight, bias))


def linear_batch_backward_input(grad_output, weight, x, kind):
    """grad_input[n,d] = f' * sum_k grad_output[n,k] * weight[d,k], x having come out of f"""
    grad_input = linear_backward_input(grad_output, weight)
    return activation_backward_from_result(kind, x, grad_input) if kind else grad_input


def linear_batch_backward_weight(x, grad_output):
    """As linear_backward_weight."""
    return linear_backward_weight(x, grad_output)


def splitmix64(state):
    """One output of the generator, in Python's integers."""
    mask = 2**64 - 1
    z = (state + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def dropout(rate, seed, update, layer, images, values):
    """0 where the uniform number of (seed, update, layer, image, place) is below the rate, else value / (1 - rate)."""
    key = splitmix64((splitmix64((splitmix64(seed) + update) % 2**64) + layer) % 2**64)
    out = np.float64(values)
    for n, k in np.ndindex(*out.shape):
        bits = splitmix64((splitmix64((key + int(images[n])) % 2**64) + k) % 2**64)
        out[n, k] = out[n, k] / (1 - rate) if (bits >> 11) / 2**53 >= rate else out[n, k] * 0
    return out


def augment_images(images, rows, seed, epoch, amounts):
    """Some images (n, H, W, C), each moved, turned, scaled, sheared and bent by numbers of (seed, epoch, place)."""
    return np.stack([augmented(np.float64(images[row]), seed, epoch, int(row), amounts) for row in rows])


def augmented(x, seed, epoch, place, amounts):
    """One of them (H, W, C)."""
    H, W, _ = x.shape
    key = splitmix64((splitmix64((splitmix64(seed) + 0x6175676D656E7400) % 2**64) + epoch) % 2**64)
    row = splitmix64((key + place) % 2**64)

    def number(k):
        return 2 * ((splitmix64((row + k) % 2**64) >> 11) / 2**53) - 1

    shift, angle, scale, shear, bending = amounts
    move, turn = shift * np.array([number(0), number(1)]), angle * number(2)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    sheared = np.array([[1, 0], [-shear * number(5), 1]])
    scaled = np.diag(np.exp(-scale * np.array([number(3), number(4)])))
    middle = (np.array([H, W]) - 1) / 2
    knots = np.array([number(8 + k) for k in range(32)]).reshape(2, 4, 4)
    out = np.zeros(x.shape)
    for v, u in np.ndindex(H, W):
        y, column = scaled @ sheared @ rotation @ (np.array([v, u]) - middle - move) + middle
        y, column = np.array([y, column]) + bending * bilinear(
            np.moveaxis(knots, 0, -1), 3 * v / (H - 1), 3 * u / (W - 1)
        )
        out[v, u] = bilinear(x, np.clip(y, 0, H - 1), np.clip(column, 0, W - 1))
    return out


def bilinear(x, y, column):
    """The value of x (H, W, C) at a place between four entries."""
    H, W, _ = x.shape
    i, j = min(int(y), H - 2), min(int(column), W - 2)
    t, s = y - i, column - j
    top, bottom = (1 - s) * x[i, j] + s * x[i, j + 1], (1 - s) * x[i + 1, j] + s * x[i + 1, j + 1]
    return (1 - t) * top + t * bottom


def softmax_cross_entropy(logits, targets, scale):
    """-log softmax(logits)[target], and scale * (softmax - one-hot)."""
    logits = np.float64(logits)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = powers / powers.sum(axis=1, keepdims=True)
    one_hot = np.eye(logits.shape[1])[np.int64(targets)]
    losses = np.log(powers.sum(axis=1)) - np.sum((logits - logits.max(axis=1, keepdims=True)) * one_hot, axis=1)
    return losses, float(scale) * (softmax - one_hot)


def output_loss(kind, logits, targets, order, scale, smoothing=0.0):
    """The loss of each row, scale * its gradient: cross-entropy (0), squares of the softmax (1) or of the numbers."""
    targets = np.asarray(targets)[order]
    logits = np.float64(logits)
    K = logits.shape[1]
    if targets.ndim == 2:
        errors = logits - targets
        return (errors**2).mean(axis=1), float(scale) * 2 / K * errors
    if kind == 0 and not smoothing:
        return softmax_cross_entropy(logits, targets, scale)
    shifted = logits - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    if kind == 0:
        labels = (1 - smoothing) * np.eye(K)[np.int64(targets)] + smoothing / K
        logs = shifted - np.log(powers.sum(axis=1, keepdims=True))
        return -(labels * logs).sum(axis=1), float(scale) * (np.exp(logs) - labels)
    softmax = powers / powers.sum(axis=1, keepdims=True)
    errors = softmax - np.eye(K)[np.int64(targets)]
    grad = np.empty_like(logits)
    for n, p in enumerate(softmax):
        jacobian = np.diag(p) - np.outer(p, p)
        grad[n] = jacobian @ (2 / K * errors[n])
    return (errors**2).mean(axis=1), float(scale) * grad


def optimizer_step(rule, param, grad, first, second, lr, t):
    """One step of the optimiser called rule["kind"]: the new param, first and second."""
    param, grad, first, second = np.float64(param), np.float64(grad), np.float64(first), np.float64(second)
    kind, mu, decay = rule["kind"], rule["momentum"], rule["decay"]
    if kind == "adamw":
        param = param - lr * decay * param
    else:
        grad = grad + decay * param
    if kind == "sgd":
        return param - lr * grad, first, second
    if kind in ("momentum", "nesterov"):
        first = mu * first + grad
        return param - lr * (first if kind == "momentum" else grad + mu * first), first, second
    first, second = 0.9 * first + 0.1 * grad, 0.999 * second + 0.001 * grad**2
    mean, square = first / (1 - 0.9**t), second / (1 - 0.999**t)
    return param - lr * mean / (np.sqrt(square) + 1e-8), first, second


def sum_shards(shards):
    """out[p] = sum_s shards[s,p]"""
    return np.float64(shards).sum(axis=0)


def blocks(layers):
    """Yield (name, kind of the pool after it or "") for each conv."""
    for place, layer in enumerate(layers):
        if isinstance(layer, Conv):
            number = sum(isinstance(before, Conv) for before in layers[: place + 1])
            yield f"conv{number}", layers[place + 1].kind if isinstance(layers[place + 1], Pool) else ""


def heads(layers):
    """Return the names of the dense layers."""
    return [f"dense{n + 1}" for n in range(sum(isinstance(layer, Dense) for layer in layers))]


def border(x):
    """Put a frame of zeros around images."""
    return np.pad(np.float64(x), ((0, 0), (1, 1), (1, 1), (0, 0)))


def conv_blocks_forward(layers, tensors, images):
    """Return the conv blocks' output, and of each its padded input, its map before the activation, its argmax."""
    x, tape, kinds = images, [], activations(layers)
    for name, pooled in blocks(layers):
        padded = border(x)
        before = conv2d_forward(padded, tensors[f"{name}.weight"], tensors[f"{name}.bias"])
        x, argmax = activation_forward(kinds[name], before), None
        if pooled == "max":
            x, argmax = max_pool2d_forward(x, False)
        elif pooled:
            x = average_pool2d_forward(x)
        tape.append((padded, before, argmax))
    return x, tape


def conv_blocks_backward(layers, tensors, tape, grad):
    """Return the gradients of the conv blocks' tensors, summed over the images."""
    gradients = {}
    for (name, pooled), (padded, before, argmax) in reversed(list(zip(blocks(layers), tape))):
        if pooled == "max":
            grad = max_pool2d_backward(grad, argmax, *before.shape[1:3])
        elif pooled:
            grad = average_pool2d_backward(grad, *before.shape[1:3])
        kind = activations(layers)[name]
        grad = activation_backward(kind, before, grad)
        gradients[f"{name}.weight"] = conv2d_backward_weight(padded, border(grad))
        per_channel = tensors[f"{name}.bias"].shape != before.shape[1:]
        gradients[f"{name}.bias"] = grad.sum(axis=(0, 1, 2), keepdims=True)[0] if per_channel else grad.sum(axis=0)
        grad = conv2d_backward_input(border(grad), tensors[f"{name}.weight"])
    return gradients


def forward(layers, tensors, images):
    """Return the logits, the tape of the conv blocks, and the inputs of the dense layers."""
    x, tape = conv_blocks_forward(layers, tensors, images)
    x = x.reshape(len(x), -1)
    inputs = []
    for name in heads(layers):
        inputs.append(x)
        x = linear_batch_forward(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], activations(layers)[name])
    return x, tape, inputs


def predict_logits(layers, tensors, images):
    """Return the scores (N, K)."""
    return forward(layers, tensors, images)[0]


def predict_in_groups(layers, tensors, images):
    """Return the scores (N, K), image by image."""
    return np.concatenate([predict_logits(layers, tensors, images[n : n + 1]) for n in range(len(images))])


def losses(layers, tensors, images, targets, loss=0):
    """Return the loss of each image."""
    return output_loss(loss, predict_logits(layers, tensors, images), targets, np.arange(len(images)), 1)[0]


def gradients(layers, tensors, images, targets, loss=0):
    """Return the loss of each image, and the gradient of their mean with respect to every tensor."""
    logits, tape, inputs = forward(layers, tensors, images)
    each, grad = output_loss(loss, logits, targets, np.arange(len(images)), 1 / len(images))
    kinds = activations(layers)
    found = {}
    for place, name in reversed(list(enumerate(heads(layers)))):
        found[f"{name}.weight"], found[f"{name}.bias"] = linear_backward_weight(inputs[place], grad)
        grad = linear_backward_input(grad, tensors[f"{name}.weight"])
        if place:
            before = heads(layers)[place - 1]
            z = linear_forward(inputs[place - 1], tensors[f"{before}.weight"], tensors[f"{before}.bias"])
            grad = activation_backward(kinds[before], z, grad)
    if tape:
        before = tape[-1][1]
        N, H, W, C = before.shape
        shape = (N, H // 2, W // 2, C) if list(blocks(layers))[-1][1] else before.shape
        found |= conv_blocks_backward(layers, tensors, tape, grad.reshape(shape))
    return each, found


def accumulate_gradient(layers, tensors, images, targets, scale, before, loss=0):
    """Return the sum of the losses, and by name: before + scale * sum of the gradients."""
    each, mean = gradients(layers, tensors, images, targets, loss)
    return each.sum(), {name: before[name] + scale * len(images) * mean[name] for name in before}


def train_minibatch(layers, tensors, images, targets, order, batch_size, lrs, loss=0, rule=None):
    """Return the mean loss of each batch before its update, and the tensors after all of them."""
    rule = rule or {"kind": "sgd", "momentum": 0, "decay": 0, "sum": False}
    state = dict.fromkeys(tensors, (0.0, 0.0))
    tensors = {name: np.float64(array) for name, array in tensors.items()}
    means = []
    for step, lr in enumerate(lrs):
        batch = order[step * batch_size : (step + 1) * batch_size]
        each, found = gradients(layers, tensors, images[batch], targets[batch], loss)
        means.append(each.mean())
        for name, array in tensors.items():
            grad = found[name] * (len(batch) if rule["sum"] else 1)
            tensors[name], *state[name] = optimizer_step(rule, array, grad, *state[name], lr, step + 1)
    return np.array(means), tensors


def train_per_sample(layers, tensors, images, targets, order, lrs, loss=0):
    """Return the loss of each image before its update, and the tensors after all of them."""
    return train_minibatch(layers, tensors, images, targets, order, 1, lrs, loss)


def fma_peak(operands, rounds, out, chains, lanes):
    """x = a * x + b in each of `chains` chains of `lanes` numbers, begun at 0, 1, 2, ...; out[piece] = sum of all."""
    a, b = operands
    for piece in range(out.shape[0]):
        x = np.arange(chains, dtype=out.dtype)
        for _ in range(rounds):
            x = a * x + b
        out[piece] = lanes * x.sum()
