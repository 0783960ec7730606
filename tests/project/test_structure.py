"""The rules of the structure hold: imports between packages, contents and docstrings of kernels, naive twins."""

import ast
import re

import import_cycles
import naive
import pytest
import structure
from processes import ROOT, run

FILES = sorted(
    path.relative_to(ROOT).as_posix() for room in ("jitnet", "kernels") for path in (ROOT / room).rglob("*.py")
)
KERNELS = [path for path in FILES if path.startswith("kernels/")]

KERNEL = '''
@kernel
def f(
    x,  # (3,), overwritten
):
    """Do.

    Parallel : no.
    Work     : none.
    Errors   : none.
    Matches  : tests.support.naive.f.
    Source   : nowhere.
    """
    for n in prange(3):
        x[n] = 0
'''

# (rule, path, source that breaks it)
PLANTED = [
    ("kernels_import_numba_and_each_other", "kernels/x.py", "import rich"),
    ("kernels_import_numba_and_each_other", "kernels/x.py", "from jitnet.errors import InputError"),
    ("kernels_import_numba_and_each_other", "kernels/x.py", "from ..errors import InputError"),
    ("kernels_import_downwards", "kernels/compiler/x.py", "from ..table import CONV"),
    ("kernels_import_downwards", "kernels/compiler/x.py", "from ..fast.batch import forward"),
    ("kernels_import_downwards", "kernels/layers/x.py", "from .. import step"),
    ("kernels_import_downwards", "kernels/table.py", "from .layers.loss import output_loss"),
    ("only_the_compiler_package_knows_numba", "kernels/fast/x.py", "from numba.extending import intrinsic"),
    ("only_the_compiler_package_knows_numba", "kernels/tools/x.py", "from llvmlite import ir"),
    ("only_the_compiler_package_knows_numba", "kernels/layers/x.py", "from numba.core import cgutils"),
    ("arguments_have_comments", "kernels/fast/x.py", "@body\ndef f(layer, x):\n    pass"),
    ("arguments_have_comments", "kernels/fast/x.py", "@kernel\ndef f(\n    x,  # (N,)\n    out,\n):\n    pass"),
    ("only_compiler_files_read_the_environment", "kernels/x.py", "import os\nos.environ['A']"),
    ("only_compiler_files_read_the_environment", "kernels/x.py", "from os import getenv"),
    ("imports_point_down", "jitnet/events.py", "from jitnet.errors import InputError"),
    ("imports_point_down", "jitnet/model/network.py", "from jitnet import training"),
    ("imports_point_down", "jitnet/training/loop.py", "def f():\n    import jitnet.display.plain"),
    ("imports_point_down", "jitnet/display/plain.py", "from jitnet.model.network import Network"),
    ("imports_point_down", "jitnet/history/read.py", "from jitnet.display.charts import loss_chart"),
    ("imports_point_down", "jitnet/display/trials.py", "from jitnet.trials.driver import Driver"),
    ("imports_point_down", "jitnet/display/trials.py", "from jitnet import trials"),
    ("imports_point_down", "jitnet/commands/train.py", "from jitnet.cli import main"),
    ("imports_point_down", "jitnet/estimators/api.py", "from jitnet.commands import train"),
    ("only_views_and_commands_import_rich", "jitnet/training/loop.py", "from rich import print"),
    ("only_printing_prints", "jitnet/commands/train.py", "print('epoch')"),
    ("the_loop_is_silent", "jitnet/training/loop.py", "print('epoch')"),
    ("the_loop_is_silent", "jitnet/model/network.py", "with open('a') as file: pass"),
    ("the_loop_is_silent", "jitnet/model/network.py", "path.write_text('a')"),
    ("prange_stands_in_kernels_only", "kernels/x.py", KERNEL.replace("@kernel", "@body")),
    ("prange_stands_in_kernels_only", "kernels/x.py", KERNEL.replace("@kernel", "@serial_kernel")),
    ("kernels_allocate_nothing", "kernels/x.py", KERNEL + "    y = np.zeros(3)\n"),
    ("kernels_allocate_nothing", "kernels/x.py", "@body\ndef f(x):\n    return numpy.empty_like(x)"),
    ("docstrings_have_their_fields", "kernels/x.py", KERNEL.replace("Errors", "Raises")),
    (
        "docstrings_have_their_fields",
        "kernels/x.py",
        KERNEL.replace("@kernel", "@primitive('1')").replace("Work ", "Flop"),
    ),
    ("docstrings_have_their_fields", "kernels/x.py", "@serial_kernel\ndef f(x):\n    pass"),
    ("files_are_short", "jitnet/x.py", "\n" * 301),
]


@pytest.mark.parametrize("path", FILES)
def test_the_rules_hold(path):
    assert structure.complaints(path, (ROOT / path).read_text()) == []


@pytest.mark.parametrize("rule, path, source", PLANTED)
def test_a_planted_violation_is_found(rule, path, source):
    found = structure.complaints(path, source)
    assert any(f": {rule}: " in complaint for complaint in found), found


def test_a_good_kernel_is_let_through():
    assert structure.complaints("kernels/x.py", "from numba import prange\n" + KERNEL) == []


def graph():
    return import_cycles.import_graph({path: (ROOT / path).read_text() for path in FILES})


def test_no_module_imports_itself_through_others():
    assert import_cycles.cycles(graph()) == []


def test_no_package_imports_itself_through_others():
    assert import_cycles.cycles(import_cycles.package_graph(graph())) == []


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ("import jitnet.b", "from jitnet.a import x", True),
        ("def f():\n    from jitnet import b", "import jitnet.a", True),
        ("from .b import x", "from . import a", True),
        ("import jitnet.b", "if TYPE_CHECKING:\n    import jitnet.a", False),
        ("import jitnet.b", "if typing.TYPE_CHECKING:\n    from jitnet.a import x", False),
        ("import numpy\nfrom jitnet.b import a", "import a", False),
    ],
)
def test_a_planted_cycle_is_found(a, b, found):
    graph = import_cycles.import_graph({"jitnet/a.py": a, "jitnet/b.py": b})
    assert import_cycles.cycles(graph) == ([["jitnet.a", "jitnet.b"]] if found else [])


def test_a_cycle_may_be_long_and_in_other_packages():
    sources = {
        "jitnet/p/a.py": "from ..b import x",
        "jitnet/b.py": "import jitnet.kernels.c",
        "kernels/c.py": "import jitnet.p.a",
    }
    assert import_cycles.cycles(import_cycles.import_graph(sources)) == [["jitnet.b", "jitnet.kernels.c", "jitnet.p.a"]]
    served = {
        "jitnet/__init__.py": "def __getattr__(name):\n    import jitnet.a",
        "jitnet/a.py": "from jitnet import x",
    }
    assert import_cycles.cycles(import_cycles.import_graph(served)) == []


def test_a_planted_cycle_of_packages_is_found():
    """No two modules import each other here, but the packages do; a package and one inside it are not two."""
    sources = {
        "jitnet/p/__init__.py": "", "jitnet/p/a.py": "import jitnet.q.a", "jitnet/p/b.py": "",
        "jitnet/q/__init__.py": "", "jitnet/q/a.py": "", "jitnet/q/b.py": "import jitnet.p.b",
    }  # fmt: skip
    found = import_cycles.import_graph(sources)
    assert import_cycles.cycles(found) == []
    assert import_cycles.cycles(import_cycles.package_graph(found)) == [["jitnet.p", "jitnet.q"]]
    inside = {path.replace("/q/", "/p/q/"): text.replace("jitnet.q", "jitnet.p.q") for path, text in sources.items()}
    assert import_cycles.cycles(import_cycles.package_graph(import_cycles.import_graph(inside))) == []


def twins(source):
    """Yield each public kernel's name and what its docstring says it matches."""
    for function in structure.public_kernels(ast.parse(source)):
        match = re.search(r"Matches +: (.*)", ast.get_docstring(function))
        yield function.name, match[1]


@pytest.mark.parametrize("path", KERNELS)
def test_every_public_kernel_has_a_twin_of_its_name(path):
    for name, matches in twins((ROOT / path).read_text()):
        elsewhere = re.search(r"tests/kernels/test_\w+\.py", matches)  # the digits are checked against themselves
        if elsewhere:
            assert (ROOT / elsewhere[0]).exists()
        else:
            assert f"tests.support.naive.{name}" in re.split(r"[;. ] |;|\.$", matches), (
                f"{name} names another twin: {matches}"
            )
            assert callable(getattr(naive, name)), f"{name} has no twin"


@pytest.mark.parametrize("path", KERNELS)
def test_every_public_kernel_is_called_by_a_test(path):
    """The twin must not stand there alone."""
    tests = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    for name, matches in twins((ROOT / path).read_text()):
        if "tests.support.naive" in matches:
            assert re.search(rf"\bnaive\.{name}\(", tests), f"no test uses the twin of {name}"


def test_the_twins_share_nothing_with_the_kernels():
    names = set(structure.imported(ast.parse((ROOT / "tests/support/naive.py").read_text())))
    assert names == {
        "math",
        "numpy",
        "jitnet.model.architecture.Conv",
        "jitnet.model.architecture.Dense",
        "jitnet.model.architecture.Pool",
    }


@pytest.mark.parametrize(
    "name",
    [
        "cli",
        "events",
        "config",
        "display",
        "run.start",
        "data",
        "history",
        "trials.driver",
        "trials.trial",
        "estimators",
    ],
)
def test_what_answers_at_once_does_not_wait_for_numba(name):
    run(f"import sys, jitnet.{name}\nassert 'numba' not in sys.modules and 'llvmlite' not in sys.modules")


def test_names_that_are_shared_are_defined():
    """These are the parameters that need no comment."""
    head = ast.get_docstring(ast.parse((ROOT / "kernels/table.py").read_text()))
    assert all(re.search(rf"\b{name}\b", head) for name in structure.SHARED)
