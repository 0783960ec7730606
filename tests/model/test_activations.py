"""Every activation is known wherever one is read: a new one fails here until it is, and is never taken for linear."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from jitnet.export.hub import predict as loader
from jitnet.export.onnx.write import OPERATORS
from jitnet.kernels.layers.activation import activation_backward, activation_forward
from jitnet.model import reference
from jitnet.model.architecture import ACTIVATIONS
from jitnet.model.memory_plan import ACTIVATIONS as NUMBERS

ROOT = Path(__file__).resolve().parents[2]


def keys_of_table(path: str, name: str) -> set[str]:
    """Return the keys of a dict in a Python file that may import what is not installed."""
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return set(ast.literal_eval(ast.List([*node.value.keys], ast.Load())))
    raise AssertionError(f"{path} has no {name}")


def keys_of_object(name: str) -> set[str]:
    """Return the keys of an object in the page's activations.js."""
    text = (ROOT / "jitnet/play/web/activations.js").read_text()
    body = re.search(rf"const {name} = {{(.*?)\n  }};", text, re.DOTALL)[1]
    return {(quoted or plain) for quoted, plain in re.findall(r'(?:^|, )\s*(?:"([\w-]+)"|(\w+))(?=[:,])', body, re.M)}


@pytest.mark.parametrize(
    ("where", "known"),
    [
        ("memory_plan", set(NUMBERS)),
        ("hub", set(loader.ACTIVATIONS)),
        ("onnx", {"linear", *OPERATORS}),
        ("torch", {"linear", *keys_of_table("jitnet/integrations/torch.py", "ACTIVATIONS")}),
        *((f"activations.js, {name}", keys_of_object(name)) for name in ("value", "slope", "formula")),
    ],
)
def test_every_activation_is_known(where, known):
    assert known == set(ACTIVATIONS), where


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_the_reference_pass_computes_what_the_kernels_do(kind):
    z = np.linspace(-6, 6, 241)
    out, slope = np.empty_like(z), np.empty_like(z)
    activation_forward(NUMBERS[kind], z, out)
    activation_backward(NUMBERS[kind], z, np.ones_like(z), slope)
    assert np.allclose(reference.activate(kind, z), out, rtol=1e-12, atol=1e-15)
    assert np.allclose(reference._slope(kind, z), slope, rtol=1e-12, atol=1e-15)


def test_an_unknown_activation_is_refused():
    for function in (reference.activate, reference._slope):
        with pytest.raises(ValueError, match="there is no activation 'softplus' here"):
            function("softplus", np.zeros(3))
