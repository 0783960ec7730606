"""Networks as PyTorch modules, and PyTorch modules as networks: `to_torch` and `from_torch`.

jitnet's images are (n, H, W, C); a module takes (n, C, H, W), as PyTorch's do.
"""

import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.estimators.api import CNN, MLP, estimator_of
from jitnet.export.chain import Chain, UnsupportedError, require
from jitnet.model.architecture import Conv, Pool
from jitnet.model.build import network_of
from jitnet.model.network import Network
from jitnet.run.trained import Trained
from jitnet.storage import foreign_weights
from jitnet.storage.metadata import Description
from jitnet.training.position import Position

try:
    import torch
    from torch import fx, nn
    from torch.nn import functional
except ImportError:
    raise ImportError("jitnet.integrations.torch needs PyTorch: pip install 'jitnet[torch]'") from None

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
}
POOLS: dict[str, type[nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
_KEPT = {"identity", "dropout", "dropout1d", "dropout2d", "alpha_dropout", "contiguous", "detach", "pixels"}
_ENDS = {"softmax", "log_softmax"}
_LENGTHS = {"size", "getattr", "getitem"}  # how a program finds out the length of a batch
# Modules whose functions are not called as they are, in lower case.
_FUNCTIONS = {
    "LeakyReLU": "leaky_relu",
    "MaxPool2d": "max_pool2d",
    "AvgPool2d": "avg_pool2d",
    "LogSoftmax": "log_softmax",
    "AlphaDropout": "alpha_dropout",
}
# What calls are given, after the input, and modules have as attributes.
_ARGUMENTS = {
    "conv2d": ("stride", "padding", "dilation", "groups", "padding_mode"),
    "max_pool2d": ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "avg_pool2d": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "leaky_relu": ("negative_slope",),
    "gelu": ("approximate",),
    "flatten": ("start_dim",),
}


class Pixels(nn.Module):
    """Bytes divided by 255; floats as they are."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return float32 or float64 of the same shape."""
        return x if x.is_floating_point() else x.float() / 255


class PositionConv(nn.Module):
    """A convolution 3x3 with a bias per output position and channel: weight (OC, C, 3, 3), bias (OC, H, W)."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor):
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (n, OC, H, W) of x (n, C, H, W)."""
        return functional.conv2d(x, self.weight, padding=1) + self.bias


def to_torch(model: CNN | MLP | Network) -> nn.Sequential:
    """Return a fitted estimator, or a network, as a module in evaluation mode.

    It takes (n, C, H, W), uint8 that it divides by 255 or floats as they are, and returns logits (n, classes). Its
    parameters are a copy, called as jitnet's are: `conv1.weight`, `dense1.bias`. A file of its `state_dict()` can be
    read by `jitnet import weights`.
    """
    network = model if isinstance(model, Network) else model.network_
    tensors = {name: torch.from_numpy(array.copy()) for name, array in network.tensors().items()}
    modules: dict[str, nn.Module] = {"pixels": Pixels()}
    extents: tuple[int, ...] = network.image
    for place, shape in enumerate(network.shapes):
        name, layer = shape.name, shape.layer
        if isinstance(layer, Pool):
            modules[name] = POOLS[layer.kind](3, 2, ceil_mode=True)
            extents = shape.outputs
            continue
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        if isinstance(layer, Conv):
            modules[name] = _conv(weight.permute(3, 2, 0, 1).contiguous(), bias.permute(2, 0, 1).contiguous())
        else:
            if len(extents) == 3:
                H, W, C = extents
                modules["flatten"] = nn.Flatten()
                weight = weight.reshape(H, W, C, -1).permute(2, 0, 1, 3).reshape(H * W * C, -1)
            modules[name] = _filled(nn.Linear(*weight.shape), weight.T, bias)
        if layer.activation != "linear" and place < len(network.shapes) - 1:
            modules[f"{name}_{layer.activation}"] = ACTIVATIONS[layer.activation]()
        extents = shape.outputs
    built = nn.Sequential()
    for name, module in modules.items():
        built.add_module(name, module)
    return built.eval()


def _conv(weight: torch.Tensor, bias: torch.Tensor) -> nn.Module:
    """Return a convolution with the weight (OC, C, 3, 3) and the bias (OC, H, W) or (OC, 1, 1)."""
    if bias.shape[1:] != (1, 1):
        return PositionConv(weight, bias)
    return _filled(nn.Conv2d(weight.shape[1], len(weight), 3, padding=1), weight, bias.reshape(-1))


def _filled(module: nn.Module, weight: torch.Tensor, bias: torch.Tensor) -> nn.Module:
    with torch.no_grad():
        module.weight.copy_(weight)
        module.bias.copy_(bias)
    return module


def from_torch(
    module: nn.Module, image: tuple[int, int, int] = (28, 28, 1), classes: Sequence[Any] = range(10)
) -> CNN | MLP:
    """Return a module as an estimator that can predict, be trained further by `partial_fit`, and be saved.

    Parameters
    ----------
    module : layers that jitnet has, one after the other, in an `nn.Sequential` or any other module that
        `torch.fx.symbolic_trace` can follow. Dropout is omitted, and so is a softmax at the end: `predict_proba` has it
    image : (height, width, channels) that it takes
    classes : the labels (n,) of its outputs

    Raises
    ------
    InputError : it has another layer, which the error names, or other images or classes
    """
    where = f"the module {type(module).__name__}"
    chain = _followed(module, where)
    try:
        outputs = chain.outputs
    except UnsupportedError as error:
        raise InputError(f"{where} {error}: expected layers as `jitnet train --arch` has") from None
    if outputs != len(classes):
        raise InputError(f"{where} has {outputs} outputs: expected {len(classes)}, one per class")
    settings = Settings(network=chain.network, architecture=chain.hidden, bias=chain.bias)
    network = network_of(settings, image, outputs)
    tensors, _ = foreign_weights.convert(network, chain.tensors, {}, "torch", where)
    network.load_tensors(tensors, where)
    described = Description(settings=settings, image=image, labels=np.asarray(classes))
    found = estimator_of(Trained(Path(where), network, described, tensors, Position(0), {}, []))
    assert isinstance(found, CNN | MLP)
    return found


class _Tracer(fx.Tracer):
    """Looks into all modules but PyTorch's and those above."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Pixels | PositionConv) or super().is_leaf_module(m, module_qualified_name)


def _followed(module: nn.Module, where: str) -> Chain:
    """Return a module's layers; raises `InputError` for the first that jitnet lacks."""
    try:
        nodes = list(_Tracer().trace(module).nodes)
    except Exception as error:  # a program's own code fails in any way when it is given no numbers
        raise InputError(f"{where} cannot be followed ({str(error).splitlines()[0]}): give an nn.Sequential") from None
    chain, at, ended = Chain(), nodes[0], False
    modules = dict(module.named_modules())
    for node in nodes[1:]:
        if node.op == "output" or node.op == "get_attr":
            continue
        try:
            name, given = _call(node, modules)
            if name in _LENGTHS and node.users and at not in node.users:
                continue
            if ended or node.op == "placeholder" or at not in node.all_input_nodes:
                raise UnsupportedError("is not part of a chain of layers from the images to the outputs")
            ended = name in _ENDS
            if not ended:
                _take(chain, name, given, node, module)
        except UnsupportedError as error:
            raise InputError(f"{where} cannot be imported: {node.name!r}, {node.target}, {error}") from None
        at = node
    return chain


def _call(node: fx.Node, modules: dict[str, nn.Module]) -> tuple[str, dict[str, Any]]:
    """Return what a node computes, called as in torch.nn.functional, and its arguments."""
    if node.op == "call_module":
        module = modules[str(node.target)]
        kind = type(module).__name__
        name = _FUNCTIONS.get(kind, kind.lower())
        return name, {each: getattr(module, each) for each in _ARGUMENTS.get(name, ())} | {"module": module}
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    name = name.removesuffix("_")  # in place
    return name, dict(zip(_ARGUMENTS.get(name, ()), node.args[1:])) | node.kwargs


def _take(chain: Chain, name: str, given: dict[str, Any], node: fx.Node, root: nn.Module) -> None:
    """Add what a node computes to the chain; raises `UnsupportedError`."""
    module = given.pop("module", None)
    given = {key: _square(value) for key, value in given.items()}
    if name in _KEPT:
        return
    if name.replace("_", "-") in ACTIVATIONS:
        require(given, {"negative_slope": 0.01, "approximate": "none"}, {})
        chain.activate(name.replace("_", "-"))
    elif name in ("flatten", "view", "reshape"):
        require(given, {}, {"start_dim": 1} if name == "flatten" else {})
    elif name in ("max_pool2d", "avg_pool2d"):
        usual = {"padding": 0, "dilation": 1, "divisor_override": None}
        require(given, usual, {"kernel_size": 3, "stride": 2, "ceil_mode": True})
        chain.pool("max" if name == "max_pool2d" else "average")
    elif name == "conv2d" and module is not None:
        given["padding"] = 1 if given["padding"] == "same" else given["padding"]
        require(given, {}, {"stride": 1, "padding": 1, "dilation": 1, "groups": 1, "padding_mode": "zeros"})
        chain.conv(*_parameters(module))
    elif name == "positionconv":
        chain.conv(*_parameters(module))
    elif name == "linear" and module is not None:
        chain.dense(*_parameters(module))
    elif name == "add":
        (other,) = [each for each in node.all_input_nodes if each.op == "get_attr"] or [None]
        if other is None:
            raise UnsupportedError("adds what is not a parameter")
        require(given, {"alpha": 1}, {})
        chain.add_bias(_array(operator.attrgetter(str(other.target))(root)))
    else:
        raise UnsupportedError("is a layer that jitnet lacks")


def _parameters(module: Any) -> tuple[np.ndarray, np.ndarray | None]:
    return _array(module.weight), None if module.bias is None else _array(module.bias)


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().float().numpy()


def _square(value: Any) -> Any:
    """Return one number for two equal ones."""
    return value[0] if isinstance(value, tuple | list) and len(set(value)) == 1 else value
