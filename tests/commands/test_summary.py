"""`jitnet summary`: which code computes each layer, and where it is; and the sizes of layers as JSON."""

import json
import math

import pytest
from processes import ROOT

from jitnet.cli import main
from jitnet.config import PRESETS, Settings
from jitnet.kernels.compiler import tile
from jitnet.model import kernel_choice
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network

CHANNELS, ROWS = "channels / channels", "rows / rows"
ACTIVE = ("active rows",) * 3
DENSE = ("contraction",) * 3
FIRST = ("contraction", "-", "contraction")
BOTH = "nothing: each computes it"  # a last layer of up to 2,048 weights

# (arguments, bytes of a vector, rows of the table)
TABLES = [
    (
        "cnn",
        32,
        [
            ("conv1", "few channels", "-", "sparse input", ROWS),
            ("conv2", "contraction", "sparse by filter", "sparse by filter", CHANNELS),
            ("conv3", "contraction", "sparse by pixel", "sparse by filter", CHANNELS),
            ("dense1", *ACTIVE, "inputs"),
            ("dense2", *ACTIVE, BOTH),
        ],
    ),
    (
        "cnn",
        64,
        [
            ("conv1", "few channels", "-", "sparse input", ROWS),
            ("conv2", "contraction", "sparse by filter", "sparse by filter", CHANNELS),
            ("conv3", "contraction", "sparse by pixel", "sparse by filter", CHANNELS),
            ("dense1", *ACTIVE, "inputs"),
            ("dense2", *ACTIVE, BOTH),
        ],
    ),
    (
        "cnn --batch-size 64",
        32,
        [
            ("conv1", "few channels", "-", "sparse input"),
            ("conv2", "Winograd", "sparse by filter", "sparse by filter"),
            ("conv3", "Winograd", "Winograd", "Winograd"),
            ("dense1", *DENSE),
            ("dense2", *DENSE),
        ],
    ),
    (
        "cnn --arch 'conv5 conv3:tanh conv7:tanh pool conv9:tanh'",
        32,
        [
            ("conv1", "few channels", "-", "sparse input", ROWS),
            ("conv2", "contraction", "few channels", "contraction", "rows / one thread"),
            ("conv3", "few channels", "contraction", "sparse input", "rows / one thread"),
            ("conv4", "contraction", "contraction", "contraction", "rows / one thread"),
            ("dense1", *ACTIVE, "inputs"),
        ],
    ),
    ("mlp", 32, [("dense1", *ACTIVE, "inputs"), ("dense2", *ACTIVE, "inputs"), ("dense3", *ACTIVE, BOTH)]),
    ("mlp-512-512", 32, [("dense1", *FIRST), ("dense2", *DENSE), ("dense3", *DENSE)]),
    ("mlp --arch dense7 --batch-size 2", 16, [("dense1", *FIRST), ("dense2", *DENSE)]),
]


@pytest.mark.parametrize("arguments, vector_bytes, expected", TABLES, ids=[f"{a}, {v}" for a, v, _ in TABLES])
def test_the_table(monkeypatch, capsys, arguments, vector_bytes, expected):
    monkeypatch.setattr(tile, "VECTOR_BYTES", vector_bytes)
    before, quoted, after = (*arguments.split("'"), "", "")[:3]
    assert main(["summary", *before.split(), *([quoted] if quoted else []), *after.split(), "--kernels"]) == 0
    out = capsys.readouterr().out
    driver = "fast/per_sample.py" if len(expected[0]) == 5 else "fast/batch.py"
    assert f"by kernels/{driver}; vectors of {vector_bytes} bytes" in out
    rows = [tuple(cell.strip() for cell in line.strip("│").split("│")) for line in out.splitlines() if line[0] == "│"]
    assert rows[: len(expected)] == expected
    files = {name: file for name, file, _ in rows[len(expected) :]}
    assert set(files) == {name for row in expected for name in row[1:4]} - {"-"}


def test_what_it_names_is_there():
    files = [file for file, _ in kernel_choice.EXPLANATIONS.values()] + list(kernel_choice.DRIVER_FILES.values())
    assert all((ROOT / "kernels" / file).is_file() for file in files)
    assert set(kernel_choice.EXPLANATIONS) | {kernel_choice.NOTHING} == set(kernel_choice.NAMES)


def test_a_batch_size_of_nothing_is_refused(capsys):
    assert main(["summary", "cnn", "--batch-size", "3"]) == 2
    assert capsys.readouterr().err == (
        "jitnet: --batch-size is given without --kernels, and changes no other listing: add --kernels\n"
    )
    assert main(["summary", "cnn", "--batch-size", "-1", "--kernels"]) == 2
    assert "batch" in capsys.readouterr().err
    assert main(["summary", "cnn", "--batch-size", "0", "--kernels"]) == 0
    assert "batches of all images" in capsys.readouterr().out


@pytest.mark.parametrize("bias", ["position", "channel"])
@pytest.mark.parametrize("words", [*PRESETS, "cnn --arch conv3:tanh_conv5_avgpool_dense7", "mlp --hidden 9,8"])
def test_the_json_has_the_sizes_of_the_network(capsys, words, bias):
    given = [word.replace("_", " ") for word in words.split()]
    assert main(["summary", *given, "--bias", bias, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    hidden = {"--arch": given[-1], "--hidden": "dense9 dense8"}.get(given[-2] if given[1:] else "")
    hidden = hidden or Settings.preset(given[0]).architecture
    network = Network((*parse(hidden), Dense(10)), (28, 28, 1), bias)
    assert (found["network"], found["architecture"]) == (given[0], hidden)
    sizes = {shape.name: 0 for shape in network.shapes}
    for name, array in network.tensors().items():
        sizes[name.partition(".")[0]] += array.size
    assert {layer["name"]: layer["parameters"] for layer in found["layers"]} == sizes
    assert found["parameters"] == network.params.size == sum(sizes.values())
    assert found["macs"] == sum(layer["macs"] for layer in found["layers"])
    inputs, outputs = ([layer[side] for layer in found["layers"]] for side in ("input", "output"))
    assert inputs[0][0] in (28, 784) and outputs[-1] == [10]
    for before, after in zip(outputs, inputs[1:]):
        assert before == after or [math.prod(before)] == after
