"""Every call between the files of kernels/ fits the function that it names, before numba compiles the caller."""

import ast

import kernel_calls
import pytest
from processes import ROOT

TREES = {
    ".".join(path.relative_to(ROOT / "kernels").with_suffix("").parts): ast.parse(path.read_text())
    for path in sorted((ROOT / "kernels").rglob("*.py"))
    if path.name != "__init__.py"
}
INTERPRETED = {node.name: node for node in TREES["compiler.interpreted"].body if isinstance(node, ast.FunctionDef)}


def test_every_call_fits():
    assert list(kernel_calls.complaints(TREES)) == []


def test_enough_is_seen():
    calls = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {name for names in kernel_calls.definitions(TREES).values() for name, made in names.items() if made}
    assert sum(isinstance(call.func, ast.Name) and call.func.id in names for call in calls) > 300


A = "@body\ndef f(x, y):\n    pass\n\n\n@intrinsic\ndef g(typingctx, x, y=1):\n    pass\n"
PLANTED = [  # source of b.py, and what is said of it; "" if it is right
    ("from .a import f\ndef h(x):\n    f(x, x)\n", ""),
    ("from .a import f\ndef h(x):\n    f(x)\n", "calls f with 1 arguments, expected 2"),
    ("from .a import f\ndef h(x):\n    return x + f(x, x, x)\n", "calls f with 3 arguments, expected 2"),
    ("from .a import f\ndef h(x):\n    f(x, z=x)\n", "calls f with the unexpected argument z"),
    ("from .a import f\ndef h(x):\n    f(x, y=x)\n", ""),
    ("from .a import f\ndef h(x):\n    f(x, x, y=x)\n", "calls f with the unexpected argument y"),
    ("from .a import f\ndef h(x):\n    some = x, x\n    f(*some)\n", ""),
    ("from .a import f\ndef h(x):\n    some = x, x\n    f(x, *some)\n", "calls f with 3 arguments, expected 2"),
    ("from .a import f\ndef h(x):\n    f(*x)\n", ""),
    ("from .a import g\ndef h(x):\n    g(x)\n", ""),
    ("from .a import g\ndef h(x):\n    g(x, x, x)\n", "calls g with 3 arguments, expected 2"),
    ("from .a import missing\n", "imports missing, which fast.a does not define"),
    ("from .nowhere import f\n", "imports f, which fast.nowhere does not define"),
    ("from .a import f as other\ndef h(x):\n    other()\n", "calls f with 0 arguments, expected 2"),
    ("def f(x):\n    pass\n\n\ndef h(x):\n    f()\n", "calls f with 0 arguments, expected 1"),
]


@pytest.mark.parametrize("source, expected", PLANTED)
def test_a_planted_call_is_found(source, expected):
    found = list(kernel_calls.complaints({"fast.a": ast.parse(A), "fast.b": ast.parse(source)}))
    assert [text.partition(" ")[2] for text in found] == ([expected] if expected else []), found


@pytest.mark.parametrize("name", INTERPRETED)
def test_plain_python_takes_the_same_arguments(name):
    """NUMBA_DISABLE_JIT=1 puts these in place of what is compiled."""
    compiled = [
        made
        for module, names in kernel_calls.definitions(TREES).items()
        if module != "compiler.interpreted" and (made := names.get(name))
    ]
    arguments = [argument.arg for argument in INTERPRETED[name].args.args]
    assert arguments in [[each.arg for each in made.args.args if each.arg != "typingctx"] for made in compiled]
