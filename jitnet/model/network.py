"""A network with its parameters: named views of one arena, the calls into the kernels, and nothing about training."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from jitnet.errors import InputError
from jitnet.kernels.table import CROSS_ENTROPY, MSE
from jitnet.machine import memory, threads
from jitnet.model import architecture, inference, initial_weights, memory_plan
from jitnet.model.architecture import Dense, Layer, Shape
from jitnet.model.kernel_choice import BATCH, PER_SAMPLE, kernels_for
from jitnet.model.optimizer import Optimizer, is_fused
from jitnet.model.simple_kernels import SimpleKernels

PART = 512  # images of one call of training: a larger batch sums its gradient over several, to bound memory and time

_COPIES = 5  # of the parameters, at least: they, their gradients, and three while a checkpoint is saved

# The kernels are imported when they are called: numba takes half a second, and no command but these needs it.

LOSSES = {"cross-entropy": CROSS_ENTROPY, "mse": MSE}


@contextlib.contextmanager
def _inside_kernels() -> Iterator[None]:
    from jitnet.kernels.compiler.thread_pool import exclusive

    with exclusive():
        yield


class Network:
    """A network's shapes and parameters.

    Parameters
    ----------
    layers : tuple of Conv, Pool and Dense, the output layer included
    image : (height, width, channels) of one image
    bias : "position", one per output position and channel of a conv, or "channel"
    dtype : numpy.float32, or numpy.float64 to check gradients
    loss : "cross-entropy" or "mse", of the softmax if it is trained on labels, of its outputs if on numbers
    kernels : "fast", or "simple" for the step of kernels/step.py, which has what the fast kernels lack
    dropout : chance that an output of a hidden dense layer is dropped in training
    seed : of the dropout
    label_smoothing : share of each label that all classes get alike in training

    Raises
    ------
    InputError
        If the layers do not fit the image, or no layer could drop outputs.

    Examples
    --------
    >>> from jitnet.model.architecture import CNN
    >>> Network(CNN, (28, 28, 1)).params.size
    359846
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        image: tuple[int, int, int],
        bias: str = "position",
        dtype: type = np.float32,
        loss: str = "cross-entropy",
        kernels: str = "fast",
        dropout: float = 0.0,
        seed: int = 0,
        label_smoothing: float = 0.0,
    ):
        self.layers, self.image, self.bias = layers, image, bias
        self.dtype, self.loss = dtype, loss
        self.shapes: tuple[Shape, ...] = architecture.shapes(layers, image, bias)
        self.dropout, self.seed, self.label_smoothing = dropout, seed, label_smoothing
        if dropout and not any(isinstance(layer, Dense) for layer in layers[:-1]):
            raise InputError(
                f"the dropout is {dropout:g}, but {architecture.to_text(layers)!r} has no hidden dense layer, whose "
                "outputs it would drop: expected one, as in 'conv16 pool dense100', or a dropout of 0"
            )
        self.kernels = kernels_for(self.shapes, kernels, dropout)
        count = architecture.parameter_count(self.shapes)
        memory.require(
            _COPIES * count * np.dtype(dtype).itemsize,
            f"the network {architecture.to_text(layers)!r} of {count:,} parameters",
        )
        self.params = memory_plan.aligned_zeros(count, dtype)
        self._workspaces: dict[str, memory_plan.Workspace] = {}  # by driver
        self._workspace: memory_plan.Workspace | None = None  # the last used
        self._simple: SimpleKernels | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle keeps: no buffers, which are made again."""
        return self.__dict__ | {"_workspaces": {}, "_workspace": None, "_simple": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the parameters as an array that kernels may write: a pickle may be mapped from a file, read-only."""
        self.__dict__.update(state)
        self.params = memory_plan.aligned_zeros(state["params"].size, self.dtype)
        self.params[:] = state["params"]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.shapes[-1].outputs[0]

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the parameters by name, `conv1.weight` (3, 3, C, OC) and so on, as views: writing changes them."""
        return memory_plan.tensors_of(self.shapes, self.params)

    def load_tensors(self, tensors: dict[str, np.ndarray], where: str) -> None:
        """Copy parameters in by name; raises `InputError` if `where` holds those of another network."""
        own = self.tensors()
        for name, array in own.items():
            given = tensors.get(name)
            if given is None or given.shape != array.shape or given.dtype != array.dtype:
                found = "nothing" if given is None else f"{given.dtype} {given.shape}"
                raise InputError(
                    f"{where} was made by another network: for {name} it has {found}, expected "
                    f"{array.dtype} {array.shape}; use a run of the network {architecture.to_text(self.layers)!r}"
                )
        for name, array in own.items():
            array[...] = tensors[name]

    def initialise(self, scheme: str, seed: int) -> None:
        """Draw weights and set biases to 0; see `initial_weights.draw`."""
        initial_weights.draw(self.tensors(), scheme, seed)

    def workspace(self, images: int, driver: str = BATCH) -> memory_plan.Workspace:
        """Return a driver's buffers for batches of up to `images` images, kept from call to call."""
        if driver not in self._workspaces or self._workspaces[driver].images < images:
            self.use(memory_plan.build(self.shapes, images, threads.count(), self.dtype, driver), driver)
        self._workspace = self._workspaces[driver]
        return self._workspace

    def use(self, space: memory_plan.Workspace, driver: str = BATCH) -> None:
        """Compute in a workspace that memory_plan.build made for this network, from the driver's next call on."""
        space.plan["loss"], space.plan["smoothing"] = LOSSES[self.loss], self.label_smoothing
        self._workspaces[driver] = self._workspace = space

    def simple(self, images: int) -> SimpleKernels:
        """Return the simple kernels with buffers for batches of up to `images` images, kept from call to call."""
        if self._simple is None or self._simple.images < images:
            loss, drop = (LOSSES[self.loss], self.label_smoothing), (self.dropout, self.seed)
            self._simple = SimpleKernels(self.shapes, self.params, loss, images, *drop)
        return self._simple

    def reserve(self, images: int) -> None:
        """Make the buffers for batches of up to `images` images; raises `InputError` if they do not fit in memory."""
        if self.kernels == "simple":
            self.simple(images)
        else:
            self.workspace(images)

    def per_sample_arguments(self, images, targets, order, lrs, losses, totals) -> tuple:
        """Return the arguments of the kernel `train_per_sample`."""
        space = self.workspace(1, PER_SAMPLE)
        buffers = (self.params, space.work, space.argmax, space.rows, space.counts, space.barrier)
        return (space.layers, space.plan, *buffers, *self._read(images, targets), order, lrs, losses, totals)

    def minibatch_arguments(
        self, images, targets, order, batch_size, lrs, losses, totals, optimizer: Optimizer | None = None
    ) -> tuple:
        """Return the arguments of the kernel `train_minibatch`."""
        space = self.workspace(batch_size)
        optimizer = optimizer or self.plain_optimizer()
        state = (optimizer.rule, self.params, optimizer.first, optimizer.second, optimizer.taken)
        buffers = (space.layers, space.plan, *state, space.work, space.argmax)
        return (*buffers, *self._read(images, targets), order, batch_size, lrs, losses, np.empty(batch_size), totals)

    def accumulate_arguments(self, images, targets, part, scale, grad) -> tuple:
        """Return the arguments of the kernel `accumulate_gradient`."""
        space = self.workspace(len(part))
        buffers = (space.layers, space.plan, self.params, space.work, space.argmax)
        return (*buffers, *self._read(images, targets), part, scale, np.empty(len(part)), grad)

    def plain_optimizer(self) -> Optimizer:
        """Return SGD, ready for this network."""
        optimizer = Optimizer()
        optimizer.start(self.params)
        return optimizer

    def train_steps(
        self,
        images: np.ndarray,  # (n, H, W, C) uint8 or the network's dtype
        targets: np.ndarray,  # (n,) uint8, or (n, K) numbers of the network's dtype
        order: np.ndarray,  # int64, the images of all steps in turn
        batch_size: int,
        lrs: np.ndarray,  # (steps,) float64
        totals: np.ndarray,  # (1,) float64, the sum of losses is continued here
        optimizer: Optimizer | None = None,  # SGD unless given
    ) -> tuple[int, np.ndarray]:
        """Take len(lrs) steps; return how many were finite (-1: a parameter is not), and each one's loss."""
        losses = np.zeros(len(lrs))
        with _inside_kernels():
            if self.kernels == "simple":
                data, rule = self._read(images, targets), optimizer or self.plain_optimizer()
                done = self.simple(batch_size).train(rule, *data, order, batch_size, lrs, losses, totals)
            elif is_fused(batch_size, optimizer):
                from jitnet.kernels.fast.per_sample import train_per_sample

                done = train_per_sample(*self.per_sample_arguments(images, targets, order, lrs, losses, totals))
            else:
                from jitnet.kernels.fast.batch import train_minibatch

                done = train_minibatch(
                    *self.minibatch_arguments(images, targets, order, batch_size, lrs, losses, totals, optimizer)
                )
        if optimizer is not None:
            optimizer.taken += len(lrs)
        return done, losses

    def accumulate(
        self,
        images: np.ndarray,  # (n, H, W, C) uint8 or the network's dtype
        targets: np.ndarray,  # (n,) uint8
        part: np.ndarray,  # int64, some images of a batch
        scale: float,  # of the sum over the batch: 1 / its images for the mean
        grad: np.ndarray,  # like params, added to
        update: int = 0,  # updates so far: what the dropout depends on
    ) -> float:
        """Add a part's share of the gradient of a large batch; return the sum of the part's losses."""
        with _inside_kernels():
            if self.kernels == "simple":
                data, simple = self._read(images, targets), self.simple(len(part))
                return simple.add_gradient(grad, *data, part, self.dtype(scale), update)
            from jitnet.kernels.fast.batch import accumulate_gradient

            return accumulate_gradient(*self.accumulate_arguments(images, targets, part, scale, grad))

    def descend(self, grad: np.ndarray, lr: float, optimizer: Optimizer) -> bool:
        """Take one step; return whether all parameters and the optimiser's state are finite."""
        from jitnet.kernels.layers.optimizer import optimizer_step

        optimizer.taken += 1
        with _inside_kernels():
            optimizer_step(*self.step_arguments(grad, lr, optimizer))
        return all(bool(np.isfinite(part).all()) for part in (self.params, optimizer.first, optimizer.second))

    def step_arguments(self, grad: np.ndarray, lr: float, optimizer: Optimizer) -> tuple:
        """Return the arguments of the kernel `optimizer_step`."""
        return (optimizer.rule, self.params, grad, optimizer.first, optimizer.second, lr, optimizer.taken)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the scores (n, classes) of images (n, H, W, C), uint8 or the network's dtype."""
        out: np.ndarray = np.empty((len(images), self.classes), self.dtype)
        size = inference.images_of_call(self)
        for start in range(0, len(images), size):
            self.logits_of(images, start, out[start : start + size])
        return out

    def logits_of(self, images: np.ndarray, start: int, out: np.ndarray) -> None:
        """Write the scores of len(out) images from `start` on, in one compiled call."""
        images, order = images[start : start + len(out)], np.arange(len(out))
        with _inside_kernels():
            if self.kernels == "simple":
                return self.simple(len(order)).predict(images, self.divisor(images), order, out)
            inference.predict(self, images, order, out)

    def not_finite(self) -> str:
        """Return the first tensor that is not finite, or else the first layer whose outputs just now are not."""
        for name, array in self.tensors().items():
            if not np.isfinite(array).all():
                return name
        names = [shape.name for shape in self.shapes if shape.weight]
        for name, out in zip(names, self._last_outputs()):
            if not np.isfinite(out).all():
                return f"{name}'s outputs"
        return ""

    def _last_outputs(self) -> Iterator[np.ndarray]:
        """Yield what each layer with parameters put out last."""
        space = self._workspace
        if self._simple is not None:
            yield from self._simple.outputs()
        elif space is not None:
            yield from space.outputs()

    def _read(self, images: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.floating, np.ndarray]:
        return memory_plan.read_only(images), self.divisor(images), memory_plan.read_only(targets)

    def divisor(self, images: np.ndarray) -> np.floating:
        """Bytes are scaled to 0..1 inside the model, as in the documents; floats are taken as they are."""
        return np.dtype(self.dtype).type(255 if images.dtype == np.uint8 else 1)
