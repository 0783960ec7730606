"""A network as an ONNX model: its graph reads the data's own numbers and returns logits, or numbers of a regression."""

from typing import Any

import numpy as np

from jitnet import __version__
from jitnet.export.onnx.preparation import Operation, preparation
from jitnet.export.onnx.protobuf import Message, encode
from jitnet.model.architecture import Conv, Dense, Pool
from jitnet.model.network import Network
from jitnet.storage.checkpoint import Metadata
from jitnet.storage.metadata import Description

IR_VERSION = 8  # of the file format, which every runtime since 2021 reads
OPSET, OPSET_OF_GELU = 13, 20
ELEMENTS: dict[np.dtype, int] = {
    np.dtype(np.float32): 1,
    np.dtype(np.uint8): 2,
    np.dtype(np.int64): 7,
    np.dtype(np.float64): 11,
}
OPERATORS: dict[str, tuple[str, dict[str, float]]] = {
    "relu": ("Relu", {}),
    "leaky-relu": ("LeakyRelu", {"alpha": 0.01}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "gelu": ("Gelu", {}),
}  # linear has none
POOLS = {"max": "MaxPool", "average": "AveragePool"}  # of the pixels that there are, without those beyond the border


def model(network: Network, description: Description, properties: Metadata) -> bytes:
    """Return a network as the content of an ONNX file.

    Parameters
    ----------
    network : float32
    description : its settings, and the record of its data, which says what numbers the graph reads
    properties : texts that the file keeps, as the metadata of jitnet's own files

    Returns
    -------
    bytes : a graph with the input `images` (batch, H, W, C), or of a regression `rows` (batch, D) float64, any number
        of them, and the outputs `logits` and `probabilities` (batch, K) float32, or `values` (batch, K) float64
    """
    graph = _Graph()
    regression = bool(description.settings.target)
    prepared = preparation(description.record, regression)
    source = "rows" if regression else "images"
    extents = (network.shapes[0].inputs[-1],) if regression else network.image
    inputs = _info(source, prepared.dtype, extents)
    graph.at, graph.extents, graph.dtype = source, extents, prepared.dtype
    for operation in prepared.before:
        graph.elementwise(operation)
    if isinstance(network.layers[0], Conv):
        height, width, channels = network.image
        graph.add("Transpose", "channels_first", (channels, height, width), perm=[0, 3, 1, 2])
    _add_layers(graph, network)
    if regression:
        for operation in prepared.after:
            graph.elementwise(operation, back=True)
    graph.rename_last("values" if regression else "logits")
    outputs = [graph.infos.pop()]
    if not regression:
        graph.add("Softmax", "probabilities", graph.extents, axis=-1)
        outputs.append(graph.infos.pop())
    opset = OPSET_OF_GELU if any(node["op_type"] == "Gelu" for node in graph.nodes) else OPSET
    texts = properties | {"inputs": prepared.meaning}
    return encode(
        "Model",
        {
            "ir_version": IR_VERSION,
            "producer_name": "jitnet",
            "producer_version": __version__,
            "opset_import": [{"domain": "", "version": opset}],
            "metadata_props": [{"key": key, "value": value} for key, value in texts.items()],
            "graph": {
                "name": description.settings.network,
                "node": graph.nodes,
                "initializer": graph.constants,
                "input": [inputs],
                "output": outputs,
                "value_info": graph.infos,
            },
        },
    )


def _add_layers(graph: "_Graph", network: Network) -> None:
    """Add a network's layers: weights (OC, C, 3, 3) and (out, in), biases (OC, H, W), as PyTorch has them."""
    tensors = network.tensors()
    for place, shape in enumerate(network.shapes):
        name, layer = shape.name, shape.layer
        if isinstance(layer, Pool):
            H, W, C = shape.outputs
            operator = POOLS[getattr(layer, "kind", "max")]
            graph.add(operator, name, (C, H, W), kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
            continue
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        if isinstance(layer, Conv):
            H, W, OC = shape.outputs
            turned, shift = weight.transpose(3, 2, 0, 1), bias.transpose(2, 0, 1)
            constants = {f"{name}.weight": turned}
            if shift.shape[1:] == (1, 1):
                constants[f"{name}.bias"] = shift.reshape(-1)
            graph.add("Conv", name, (OC, H, W), constants, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            if len(constants) == 1:
                graph.add("Add", f"{name}.sum", (OC, H, W), {f"{name}.bias": shift})
        else:
            turned = weight.T
            if len(graph.extents) == 3:
                if place:  # the channels of a map are first in the graph, and last in jitnet
                    C, H, W = graph.extents
                    turned = turned.reshape(-1, H, W, C).transpose(0, 3, 1, 2).reshape(len(turned), -1)
                graph.add("Flatten", f"{name}.inputs", shape.inputs, axis=1)
            graph.add("Gemm", name, shape.outputs, {f"{name}.weight": turned, f"{name}.bias": bias}, transB=1)
        last = place == len(network.shapes) - 1
        if not last and isinstance(layer, Conv | Dense) and layer.activation != "linear":
            operator, attributes = OPERATORS[layer.activation]
            graph.add(operator, f"{name}.{layer.activation}", graph.extents, None, **attributes)


class _Graph:
    """Nodes in a chain, their constants, and what is known of the tensors between them."""

    def __init__(self) -> None:
        self.nodes: list[Message] = []
        self.constants: list[Message] = []
        self.infos: list[Message] = []  # of each node's output
        self.at = ""  # the tensor that the next node reads
        self.extents: tuple[int, ...] = ()  # of that, without the batch
        self.dtype: type = np.float32

    def add(
        self, operator: str, name: str, extents: tuple[int, ...], operands: dict[str, np.ndarray] | None = None,
        **attributes: Any,
    ) -> None:  # fmt: skip
        """Add a node whose output has its name."""
        operands = operands or {}
        self.constants += [tensor(key, array) for key, array in operands.items()]
        self.nodes.append(
            {
                "input": [self.at, *operands],
                "output": [name],
                "name": name,
                "op_type": operator,
                "attribute": [_attribute(key, value) for key, value in attributes.items()],
            }
        )
        self.at, self.extents = name, extents
        self.infos.append(_info(name, self.dtype, extents))

    def elementwise(self, operation: Operation, back: bool = False) -> None:
        """Add an operation on each number; a Cast goes to float32, or `back` to float64."""
        operator, operand = operation
        name = f"{operator.lower()}{len(self.nodes) + 1}"
        if operator == "Cast":
            self.dtype = np.float64 if back else np.float32
            self.add("Cast", name, self.extents, to=ELEMENTS[np.dtype(self.dtype)])
        elif operator == "Clip" and operand is not None:
            self.add("Clip", name, self.extents, {f"{name}.low": np.zeros_like(operand), f"{name}.high": operand})
        else:
            self.add(operator, name, self.extents, {} if operand is None else {f"{name}.by": operand})

    def rename_last(self, name: str) -> None:
        """Call the last node's output so."""
        self.nodes[-1]["output"] = [name]
        self.infos[-1]["name"] = self.at = name


def tensor(name: str, array: np.ndarray) -> Message:
    """Return an array as a constant."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return {
        "dims": list(array.shape),
        "data_type": ELEMENTS[array.dtype],
        "name": name,
        "raw_data": little.tobytes(),
    }


def _attribute(name: str, value: Any) -> Message:
    """Return a node's attribute, its type given by its value: 1 float, 2 int, 7 ints."""
    field, number = {float: ("f", 1), int: ("i", 2), list: ("ints", 7)}[type(value)]
    return {"name": name, field: value, "type": number}


def _info(name: str, dtype: type, extents: tuple[int, ...]) -> Message:
    """Return the type and the shape of a tensor, its first extent called `batch`."""
    dims = [{"dim_param": "batch"}, *({"dim_value": extent} for extent in extents)]
    return {"name": name, "type": {"tensor_type": {"elem_type": ELEMENTS[np.dtype(dtype)], "shape": {"dim": dims}}}}
