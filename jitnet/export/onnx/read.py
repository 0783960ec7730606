"""The network in an ONNX model, if it is one of the kinds that jitnet has; else the first node that is none."""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jitnet.data.content import read_file
from jitnet.errors import InputError
from jitnet.export.chain import Chain, UnsupportedError, require
from jitnet.export.onnx.preparation import Operation
from jitnet.export.onnx.protobuf import Message, decode
from jitnet.export.onnx.write import ELEMENTS, OPERATORS, POOLS
from jitnet.storage.checkpoint import Metadata

_DTYPES: dict[int, np.dtype] = {number: dtype.newbyteorder("<") for dtype, number in ELEMENTS.items()}
_LISTS = {1: "float_data", 7: "int64_data"}  # where a file may have its numbers in place of raw_data
_ACTIVATIONS = {operator: name for name, (operator, _) in OPERATORS.items()}
_POOLS = {operator: kind for kind, operator in POOLS.items()}
_ELEMENTWISE = ("Cast", "Sub", "Div", "Add", "Mul", "Round", "Clip")
_KEPT = ("Identity", "Dropout")  # they change no prediction
_ENDS = ("Softmax", "LogSoftmax", "ArgMax")  # what may read the outputs
_ORDERS = {(0, 3, 1, 2): "torch", (0, 2, 3, 1): "jitnet"}  # what a transposition leads to


@dataclass
class Imported:
    """What a file holds."""

    chain: Chain
    properties: Metadata  # texts; of a file that jitnet wrote, the metadata of its runs
    before: list[Operation] = field(default_factory=list)  # what each number of the inputs goes through
    after: list[Operation] = field(default_factory=list)  # and each output


def load(path: Path) -> Imported:
    """Read a model; raises `InputError`, which names the first node that is not supported."""
    try:
        path.stat()  # says best why there is none
        message = decode("Model", read_file(path))
        graph = message.get("graph", {})
        constants = {item.get("name", ""): array(item) for item in graph.get("initializer", [])}
        if not graph.get("node"):
            raise ValueError("it has no nodes")
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; check the path") from None
    except (ValueError, struct.error) as error:
        raise InputError(f"{path} is not a usable ONNX file: {error}; export it again") from None
    texts = {item.get("key", ""): item.get("value", "") for item in message.get("metadata_props", [])}
    inputs = [item for item in graph.get("input", []) if item.get("name") not in constants]
    if len(inputs) != 1:
        raise InputError(f"{path} has {len(inputs)} inputs: expected one, for the images")
    found = Imported(Chain(), {name: text for name, text in texts.items() if text.isprintable()})
    reader = _Reader(found, constants, inputs[0], message.get("producer_name") == "jitnet")
    for node in graph["node"]:
        try:
            reader.read(node)
        except UnsupportedError as error:
            what = f"the node {node.get('name') or (node.get('output') or [''])[0]!r}, {node.get('op_type', '')}"
            raise InputError(f"{path} cannot be imported: {what}, {error}") from None
        except ValueError as error:
            raise InputError(f"{path} is not a usable ONNX file: {error}; export it again") from None
    try:
        _ = found.chain.outputs
    except UnsupportedError as error:
        raise InputError(f"{path} holds a network that {error}: expected one as `jitnet train --arch` has") from None
    return found


def array(tensor: Message) -> np.ndarray:
    """Return a constant; raises `ValueError` if it is damaged, in another file or of a type that networks lack."""
    name, extents = tensor.get("name", ""), tensor.get("dims", [])
    number = tensor.get("data_type", 0)
    if tensor.get("data_location"):
        raise ValueError(f"the numbers of {name!r} are in another file: expected one file with all")
    if number not in _DTYPES:
        raise ValueError(f"{name!r} is of the type {number} of ONNX: expected float32")
    raw = tensor.get("raw_data")
    given = np.frombuffer(raw, _DTYPES[number]) if raw is not None else np.array(tensor.get(_LISTS.get(number, ""), []))
    return given.astype(_DTYPES[number].newbyteorder("=")).reshape(extents)


class _Reader:
    """Follows the one tensor that goes through the graph."""

    def __init__(self, found: Imported, constants: dict[str, np.ndarray], source: Message, ours: bool):
        self.found, self.chain, self.constants = found, found.chain, constants
        self.at = source.get("name", "")
        dims = source.get("type", {}).get("tensor_type", {}).get("shape", {}).get("dim", [])
        extents = [dim.get("dim_value", 0) for dim in dims]
        last = ours or (len(extents) == 4 and extents[3] in (1, 3) and extents[1] not in (1, 3))
        self.order = "jitnet" if last else "torch"  # of a map's extents: (H, W, C) or (C, H, W)
        self.ends: set[str] = set()  # the outputs of what may follow the network
        self.scaling = False  # whether the network is over, and its outputs are scaled

    def read(self, node: Message) -> None:
        """Take in one node; raises `UnsupportedError`, or `ValueError` for a damaged one."""
        operator, names = node.get("op_type", ""), [name for name in node.get("input", []) if name]
        attributes = {item.get("name", ""): _value(item) for item in node.get("attribute", [])}
        output = (node.get("output") or [""])[0]
        if operator == "Constant" and isinstance(attributes.get("value"), np.ndarray):
            self.constants[output] = attributes["value"]
            return
        read = [name for name in names if name not in self.constants]
        operands = [self.constants[name] for name in names if name in self.constants]
        if operator in _ENDS and self.chain.layers and set(read) <= {self.at, *self.ends}:
            self.ends.add(output)
            return
        if read != [self.at] or (self.ends and not self.scaling):
            raise UnsupportedError("is not part of a chain of layers from the images to the outputs")
        self._take(operator, attributes, operands, first=names[0] == self.at)
        self.at = output

    def _take(self, operator: str, given: dict[str, Any], operands: list[np.ndarray], first: bool) -> None:
        chain, found = self.chain, self.found
        if operator in _KEPT:
            return
        if operator in _ELEMENTWISE and (not chain.layers or self.scaling or operator == "Cast"):
            self.scaling = bool(chain.layers)
            if operator in ("Sub", "Div") and not first:
                raise UnsupportedError("has the constant first")
            operand = operands[-1] if operands else None
            (found.after if self.scaling else found.before).append((operator, operand))
        elif self.scaling:
            raise UnsupportedError("comes after a Cast of outputs")
        elif operator == "Transpose":
            self._transpose(given)
        elif operator in ("Flatten", "Reshape"):
            self._flatten(operator, given, operands)
        elif operator == "Conv":
            require(given, {"strides": [1, 1], "dilations": [1, 1], "group": 1}, {})
            if given.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID"):
                require(given, {}, {"pads": [1, 1, 1, 1]})
            chain.conv(*_parameters(operands))
        elif operator in ("Gemm", "MatMul"):
            require(given, {"alpha": 1.0, "beta": 1.0, "transA": 0}, {})
            weight, bias = _parameters(operands)
            if not first or weight.ndim != 2:
                raise UnsupportedError("does not multiply rows by a matrix")
            chain.dense(weight if given.get("transB") else weight.T, None if bias is None else bias.reshape(-1))
        elif operator == "Add":
            chain.add_bias(*operands)
        elif operator in _ACTIVATIONS:
            if abs(given.get("alpha", 0.01) - 0.01) > 1e-6:
                raise UnsupportedError(f"has the slope {given['alpha']:g}: jitnet has 0.01")
            require(given, {"approximate": b"none"}, {})
            chain.activate(_ACTIVATIONS[operator])
        elif operator in _POOLS:
            require(given, {"dilations": [1, 1], "auto_pad": b"NOTSET"}, {"kernel_shape": [3, 3], "strides": [2, 2]})
            pads = [0, 0, 0, 0] if given.get("ceil_mode") else [0, 0, 1, 1]
            require({"pads": [0, 0, 0, 0]} | given, {}, {"pads": pads})
            require(given, {"count_include_pad": 0}, {})
            chain.pool(_POOLS[operator])
        else:
            raise UnsupportedError("is an operator that jitnet lacks")

    def _transpose(self, given: dict[str, Any]) -> None:
        order = _ORDERS.get(tuple(given.get("perm", ())))
        if order is None:
            raise UnsupportedError(f"puts the axes in the order {given.get('perm')}")
        self.order = order

    def _flatten(self, operator: str, given: dict[str, Any], operands: list[np.ndarray]) -> None:
        if operator == "Flatten":
            require(given, {"axis": 1}, {})
        elif not operands or operands[0].shape != (2,):
            raise UnsupportedError("gives a map another shape than rows")
        self.chain.layout = self.order


def _parameters(operands: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
    if len(operands) not in (1, 2):
        raise UnsupportedError("has no constant weights")
    return operands[0], operands[1] if len(operands) == 2 else None


def _value(attribute: Message) -> Any:
    """Return an attribute's value."""
    if "t" in attribute:
        return array(attribute["t"])
    return next((attribute[name] for name in ("f", "i", "s", "ints", "floats") if name in attribute), None)
