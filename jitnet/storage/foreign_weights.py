"""Parameters of other programs: the tensors of a PyTorch or Keras model of the same shape, turned into ours.

What differs is the order of axes. Ours are (3, 3, in, out) for a convolution and (in, out) for a dense layer, whose
inputs behind a convolution are counted pixel by pixel. PyTorch has (out, in, 3, 3) and (out, in), and counts channel
by channel.
"""

import math
from pathlib import Path

import numpy as np

from jitnet.data.readers.npy import read_npz
from jitnet.errors import InputError
from jitnet.model.network import Network
from jitnet.storage import checkpoint
from jitnet.storage.checkpoint import Tensors

LAYOUTS = ("torch", "keras", "jitnet")  # jitnet: as `jitnet export weights` writes them
NOTHING = "none"  # in place of a name: the other model has no such bias

_ENDINGS = {"weight": (".weight", ".kernel", "/kernel", "/kernel:0"), "bias": (".bias", "/bias", "/bias:0")}


def read(path: Path) -> Tensors:
    """Return the arrays of a .safetensors or .npz file by name; nothing in it is executed. Raises `InputError`."""
    if path.suffix == ".npz":
        return read_npz(path)
    if path.suffix == ".safetensors":
        return checkpoint.load_foreign(path)
    raise InputError(
        f"{path} cannot be imported: expected a .safetensors or .npz file, from PyTorch by "
        "safetensors.torch.save_file(model.state_dict(), FILE)"
    )


def convert(
    network: Network, theirs: Tensors, names: dict[str, str], layout: str, where: str
) -> tuple[Tensors, list[str]]:
    """Return a network's tensors from those of another program, and the names of those that were not needed.

    Parameters
    ----------
    network : what they are for
    theirs : arrays by name, from `where`
    names : ours to theirs, of layers, {"conv1": "features.0"}, or of tensors, {"conv1.bias": "shift"}; what is not
        named is called as it is here; "none" stands for a bias of zeros
    layout : of `LAYOUTS`, the order of their axes

    Raises
    ------
    InputError : an unknown name on either side, or a shape that does not fit
    """
    if layout not in LAYOUTS:
        raise InputError(f"the layout is {layout!r}: expected one of {', '.join(LAYOUTS)}")
    own = network.tensors()
    known = [*own, *(shape.name for shape in network.shapes if shape.weight)]
    for name in names:
        if name not in known:
            raise InputError(f"the map names {name!r}: expected one of {', '.join(known)}")
    used, converted = set(), {}
    for name, array in own.items():
        source = _source(name, theirs, names, where)
        if source == NOTHING:
            converted[name] = np.zeros_like(array)
            continue
        used.add(source)
        turned = _turned(network, name, theirs[source], layout)
        if turned is None or not np.isfinite(turned).all():
            what = f"{theirs[source].dtype} {theirs[source].shape}" if turned is None else "a value that is not finite"
            wanted = f"what becomes {name} {array.shape}, in the layout of {layout}"
            others = [
                form for form in LAYOUTS if turned is None and _turned(network, name, theirs[source], form) is not None
            ]
            hint = f"; it fits in that of {' or '.join(others)}" if others else ""
            raise InputError(f"{where} has {what} as {source!r}: expected {wanted}{hint}")
        converted[name] = turned
    return converted, sorted(theirs.keys() - used)


def _source(name: str, theirs: Tensors, names: dict[str, str], where: str) -> str:
    """Return what one of our tensors is called there."""
    layer, part = name.split(".")
    endings = _ENDINGS[part]
    tried = [names[name]] if name in names else [names.get(layer, layer) + ending for ending in endings]
    found = [other for other in tried if other in theirs or (other == NOTHING and part == "bias")]
    if not found:
        raise InputError(
            f"{where} has no {tried[0]!r} for {name}: it has {', '.join(theirs)}; name it by --map {layer}=THEIRS"
        )
    return found[0]


def _turned(network: Network, name: str, theirs: np.ndarray, layout: str) -> np.ndarray | None:
    """Return their tensor as ours, or None if it does not fit."""
    place = next(i for i, shape in enumerate(network.shapes) if name.startswith(f"{shape.name}."))
    before = network.shapes[place - 1].outputs if place else network.image
    wanted = network.tensors()[name].shape
    if theirs.dtype.kind != "f":
        return None
    if theirs.ndim == 4 and name.endswith(".bias") and theirs.shape[0] == 1:
        theirs = theirs[0]  # a parameter that its program adds to a batch
    if layout != "keras":
        axes = {2: (1, 0), 3: (1, 2, 0), 4: (2, 3, 1, 0)}.get(theirs.ndim, tuple(range(theirs.ndim)))
        theirs = theirs.transpose(axes)
    if name.endswith(".bias") and len(wanted) == 3:  # of a convolution: one per channel serves every position
        fits = theirs.shape == wanted or theirs.shape in (wanted[2:], (1, 1, *wanted[2:]))
        return np.broadcast_to(theirs, wanted).astype(network.dtype) if fits else None
    if theirs.shape != wanted:
        return None
    if layout == "torch" and name.endswith(".weight") and len(wanted) == 2 and len(before) == 3:
        H, W, C = before
        theirs = theirs.reshape(C, H, W, wanted[1]).transpose(1, 2, 0, 3).reshape(math.prod(before), wanted[1])
    return np.ascontiguousarray(theirs, network.dtype)
