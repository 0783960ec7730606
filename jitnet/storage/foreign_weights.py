"""Parameters of other programs: converts the tensors of a PyTorch or Keras model of the same shape.

The order of the axes differs. jitnet has (3, 3, in, out) for a convolution and (in, out) for a dense layer, whose
inputs after a convolution are counted pixel by pixel, as Keras has. PyTorch has (out, in, 3, 3) and (out, in), and
counts channel by channel. `jitnet export weights` writes PyTorch's order of axes and jitnet's order of inputs.
"""

import math

import numpy as np

from jitnet.errors import InputError
from jitnet.model.network import Network
from jitnet.storage.checkpoint import Metadata, Tensors
from jitnet.storage.layouts import AUTO, LAYOUTS

NOTHING = "none"  # in place of a name: the other model has no such bias

_ENDINGS = {"weight": (".weight", ".kernel", "/kernel", "/kernel:0"), "bias": (".bias", "/bias", "/bias:0")}
_FORMATS = {"pt": "torch", "tf": "keras", "flax": "keras"}  # of the safetensors library


def import_tensors(
    network: Network,
    theirs: Tensors,
    found: Metadata,
    names: dict[str, str],
    layout: str,
    where: str,
) -> tuple[Tensors, list[str]]:
    """Return a network's tensors from those of a file, and the names of those that were not needed.

    Parameters
    ----------
    network : the network that they are for
    theirs : arrays by name, from the file `where`
    found : its metadata, which may state the layout
    names : see `convert`
    layout : one of `LAYOUTS`, or "auto": what the file states, or else the only layout that its shapes allow

    Raises
    ------
    InputError : the layout is ambiguous or not what the file states; and as `convert`
    """
    if layout not in (AUTO, *LAYOUTS):
        raise InputError(f"the layout is {layout!r}: expected one of {', '.join((AUTO, *LAYOUTS))}")
    stated = stated_layout(found)
    if stated and layout not in (AUTO, stated):
        raise InputError(f"{where} states the layout {stated}, but {layout} is given: omit the layout")
    if layout == AUTO:
        layout = stated or _FORMATS.get(found.get("format", ""), "")
    return convert(network, theirs, names, layout or _deduce(network, theirs, names, where), where)


def stated_layout(found: Metadata) -> str:
    """Return the layout that a file's metadata state; "" if another program wrote it."""
    if "layout" in found:
        return "jitnet" if found["layout"] == "out, in" else found["layout"] * (found["layout"] in LAYOUTS)
    return "keras" if "architecture" in found else ""  # checkpoints and saved models have Keras's order


def _deduce(network: Network, theirs: Tensors, names: dict[str, str], where: str) -> str:
    """Return the layout that the shapes allow; raises `InputError` if several give different parameters, or none."""
    results: dict[str, Tensors] = {}
    first: InputError | None = None
    for layout in LAYOUTS:
        try:
            converted, _ = convert(network, theirs, names, layout, where)
        except InputError as error:
            first = first or error
            continue
        if layout != "jitnet" or not _has_flat_conv_bias(network, theirs, names, where):
            results[layout] = converted
    if not results:
        assert first is not None
        raise first
    chosen, *others = results
    for other in others:
        if any(not np.array_equal(results[chosen][name], results[other][name]) for name in results[chosen]):
            raise InputError(
                f"{where} does not state its layout, and its shapes fit {' and '.join(results)}, with different "
                "results: give --layout torch for PyTorch, keras, or jitnet for a file of `jitnet export weights`"
            )
    return chosen


def _has_flat_conv_bias(network: Network, theirs: Tensors, names: dict[str, str], where: str) -> bool:
    """Return whether a conv has a bias with one axis, which `jitnet export weights` never writes."""
    convs = [f"{shape.name}.bias" for shape in network.shapes if len(shape.bias) == 3]
    return any(theirs[source].ndim == 1 for name in convs if (source := _source(name, theirs, names, where)) != NOTHING)


def convert(
    network: Network, theirs: Tensors, names: dict[str, str], layout: str, where: str
) -> tuple[Tensors, list[str]]:
    """Return a network's tensors from those of another program, and the names of those that were not needed.

    Parameters
    ----------
    network : the network that they are for
    theirs : arrays by name, from `where`
    names : ours to theirs, of layers, {"conv1": "features.0"}, or of tensors, {"conv1.bias": "shift"}; others have the
        same name in both; "none" stands for a bias of zeros
    layout : of `LAYOUTS`, the order of their axes

    Raises
    ------
    InputError : an unknown name on either side, or a shape that does not fit
    """
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
        with np.errstate(over="ignore"):  # it is refused below
            tensor = _converted(network, name, theirs[source], layout)
        if tensor is None or not np.isfinite(tensor).all():
            if tensor is None:
                what = f"{theirs[source].dtype} {theirs[source].shape}"
            elif np.isfinite(theirs[source]).all():
                what = f"a number too large for {tensor.dtype}"
            else:
                what = "a value that is not finite"
            wanted = f"what becomes {name} {array.shape}, in the layout of {layout}"
            others = [
                form
                for form in LAYOUTS
                if tensor is None and _converted(network, name, theirs[source], form) is not None
            ]
            hint = f"; it fits in that of {' or '.join(others)}" if others else ""
            raise InputError(f"{where} has {what} as {source!r}: expected {wanted}{hint}")
        converted[name] = tensor
    return converted, sorted(theirs.keys() - used)


def _source(name: str, theirs: Tensors, names: dict[str, str], where: str) -> str:
    """Return the name that one of our tensors has there."""
    layer, part = name.split(".")
    endings = _ENDINGS[part]
    tried = [names[name]] if name in names else [names.get(layer, layer) + ending for ending in endings]
    found = [other for other in tried if other in theirs or (other == NOTHING and part == "bias")]
    if not found:
        raise InputError(
            f"{where} has no {tried[0]!r} for {name}: it has {', '.join(theirs)}; name it by --map {layer}=THEIRS"
        )
    return found[0]


def _converted(network: Network, name: str, theirs: np.ndarray, layout: str) -> np.ndarray | None:
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
