"""ONNX files as other programs write them: every form of a layer is read alike, and what jitnet lacks is named."""

import numpy as np
import pytest

from jitnet.errors import InputError
from jitnet.export.onnx import protobuf, read, write
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network
from jitnet.storage import foreign_weights

RNG = np.random.default_rng(0)
IMAGE = (2, 6, 5)  # channels, height, width
W1, B1, W2, B2, W3, B3 = (
    RNG.normal(size=shape).astype(np.float32) for shape in ((3, 2, 3, 3), 3, (4, 18), 4, (3, 4), 3)
)
BORDER, POOL = {"pads": [1, 1, 1, 1]}, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1]}
STEPS = {
    "conv": [("Conv", W1, B1, BORDER)],
    "relu": [("Relu",)],
    "pool": [("MaxPool", POOL)],
    "rows": [("Flatten",)],
    "hidden": [("Gemm", W2, B2, {"transB": 1})],
    "tanh": [("Tanh",)],
    "outputs": [("Gemm", W3, B3, {"transB": 1})],
}
AT = "the tensor that goes through the graph"


def model(changes, extents=IMAGE):
    """Return the message of a model of `STEPS` with changes: each an operator, its constants, its attributes."""
    nodes, constants, at = [], [], "x"
    for operator, *operands in [step for steps in (STEPS | changes).values() for step in steps]:
        attributes = operands.pop() if operands and isinstance(operands[-1], dict) else {}
        inputs = []
        for operand in operands if any(isinstance(each, str) for each in operands) else [AT, *operands]:
            if isinstance(operand, str):
                inputs.append(at if operand is AT else operand)
            else:
                inputs.append(f"c{len(constants)}")
                constants.append(write.tensor(inputs[-1], np.asarray(operand)))
        at = f"y{len(nodes)}"
        made = [attribute(name, value) for name, value in attributes.items()]
        nodes.append({"input": inputs, "output": [at], "op_type": operator, "attribute": made})
    graph = {"node": nodes, "initializer": constants, "input": [write._info("x", np.float32, extents)]}
    return {"ir_version": 8, "producer_name": "other", "graph": graph}


def attribute(name, value):
    return {"name": name, "s": value, "type": 3} if isinstance(value, bytes) else write._attribute(name, value)


def loaded(folder, message):
    path = folder / "model.onnx"
    path.write_bytes(protobuf.encode("Model", message))
    return read.load(path)


def parameters(found, image=(6, 5, 2)):
    """Return the parameters that a run gets of a file."""
    network = Network((*parse(found.chain.hidden), Dense(3)), image, found.chain.bias)
    tensors, _ = foreign_weights.convert(network, found.chain.tensors, {}, found.chain.layout, "it")
    return {name: array.tolist() for name, array in tensors.items()}


TURNED = W2.reshape(4, 3, 3, 2).transpose(0, 2, 3, 1).reshape(4, 18)  # for maps (H, W, C)
FORMS = {
    "a border by its name": {"conv": [("Conv", W1, B1, {"auto_pad": b"SAME_UPPER"})]},
    "a bias that is added": {"conv": [("Conv", W1, BORDER), ("Add", B1[:, None, None])]},
    "a bias that is added to a batch": {"conv": [("Conv", W1, BORDER), ("Add", B1[None, :, None, None])]},
    "a bias in two parts": {"conv": [("Conv", W1, B1 * 0, BORDER), ("Add", B1[:, None, None])]},
    "the activation after the pool": {"relu": [], "pool": [("MaxPool", POOL), ("Relu",)]},
    "a pool that rounds up": {"pool": [("MaxPool", {**POOL, "pads": [0, 0, 0, 0], "ceil_mode": 1})]},
    "usual attributes": {
        "conv": [("Conv", W1, B1, {**BORDER, "dilations": [1, 1], "group": 1, "auto_pad": b"NOTSET"})]
    },
    "rows by a shape": {"rows": [("Reshape", np.array([-1, 18]))]},
    "a map turned back": {
        "rows": [("Transpose", {"perm": [0, 2, 3, 1]}), ("Flatten", {"axis": 1})],
        "hidden": [("Gemm", TURNED, B2, {"transB": 1})],
    },
    "the weight as it multiplies": {"hidden": [("Gemm", W2.T, B2, {"alpha": 1.0, "beta": 1.0})]},
    "a product and a sum": {"hidden": [("MatMul", W2.T), ("Add", B2)]},
    "a sum with the constant first": {"hidden": [("MatMul", W2.T), ("Add", B2[None], AT)]},
    "layers that change no prediction": {"rows": [("Identity",), ("Flatten",), ("Dropout",)]},
    "a softmax at the end": {"end": [("Softmax", {"axis": 1})]},
    "a class at the end": {"end": [("LogSoftmax",), ("ArgMax", {"axis": 1})]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_layer_is_read_alike(form, tmp_path):
    found, usual = loaded(tmp_path, model(FORMS[form])), loaded(tmp_path, model({}))
    assert (found.chain.hidden, found.chain.bias) == ("conv3 pool dense4:tanh", "channel")
    assert parameters(found) == parameters(usual)
    assert found.before == found.after == [] and found.chain.network == "cnn"


def test_a_layer_without_a_bias_has_zeros(tmp_path):
    steps = {"conv": [("Conv", W1, BORDER)], "hidden": [("MatMul", W2.T)]}
    found = parameters(loaded(tmp_path, model(steps)))
    assert not np.any(found["conv1.bias"]) and not np.any(found["dense1.bias"]) and np.any(found["dense2.bias"])


def test_a_network_of_one_layer_has_no_hidden_ones(tmp_path):
    """As text they are a space: an empty text stands for those of the preset."""
    steps = {name: [] for name in ("conv", "relu", "pool", "hidden", "tanh")}
    found = loaded(tmp_path, model(steps, (1, 2, 2)))
    assert (found.chain.hidden, found.chain.network, found.chain.outputs) == (" ", "mlp", 3)


def numbers_in_lists(message):
    for constant in message["graph"]["initializer"]:
        kind = {1: "float_data", 7: "int64_data"}[constant["data_type"]]
        dtype = {1: "<f4", 7: "<i8"}[constant["data_type"]]
        constant[kind] = np.frombuffer(constant.pop("raw_data"), dtype).tolist()


def constants_as_nodes(message):
    graph = message["graph"]
    for constant in graph.pop("initializer"):
        made = {"op_type": "Constant", "output": [constant["name"]]}
        graph["node"].insert(0, made | {"attribute": [{"name": "value", "t": constant, "type": 4}]})


def constants_among_the_inputs(message):
    graph = message["graph"]
    graph["input"] += [write._info(each["name"], np.float32, ()) for each in graph["initializer"]]


@pytest.mark.parametrize("change", [numbers_in_lists, constants_as_nodes, constants_among_the_inputs])
def test_constants_are_found_wherever_a_file_has_them(change, tmp_path):
    message = model({"rows": [("Reshape", np.array([-1, 18]))]})
    expected = parameters(loaded(tmp_path, message))
    change(message)
    assert parameters(loaded(tmp_path, message)) == expected


@pytest.mark.parametrize(
    ("extents", "layout"), [((4, 3, 3), "jitnet"), ((4, 9, 1), "jitnet"), ((3, 4, 3), "torch"), ((1, 6, 6), "torch")]
)
def test_rows_are_read_in_the_order_that_the_images_have(extents, layout, tmp_path):
    """The axis of one or three is that of the channels; the second if it can be either."""
    steps = {"conv": [], "relu": [], "pool": [], "hidden": [("Gemm", RNG.normal(size=(4, 36)).astype(np.float32), B2,
             {"transB": 1})]}  # fmt: skip
    found = loaded(tmp_path, model(steps, extents))
    assert (found.chain.layout, found.chain.network, found.chain.hidden) == (layout, "mlp", "dense4:tanh")


BIAS = B1[:, None, None]
UNSUPPORTED = {
    "Conv, has the dilations [2, 2]: jitnet has [1, 1]": {"conv": [("Conv", W1, B1, {**BORDER, "dilations": [2, 2]})]},
    "Conv, has the pads no value: jitnet has [1, 1, 1, 1]": {"conv": [("Conv", W1, B1, {"auto_pad": b"VALID"})]},
    "Conv, has filters of 1x1": {"conv": [("Conv", W1[:, :, :1, :1], B1, BORDER)]},
    "Conv, comes after a dense layer": {"tanh": [("Conv", W1, BORDER)]},
    "Conv, has no constant weights": {"conv": [("Conv", BORDER)]},
    "MaxPool, has the auto_pad VALID": {"pool": [("MaxPool", {**POOL, "auto_pad": b"VALID"})]},
    "MaxPool, has the pads [1, 1, 1, 1]": {"pool": [("MaxPool", {**POOL, "pads": [1, 1, 1, 1]})]},
    "MaxPool, has the strides no value": {"pool": [("MaxPool", {"kernel_shape": [3, 3]})]},
    "MaxPool, is a pool that does not follow a conv": {"pool": [("MaxPool", POOL), ("MaxPool", POOL)]},
    "MaxPool, is a pool that does not follow": {"tanh": [("MaxPool", POOL)]},
    "AveragePool, has the count_include_pad 1": {"pool": [("AveragePool", {**POOL, "count_include_pad": 1})]},
    "Relu, comes after a pool": {"relu": [], "pool": [("AveragePool", POOL), ("Relu",)]},
    "Gelu, comes after a pool": {"relu": [], "pool": [("MaxPool", POOL), ("Gelu",)]},
    "Gelu, has the approximate tanh": {"tanh": [("Gelu", {"approximate": b"tanh"})]},
    "LeakyRelu, has the slope 0.001": {"relu": [("LeakyRelu", {"alpha": 0.001})]},
    "Relu, comes before the first layer": {"conv": []},
    "Tanh, is a second activation": {"relu": [("Relu",), ("Tanh",)]},
    "Add, adds numbers elsewhere than just after": {"relu": [("Relu",), ("Add", BIAS)]},
    "Add, adds numbers elsewhere": {"relu": [], "pool": [("MaxPool", POOL), ("Add", BIAS)]},
    "Add, adds numbers of the shape (5,)": {
        "conv": [("Conv", np.ones((5, 2, 3, 3), np.float32), BORDER), ("Add", np.ones(5))]
    },
    "Gemm, has the alpha 2": {"hidden": [("Gemm", W2, B2, {"transB": 1, "alpha": 2.0})]},
    "Gemm, has the beta 0.5": {"hidden": [("Gemm", W2, B2, {"transB": 1, "beta": 0.5})]},
    "MatMul, does not multiply rows by a matrix": {"hidden": [("MatMul", W2.T, AT)]},
    "Flatten, has the axis 2": {"rows": [("Flatten", {"axis": 2})]},
    "Reshape, gives a map another shape than rows": {"rows": [("Reshape", np.array([-1, 3, 6]))]},
    "Transpose, puts the axes in the order [0, 1, 3, 2]": {"rows": [("Transpose", {"perm": [0, 1, 3, 2]})]},
    "Add, is not part of a chain": {"tanh": [("Tanh",), ("Add", AT, "y4")]},
    "Gemm, is not part of a chain": {"tanh": [("Tanh",), ("Softmax",)]},
    "the node 'y7', Gemm, is not part of a chain": {
        "tanh": [("Tanh",), ("Softmax",)],
        "outputs": [("Gemm", "y5", W3, B3, {"transB": 1})],  # next to the softmax
    },
    "Div, has the constant first": {"conv": [("Div", np.float32(1), AT), *STEPS["conv"]]},
    "Relu, comes after a Cast of outputs": {"tanh": [("Cast", {"to": 11}), ("Relu",)]},
}


@pytest.mark.parametrize("sentence", UNSUPPORTED)
def test_what_jitnet_lacks_is_named(sentence, tmp_path):
    with pytest.raises(InputError) as refused:
        loaded(tmp_path, model(UNSUPPORTED[sentence]))
    assert sentence in str(refused.value), refused.value


def test_a_node_without_a_name_is_called_by_its_output(tmp_path):
    with pytest.raises(InputError, match="the node 'y1', Elu, is an operator that jitnet lacks"):
        loaded(tmp_path, model({"relu": [("Elu",)]}))


def test_a_model_that_ends_elsewhere_is_refused(tmp_path):
    for rest in ({}, {"relu": [], "pool": []}, {"conv": [], "relu": [], "pool": []}):
        with pytest.raises(InputError, match=r"does not end in a dense layer|it has no nodes"):
            loaded(tmp_path, model({"rows": [], "hidden": [], "tanh": [], "outputs": [], **rest}))
    for activation in ("Relu", "Sigmoid", "Gelu"):
        with pytest.raises(
            InputError, match=f"has the activation {activation.lower()} at its outputs: jitnet has none"
        ):
            loaded(tmp_path, model({"end": [(activation,)]}))


def test_what_is_no_model_of_images_is_refused(tmp_path):
    message = model({})
    message["graph"]["input"].append(write._info("mask", np.float32, (3,)))
    with pytest.raises(InputError, match="has 2 inputs: expected one, for the images"):
        loaded(tmp_path, message)
    message = model({})
    message["graph"]["initializer"][2] |= {"data_location": 1}
    with pytest.raises(InputError, match="the numbers of 'c2' are in another file"):
        loaded(tmp_path, message)
    with pytest.raises(InputError, match="it has no nodes"):
        loaded(tmp_path, {"ir_version": 8})


# Of each wire type a field of the number 99, which the table lacks.
SKIPPED = [bytes.fromhex(text) for text in ("9806 ffffffffffffffffff01", "9906 0000000000000840", "9a06 02 1234",
                                            "9d06 0000803f")]  # fmt: skip


def test_fields_of_any_type_are_skipped_and_numbers_need_not_be_packed():
    packed = protobuf.encode("Attribute", {"name": "pads", "ints": [1, 2, 300], "floats": [0.5, 2.0], "type": 7})
    plain = bytes.fromhex("0a04") + b"pads" + bytes.fromhex("4001 4002 40ac02 3d0000003f 3d00000040 a00107")
    expected = {"name": "pads", "ints": [1, 2, 300], "floats": [0.5, 2.0], "type": 7}
    for extra in (b"", *SKIPPED):
        for content in (extra + packed, packed + extra, extra + plain, plain + extra):
            assert protobuf.decode("Attribute", content) == expected


def test_a_message_that_is_cut_off_is_refused_wherever_it_ends():
    tensor = {"dims": [2, 3], "name": "w" * 130, "raw_data": bytes(24)}
    content = protobuf.encode("Graph", {"initializer": [tensor]})
    for stop in range(1, len(content)):
        with pytest.raises(ValueError, match="it is truncated"):
            protobuf.decode("Graph", content[:stop])
