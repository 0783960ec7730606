"""PyTorch in its fastest idiom for steps this small: `autograd.grad` and one `_foreach_add_`, no optimiser class.

The tensors are made once, layers work in place where autograd allows it, ReLU follows the pool (the same result on
a quarter of the numbers), and `ceil_mode` pools to the edge without a padded copy. Forward and loss, and with them the
backward pass, are tried under `torch.compile` too, which needs a C++ compiler.
"""

import os

# By default compilation starts other processes, which would still run while others are timed.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import torch
from torch.nn import functional


class Peer:
    """See bench.peers."""

    @staticmethod
    def variants(network) -> list[dict]:
        """Return the choices to try."""
        if not network[0].startswith("conv"):
            return [{}, {"compiled": True}]
        layouts = ("NCHW", "channels_last")
        return [{"layout": layout, "compiled": compiled} for compiled in (False, True) for layout in layouts]

    @staticmethod
    def versions() -> dict:
        """Return what the figures depend on."""
        return {"torch": torch.__version__, "mkldnn": torch.backends.mkldnn.is_available()}

    def __init__(self, network, tensors, threads, layout="", compiled=False):
        torch.set_num_threads(threads)
        self.words = network
        self.format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        self.channels_last = layout == "channels_last"
        self.initial = []
        channels = 0
        for name, array in tensors.items():
            tensor = torch.from_numpy(array.copy())
            if tensor.ndim == 4:  # (3, 3, C, OC) -> (OC, C, 3, 3)
                tensor = tensor.permute(3, 2, 0, 1).contiguous(memory_format=self.format)
                channels = array.shape[3]
            elif tensor.ndim == 3:  # a bias per position, (H, W, OC) -> (1, OC, H, W)
                tensor = tensor.permute(2, 0, 1)[None].contiguous(memory_format=self.format)
            elif name == "dense1.weight" and channels and not self.channels_last:  # rows (H*W, C) -> (C, H*W)
                tensor = tensor.reshape(-1, channels, tensor.shape[1]).permute(1, 0, 2).reshape(tensor.shape)
            self.initial.append(tensor.contiguous() if tensor.ndim < 4 else tensor)
        self.params = [tensor.clone().requires_grad_() for tensor in self.initial]
        self.detail = " ".join(word for word in (layout, "compiled" * compiled) if word)
        torch.compiler.reset()
        # Static shapes: each batch size is compiled for itself.
        self._loss = torch.compile(self._mean_loss, dynamic=False) if compiled else self._mean_loss
        self._logits = torch.compile(self._forward, dynamic=False) if compiled else self._forward

    def load(self, images, targets, batch):
        """Divide by 255 and lay the images out ahead of time."""
        x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        self.x = x.contiguous(memory_format=self.format) if self.words[0].startswith("conv") else x.flatten(1)
        self.targets = torch.from_numpy(targets).long()

    def reset(self):
        """Go back to the initial weights."""
        with torch.no_grad():
            torch._foreach_copy_(self.params, self.initial)

    def _forward(self, x):
        params = iter(self.params)
        last = len(self.words) - 1
        for place, word in enumerate(self.words):
            if word == "pool":
                x = functional.max_pool2d(x, 3, 2, ceil_mode=True).relu_()
            elif word.startswith("conv"):
                x = functional.conv2d(x, next(params), padding=1).add_(next(params))
                if self.words[place + 1] != "pool":
                    x = x.relu_()
            else:
                if x.ndim == 4:
                    x = (x.permute(0, 2, 3, 1) if self.channels_last else x).flatten(1)
                weight, bias = next(params), next(params)
                x = torch.addmm(bias, x, weight)
                if place < last:
                    x = x.relu_()
        return x

    def _mean_loss(self, x, targets):
        return functional.cross_entropy(self._forward(x), targets)

    def train(self, steps, batch, lr):
        """Take SGD steps; return the loss before each."""
        losses = []
        for step in range(steps):
            part = slice(step * batch, (step + 1) * batch)
            loss = self._loss(self.x[part], self.targets[part])
            gradients = torch.autograd.grad(loss, self.params)
            with torch.no_grad():
                torch._foreach_add_(self.params, gradients, alpha=-lr)
            losses.append(loss.detach())
        return torch.stack(losses).numpy()

    def predict(self, images, batch):
        """Return logits in batches, without a graph."""
        with torch.inference_mode():
            parts = [self._logits(self.x[n : min(n + batch, images)]) for n in range(0, images, batch)]
            return torch.cat(parts).numpy()
