"""The same network in vectorised NumPy, optimised: im2col, one BLAS product per layer and direction.

Images are NHWC in buffers with a border of zeros, where the 3*C values under one row of the filter are adjacent:
the columns are then copied in runs of 3*C. All large arrays are made once. ReLU follows the pool, where there are
a quarter of the numbers.
"""

import numpy as np


class Peer:
    """See bench.peers."""

    @staticmethod
    def versions() -> dict:
        """Return what the figures depend on."""
        build = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {"numpy": np.__version__, "blas": f"{build.get('name', '?')} {build.get('version', '?')}"}

    def __init__(self, network, tensors, threads):
        self.words = network
        self.initial = tensors
        self.params = {name: array.copy() for name, array in tensors.items()}
        self.detail = "im2col" if network[0].startswith("conv") else ""
        self.layers = []

    def load(self, images, targets, batch):
        """Divide by 255 ahead of time and make all buffers for the batch."""
        self.x = images.astype(np.float32) / np.float32(255)
        self.targets = targets.astype(np.int64)
        self.layers = []
        counts = {"conv": 0, "dense": 0}
        extent = images.shape[1:]
        for place, word in enumerate(self.words):
            if word == "pool":
                continue
            kind = word.rstrip("0123456789")
            counts[kind] += 1
            name = f"{kind}{counts[kind]}"
            weight, bias = self.params[f"{name}.weight"], self.params[f"{name}.bias"]
            if kind == "conv":
                pooled = self.words[place + 1] == "pool"
                layer = ConvBlock(batch, extent, weight, bias, pooled, place == 0)
                extent = layer.out.shape[1:]
            else:
                layer = Dense(weight, bias, place < len(self.words) - 1, place == 0)
            self.layers.append(layer)

    def reset(self):
        """Go back to the initial weights."""
        for name, array in self.params.items():
            array[...] = self.initial[name]

    def train(self, steps, batch, lr):
        """Take SGD steps; return the loss before each."""
        rows = np.arange(batch)
        losses = []
        for step in range(steps):
            part = slice(step * batch, (step + 1) * batch)
            targets = self.targets[part]
            logits = self._forward(self.x[part])
            logits -= logits.max(axis=1, keepdims=True)
            powers = np.exp(logits)
            totals = powers.sum(axis=1, keepdims=True)
            losses.append(float((np.log(totals[:, 0]) - logits[rows, targets]).mean()))
            gradient = powers / totals
            gradient[rows, targets] -= 1
            gradient /= batch
            for layer in reversed(self.layers):
                gradient = layer.backward(gradient)
            for layer in self.layers:
                layer.step(np.float32(lr))
        return losses

    def predict(self, images, batch):
        """Return logits, in batches."""
        return np.concatenate([self._forward(self.x[n : min(n + batch, images)]) for n in range(0, images, batch)])

    def _forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x


class Layer:
    """Parameters with their gradients, and the plain SGD step."""

    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias
        self.grad_weight, self.grad_bias = np.empty_like(weight), np.empty_like(bias)

    def step(self, lr):
        """Subtract lr times the gradient, in place."""
        for param, grad in ((self.weight, self.grad_weight), (self.bias, self.grad_bias)):
            grad *= lr
            param -= grad


class Dense(Layer):
    """x @ weight + bias, and ReLU."""

    def __init__(self, weight, bias, relu, first):
        super().__init__(weight, bias)
        self.relu, self.first = relu, first

    def forward(self, x):
        """Return the layer's output for a batch of any extents."""
        self.extents = x.shape
        self.x = x.reshape(len(x), -1)
        self.out = self.x @ self.weight
        self.out += self.bias
        if self.relu:
            np.maximum(self.out, 0, out=self.out)
        return self.out

    def backward(self, gradient):
        """Return the input's gradient."""
        if self.relu:
            gradient *= self.out > 0
        np.matmul(self.x.T, gradient, out=self.grad_weight)
        gradient.sum(axis=0, out=self.grad_bias)
        return None if self.first else (gradient @ self.weight.T).reshape(self.extents)


class ConvBlock(Layer):
    """Convolution 3x3 with padding 1, bias, max-pool 3x3/2 (or none), ReLU."""

    def __init__(self, batch, extent, weight, bias, pooled, first):
        super().__init__(weight, bias)
        H, W, C = extent
        OC = weight.shape[3]
        self.pooled, self.first = pooled, first
        self.padded = np.zeros((batch, H + 2, W + 2, C), np.float32)
        self.columns = np.empty((batch, H, W, 9 * C), np.float32)
        self.product = np.empty((batch, H, W, OC), np.float32)
        self.grad_columns = None if first else np.empty_like(self.columns)
        self.grad_padded = None if first else np.empty_like(self.padded)
        if pooled:
            # One row and column of -inf at the bottom and right: the padding never wins.
            self.map = np.full((batch, H + 1, W + 1, OC), -np.inf, np.float32)
            self.grad_map = np.empty_like(self.map)
            self.out = np.empty((batch, H // 2, W // 2, OC), np.float32)
        else:
            self.out = np.empty((batch, H, W, OC), np.float32)

    def forward(self, x):
        """Return the block's output; a batch smaller than the buffers uses their first part."""
        N, H, W, C = x.shape
        OC = self.bias.shape[2]
        padded, columns, product = self.padded[:N], self.columns[:N], self.product[:N]
        padded[:, 1:-1, 1:-1] = x
        strides = padded.strides
        windows = np.lib.stride_tricks.as_strided(
            padded, (N, H, W, 3, 3 * C), (*strides[:3], strides[1], strides[3]), writeable=False
        )
        np.copyto(columns.reshape(N, H, W, 3, 3 * C), windows)
        np.matmul(columns.reshape(-1, 9 * C), self.weight.reshape(9 * C, OC), out=product.reshape(-1, OC))
        out = self.out[:N]
        if self.pooled:
            np.add(product, self.bias, out=self.map[:N, :H, :W])
            np.maximum(self._window(self.map, N, 0), self._window(self.map, N, 1), out=out)
            for k in range(2, 9):
                np.maximum(out, self._window(self.map, N, k), out=out)
        else:
            np.add(product, self.bias, out=out)
        return np.maximum(out, 0, out=out)

    def backward(self, gradient):
        """Return the input's gradient."""
        N, H, W, C = (*self.columns.shape[:3], self.padded.shape[3])
        OC = self.bias.shape[2]
        gradient = gradient * (self.out > 0)
        if self.pooled:
            self.grad_map.fill(0)
            free = np.ones(self.out.shape, bool)
            for k in range(9):  # the first of equals wins, so what it took is no longer free
                wins = self._window(self.map, N, k) == self.out
                wins &= free
                free ^= wins
                self._window(self.grad_map, N, k)[...] += gradient * wins
            np.copyto(self.product, self.grad_map[:, :H, :W])
            gradient = self.product
        flat = gradient.reshape(-1, OC)
        np.matmul(self.columns.reshape(-1, 9 * C).T, flat, out=self.grad_weight.reshape(9 * C, OC))
        gradient.sum(axis=0, out=self.grad_bias)
        if self.first:
            return None
        np.matmul(flat, self.weight.reshape(9 * C, OC).T, out=self.grad_columns.reshape(-1, 9 * C))
        self.grad_padded.fill(0)
        for k in range(9):
            i, j = divmod(k, 3)
            self.grad_padded[:, i : i + H, j : j + W] += self.grad_columns[..., k * C : (k + 1) * C]
        return self.grad_padded[:, 1:-1, 1:-1]

    def _window(self, array, N, k):
        """Return the k-th pixel of every pooling window."""
        i, j = divmod(k, 3)
        OH, OW = self.out.shape[1:3]
        return array[:N, i : i + 2 * OH - 1 : 2, j : j + 2 * OW - 1 : 2]
