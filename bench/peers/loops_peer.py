"""The documents' method: plain Python loops over single numbers, image by image, gradient by gradient.

Numbers are Python floats in nested lists, which loops walk faster than NumPy scalars. Nothing is skipped and nothing
is clever; this is the mathematics as one writes it down first.
"""

import math
import platform


class Peer:
    """See bench.peers."""

    @staticmethod
    def versions() -> dict:
        """Return what the figures depend on."""
        return {"python": platform.python_version()}

    def __init__(self, network, tensors, threads):
        self.words = network
        self.tensors = tensors
        self.detail = "float64"

    def load(self, images, targets, batch):
        """Keep the images as they are; one image at a time becomes a list."""
        self.images, self.targets = images, targets

    def reset(self):
        """Go back to the initial weights."""
        self.weights = {name: array.tolist() for name, array in self.tensors.items()}

    def train(self, steps, batch, lr):
        """Take SGD steps of one image each."""
        if batch != 1:
            raise ValueError("the documents' loops learn from one image at a time")
        return [self._step(self.images[step], int(self.targets[step]), lr) for step in range(steps)]

    def predict(self, images, batch):
        """Return logits, image by image."""
        return [self._forward(self.images[n])[0] for n in range(images)]

    def _forward(self, image):
        x = [[[pixel / 255 for pixel in column] for column in row] for row in image.tolist()]
        caches, counts = [], {"conv": 0, "dense": 0}
        last = len(self.words) - 1
        for place, word in enumerate(self.words):
            if word == "pool":
                x, winners = max_pool_forward(x)
                caches.append(("pool", winners, None))
                continue
            kind = word.rstrip("0123456789")
            counts[kind] += 1
            name = f"{kind}{counts[kind]}"
            weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
            if kind == "conv":
                caches.append((name, x, (len(x), len(x[0]))))
                x = conv_forward(x, weight, bias)
                x = [[[max(value, 0.0) for value in column] for column in row] for row in x]
            else:
                if isinstance(x[0], list):
                    x = [value for row in x for column in row for value in column]
                caches.append((name, x, None))
                x = dense_forward(x, weight, bias)
                if place < last:
                    x = [max(value, 0.0) for value in x]
            caches.append(("relu", x, None))
        caches.pop()  # no ReLU after the logits
        return x, caches

    def _step(self, image, target, lr):
        logits, caches = self._forward(image)
        top = max(logits)
        powers = [math.exp(value - top) for value in logits]
        total = sum(powers)
        gradient = [power / total - (k == target) for k, power in enumerate(powers)]
        loss = math.log(total) - (logits[target] - top)
        first = True
        for place in range(len(caches) - 1, -1, -1):
            name, x, extent = caches[place]
            first = place == 0
            if name == "relu":
                gradient = relu_backward(x, gradient)
            elif name == "pool":
                gradient = max_pool_backward(x, gradient)
            else:
                weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
                if extent is not None:
                    gradient = conv_backward(x, weight, bias, gradient, lr, first)
                else:
                    gradient = dense_backward(x, weight, bias, gradient, lr)
        return loss


def conv_forward(x, weight, bias):
    """out[y][x][o] = bias[y][x][o] + the sum over the 3x3 window, zeros outside the image."""
    H, W, C, OC = len(x), len(x[0]), len(x[0][0]), len(weight[0][0][0])
    out = []
    for y in range(H):
        row = []
        for w in range(W):
            totals = list(bias[y][w])
            for i in range(3):
                for j in range(3):
                    if 0 <= y + i - 1 < H and 0 <= w + j - 1 < W:
                        pixel = x[y + i - 1][w + j - 1]
                        taps = weight[i][j]
                        for c in range(C):
                            for o in range(OC):
                                totals[o] += pixel[c] * taps[c][o]
            row.append(totals)
        out.append(row)
    return out


def conv_backward(x, weight, bias, gradient, lr, first):
    """Update weight and bias; return the input's gradient, but for the first layer."""
    H, W, C, OC = len(x), len(x[0]), len(x[0][0]), len(weight[0][0][0])
    grad_weight = [[[[0.0] * OC for _ in range(C)] for _ in range(3)] for _ in range(3)]
    grad_x = [[[0.0] * C for _ in range(W)] for _ in range(H)]
    for y in range(H):
        for w in range(W):
            grad = gradient[y][w]
            for i in range(3):
                for j in range(3):
                    if 0 <= y + i - 1 < H and 0 <= w + j - 1 < W:
                        pixel, grad_pixel = x[y + i - 1][w + j - 1], grad_x[y + i - 1][w + j - 1]
                        taps, grad_taps = weight[i][j], grad_weight[i][j]
                        for c in range(C):
                            for o in range(OC):
                                grad_taps[c][o] += pixel[c] * grad[o]
                            if not first:
                                for o in range(OC):
                                    grad_pixel[c] += taps[c][o] * grad[o]
    for y in range(H):
        for w in range(W):
            for o in range(OC):
                bias[y][w][o] -= lr * gradient[y][w][o]
    for i in range(3):
        for j in range(3):
            for c in range(C):
                for o in range(OC):
                    weight[i][j][c][o] -= lr * grad_weight[i][j][c][o]
    return grad_x


def max_pool_forward(x):
    """Take the largest of each 3x3 window, stride 2, cut off at the bottom and right; the first of equals wins."""
    H, W, C = len(x), len(x[0]), len(x[0][0])
    out = [[[0.0] * C for _ in range(W // 2)] for _ in range(H // 2)]
    winners = [[[(0, 0)] * C for _ in range(W // 2)] for _ in range(H // 2)]
    for y in range(H // 2):
        for w in range(W // 2):
            for c in range(C):
                best, place = -math.inf, (0, 0)
                for i in range(2 * y, min(2 * y + 3, H)):
                    for j in range(2 * w, min(2 * w + 3, W)):
                        if x[i][j][c] > best:
                            best, place = x[i][j][c], (i, j)
                out[y][w][c] = best
                winners[y][w][c] = place
    return out, (winners, H, W)


def max_pool_backward(cache, gradient):
    """Add each window's gradient to its winner."""
    winners, H, W = cache
    if not isinstance(gradient[0], list):
        gradient = shaped(gradient, len(winners), len(winners[0]))
    grad_x = [[[0.0] * len(winners[0][0]) for _ in range(W)] for _ in range(H)]
    for y, row in enumerate(winners):
        for w, column in enumerate(row):
            for c, (i, j) in enumerate(column):
                grad_x[i][j][c] += gradient[y][w][c]
    return grad_x


def dense_forward(x, weight, bias):
    """out[k] = bias[k] + sum_d x[d] * weight[d][k]"""
    out = list(bias)
    for d in range(len(x)):
        row = weight[d]
        for k in range(len(out)):
            out[k] += x[d] * row[k]
    return out


def dense_backward(x, weight, bias, gradient, lr):
    """Update weight and bias; return the input's gradient."""
    grad_x = [0.0] * len(x)
    for d in range(len(x)):
        row = weight[d]
        for k in range(len(gradient)):
            grad_x[d] += row[k] * gradient[k]
            row[k] -= lr * x[d] * gradient[k]
    for k in range(len(bias)):
        bias[k] -= lr * gradient[k]
    return grad_x


def relu_backward(out, gradient):
    """Let the gradient through where the output is above 0."""
    if not isinstance(out[0], list):
        return [g if value > 0 else 0.0 for value, g in zip(out, gradient)]
    if not isinstance(gradient[0], list):
        gradient = shaped(gradient, len(out), len(out[0]))
    return [
        [[g if value > 0 else 0.0 for value, g in zip(*pixel)] for pixel in zip(*rows)] for rows in zip(out, gradient)
    ]


def shaped(values, height, width):
    """Return a flat list as rows of pixels of channels."""
    C = len(values) // (height * width)
    pixels = [values[n : n + C] for n in range(0, len(values), C)]
    return [pixels[y * width : (y + 1) * width] for y in range(height)]
