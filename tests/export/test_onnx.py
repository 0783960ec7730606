"""ONNX models against the onnx package and onnxruntime; and read back, those of other programs included."""

import os

import nets
import numpy as np
import pytest
from commands import digits, refusal, settle, train
from hypothesis import given
from hypothesis import strategies as st
from texts import texts

from jitnet.cli import main
from jitnet.config import Settings
from jitnet.data.pixels import Scale, to_bytes
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.export.onnx import protobuf, read, write
from jitnet.export.onnx.preparation import assumed
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network
from jitnet.storage import foreign_weights
from jitnet.storage.metadata import Description

RNG = np.random.default_rng(0)
IDS = [" ".join([hidden, "x".join(map(str, image)), bias]) for hidden, image, bias in nets.EXPORTED]
UNKNOWN = DataRecord()


def drawn(hidden, image, bias, record=UNKNOWN, **changes):
    """A network with parameters of no symmetry, and its description."""
    network = Network((*parse(hidden), Dense(3)), image, bias)
    network.params[:] = RNG.normal(size=network.params.size) / 3
    settings = Settings(architecture=hidden, bias=bias, **changes)
    return network, Description(settings=settings, image=image, labels=np.arange(3), record=record)


def written(folder, network, description):
    """The path of a network's model."""
    path = folder / "model.onnx"
    path.write_bytes(write.model(network, description, {"note": "as it is"}))
    return path


def session(path):
    """A session of onnxruntime, after the onnx package has checked the model."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    assert {item.name for item in model.graph.value_info} == {item.name for item in inferred.graph.value_info}
    return runtime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("hidden", "image", "bias"), nets.EXPORTED, ids=IDS)
def test_onnxruntime_computes_the_same(hidden, image, bias, tmp_path):
    network, description = drawn(hidden, image, bias)
    images = RNG.integers(0, 256, (7, *image), dtype=np.uint8)
    run = session(written(tmp_path, network, description))
    assert run.get_inputs()[0].shape == ["batch", *image]
    for count in (1, 7):
        logits, shares = run.run(["logits", "probabilities"], {"images": images[:count]})
        expected = network.logits(images[:count])
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)


SCALES = [
    Scale(16.0, 0.0, 16.0),
    Scale(1.0, 0.0, 1.0, whole=False, dtype="float32"),
    Scale(1.0, -1.0, 1.0, whole=False, dtype="float32"),
    Scale(65535.0, 0.0, 65535.0, dtype="uint16"),
]


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_the_scale_of_the_data_is_in_the_model(scale, tmp_path):
    network, description = drawn("dense5", (4, 3, 1), "position", DataRecord(kind="npz", scale=scale))
    values = RNG.uniform(scale.low, scale.high, (50, 4, 3, 1)).astype(np.float32)
    values = np.rint(values) if scale.whole else values
    (logits,) = session(written(tmp_path, network, description)).run(["logits"], {"images": values})
    np.testing.assert_allclose(logits, network.logits(to_bytes(values, scale, "it")), atol=1e-5)


def test_fractions_given_to_fit_are_not_scaled(tmp_path):
    record = DataRecord(kind="arrays", scale=Scale(1.0, 0.0, 1.0, whole=False))
    network, description = drawn("dense5", (4, 3, 1), "position", record)
    values = RNG.normal(size=(9, 4, 3, 1)).astype(np.float32)
    (logits,) = session(written(tmp_path, network, description)).run(["logits"], {"images": values})
    np.testing.assert_allclose(logits, network.logits(values), atol=1e-5)


def test_a_regression_reads_a_table_and_answers_in_the_unit_of_its_target(tmp_path):
    record = DataRecord(kind="table of numbers", columns=("a", "b"), means=(1e6, 3, 50), deviations=(10.0, 2.0, 7.0))
    network, description = drawn("dense5:tanh", (1, 2, 1), "position", record, target="c", data="t.csv")
    rows = np.array([1e6, 3]) + RNG.normal(size=(9, 2)) * [10, 2]
    (values,) = session(written(tmp_path, network, description)).run(["values"], {"rows": rows})
    scaled = ((rows - record.means[:2]) / record.deviations[:2]).astype(np.float32)
    np.testing.assert_allclose(values, network.logits(scaled[:, None, :, None]) * 7.0 + 50, rtol=1e-6)


def test_the_table_of_messages_is_that_of_onnx():
    """Names, numbers and types of the fields, against the descriptors in the onnx package."""
    schema = pytest.importorskip("onnx").onnx_ml_pb2.DESCRIPTOR.message_types_by_name
    kinds = {1: float, 2: float, 3: int, 5: int, 9: str, 12: bytes, 14: int}
    for name, fields in protobuf.MESSAGES.items():
        outer, _, inner = name.partition(".")
        found = schema[f"{outer}Proto" if f"{outer}Proto" in schema else outer]
        found = found.nested_types_by_name[inner] if inner else found
        for field, (number, form) in fields.items():
            theirs = found.fields_by_name[field]
            kind = form[0] if isinstance(form, list) else form
            assert theirs.number == number and theirs.is_repeated == isinstance(form, list), (name, field)
            if isinstance(kind, str):
                assert theirs.message_type.full_name.removeprefix("onnx.").replace("Proto", "") == kind
            else:
                assert kinds[theirs.type] is kind, (name, field)


@pytest.mark.parametrize(("hidden", "image", "bias"), nets.EXPORTED, ids=IDS)
def test_a_model_is_read_back(hidden, image, bias, tmp_path):
    network, description = drawn(hidden, image, bias)
    found = read.load(written(tmp_path, network, description))
    assert parse(found.chain.hidden) == parse(hidden) and found.chain.outputs == 3
    assert found.chain.bias == (bias if "conv" in hidden else "channel")
    assert found.properties["note"] == "as it is"
    assert assumed(found.before, found.after, UNKNOWN, False, "it") == ""
    tensors, unused = foreign_weights.convert(network, found.chain.tensors, {}, found.chain.layout, "it")
    assert unused == [] and all(np.array_equal(tensors[name], array) for name, array in network.tensors().items())


def changed(folder, change):
    """The path of a model of which `change` edits the message."""
    path = written(folder, *drawn("conv3 pool dense4", (6, 5, 2), "channel"))
    message = protobuf.decode("Model", path.read_bytes())
    change(message["graph"], {node["name"]: node for node in message["graph"]["node"]})
    path.write_bytes(protobuf.encode("Model", message))
    return path


def setter(node, **changes):
    def change(graph, nodes):
        nodes[node] |= changes

    return change


def attribute(node, name, value):
    def change(graph, nodes):
        nodes[node]["attribute"] = [each for each in nodes[node]["attribute"] if each["name"] != name]
        nodes[node]["attribute"].append(write._attribute(name, value))

    return change


UNSUPPORTED = {
    "'conv1', Conv, has the strides [2, 2]: jitnet has [1, 1]": attribute("conv1", "strides", [2, 2]),
    "'conv1', Conv, has the pads [0, 0, 0, 0]: jitnet has [1, 1, 1, 1]": attribute("conv1", "pads", [0, 0, 0, 0]),
    "'conv1', Conv, has the group 2: jitnet has 1": attribute("conv1", "group", 2),
    "'pool1', MaxPool, has the kernel_shape [2, 2]": attribute("pool1", "kernel_shape", [2, 2]),
    "'pool1', MaxPool, has the pads [0, 0, 1, 1]": attribute("pool1", "ceil_mode", 1),
    "'conv1.relu', Elu, is an operator that jitnet lacks": setter("conv1.relu", op_type="Elu"),
    "'conv1.relu', LeakyRelu, has the slope 0.2": lambda graph, nodes: nodes["conv1.relu"].update(
        op_type="LeakyRelu", attribute=[write._attribute("alpha", 0.2)]
    ),
    "'conv1.relu', Relu, is not part of a chain": setter("conv1.relu", input=["images"]),
    "'pool1', Relu, is a second activation": setter("pool1", op_type="Relu", attribute=[]),
    "'dense1', Gemm, has the transA 1": attribute("dense1", "transA", 1),
}


@pytest.mark.parametrize("sentence", UNSUPPORTED)
def test_the_first_node_that_is_not_supported_is_named(sentence, tmp_path):
    path = changed(tmp_path, UNSUPPORTED[sentence])
    with pytest.raises(InputError) as refused:
        read.load(path)
    assert f"cannot be imported: the node {sentence}" in str(refused.value)


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        ([], "pixels divided by 255"),
        ([("Cast", None)], "pixels divided by 255"),
        ([("Mul", np.float32(1 / 255))], ""),
        ([("Sub", np.float32(0.13)), ("Div", np.float32(0.31))], None),
        ([("Div", np.float32(256))], None),
    ],
)
def test_what_a_model_does_to_its_inputs_must_be_what_jitnet_does(before, answer):
    if answer is None:
        with pytest.raises(InputError, match=r"scales its inputs or outputs by .* expected Cast, Div 255"):
            assumed(before, [], UNKNOWN, False, "it")
    else:
        assert (answer in assumed(before, [], UNKNOWN, False, "it")) and bool(answer) == bool(
            assumed(before, [], UNKNOWN, False, "it")
        )


def test_a_truncated_or_changed_file_is_refused_or_read(tmp_path):
    """For any bytes the answer is one sentence or a network."""
    path = written(tmp_path, *drawn("conv2 pool dense4", (4, 4, 1), "position"))
    whole, refused = path.read_bytes(), 0
    damaged = [whole[:stop] for stop in range(0, len(whole), 37)]
    for place in RNG.integers(0, len(whole), 200):
        damaged.append(whole[:place] + bytes([whole[place] ^ 1 << int(RNG.integers(8))]) + whole[place + 1 :])
    for content in damaged:
        path.write_bytes(content)
        try:
            read.load(path)
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 50


@given(st.integers(-(2**63), 2**63 - 1), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5), texts(9))
def test_what_is_encoded_is_decoded(number, numbers, text):
    message = {"name": text, "f": 0.5, "i": number, "ints": numbers, "type": 7}
    back = protobuf.decode("Attribute", protobuf.encode("Attribute", message))
    assert {"ints": []} | back == message


@pytest.fixture
def home(tmp_path, monkeypatch):
    settle(monkeypatch, tmp_path)
    digits(tmp_path)
    return tmp_path


def test_a_run_is_exported_and_imported(home, capsys):
    train("a", "--bias", "channel")
    assert main(["export", "onnx", "a", "--out", "a.onnx"]) == 0
    assert main(["import", "onnx", "a.onnx", "--name", "b"]) == 0
    capsys.readouterr()
    assert main(["eval", "a"]) == 0
    before = capsys.readouterr().out.splitlines()[1:]
    assert main(["eval", "b"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == before
    assert "ends in .onnx" in refusal(capsys, "export", "onnx", "a", "--out", "a.bin")
    assert "omit it" in refusal(capsys, "import", "onnx", "a.onnx", "cnn")
    assert "no such file" in refusal(capsys, "import", "onnx", "b.onnx").lower()
    assert "3 outputs" in refusal(capsys, "import", "onnx", "a.onnx", "--data", "synthetic")


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes in folders there")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_read(tmp_path, kind):
    path = tmp_path / "m.onnx"
    {"pipe": os.mkfifo, "device": lambda path: path.symlink_to("/dev/zero"), "folder": lambda path: path.mkdir()}[kind](
        path
    )
    with pytest.raises(InputError, match="is not a file"):
        read.load(path)
