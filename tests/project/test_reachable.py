"""Every kernel computes something for a user: it is reached from a call that trains or predicts."""

import ast
from pathlib import Path

import pytest
import structure
from processes import ROOT

KERNELS = ROOT / "kernels"
FILES = sorted(path for room in (".", "layers", "fast") for path in (KERNELS / room).glob("*.py"))
CALLERS = [ROOT / "jitnet" / "model" / name for name in ("network.py", "inference.py", "simple_kernels.py")]

Place = tuple[Path, str]  # a file and a name at its top level


def module(path: Path, node: ast.ImportFrom) -> Path | None:
    """Return the file that `from node.module import` in a file of kernels/ or jitnet/ names, if it is in kernels/."""
    if node.level:
        folder = path.parents[node.level - 1]
        return (folder / (node.module or "").replace(".", "/")).with_suffix(".py")
    if (node.module or "").startswith("jitnet.kernels."):
        return (KERNELS / node.module.removeprefix("jitnet.kernels.").replace(".", "/")).with_suffix(".py")
    return None


def uses(path: Path) -> dict[Place, set[Place]]:
    """Return what each top-level name of a file uses, and under the name "" what its imports bring in."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), {}
    known: dict[str, Place] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (source := module(path, node)):
            known |= {alias.asname or alias.name: (source, alias.name) for alias in node.names}
    found[path, ""] = set(known.values())
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node]
        names = {item.id for target in targets for item in ast.walk(target) if isinstance(item, ast.Name)}
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = {node.name}
        for name in names:
            used = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)} - {name}
            found[path, name] = {known.get(other, (path, other)) for other in used}
    return found


def reached(roots: set[Place], graph: dict[Place, set[Place]]) -> set[Place]:
    """Return all places that lead from the roots."""
    seen: set[Place] = set()
    waiting = set(roots)
    while waiting:
        place = waiting.pop()
        seen.add(place)
        waiting |= graph.get(place, set()) - seen
    return seen


def unreached(files: list[Path], callers: list[Path]) -> list[str]:
    """Return the compiled functions of some files that no caller leads to."""
    graph = {place: used for path in files for place, used in uses(path).items()}
    roots = set().union(*(uses(path)[path, ""] for path in callers))
    seen = reached(roots, graph)
    compiled = {"kernel", "serial_kernel", "primitive", "body", "force_inline", "inline_ir"}
    return [
        f"{path.relative_to(ROOT)}: {function.name}"
        for path in files
        for function in structure.functions(ast.parse(path.read_text(encoding="utf-8")))
        if structure.decorators(function) & compiled and (path, function.name) not in seen
    ]


def test_every_kernel_is_reached_from_training_or_inference():
    assert unreached(FILES, CALLERS) == []


def test_the_graph_is_not_empty():
    kernels = [name for path in FILES for name in structure.public_kernels(ast.parse(path.read_text()))]
    assert len(kernels) >= 20


@pytest.mark.parametrize("name", ["kernels/step.py", "kernels/fast/batch.py"])
def test_a_kernel_that_no_one_calls_is_found(name):
    """Without one of the two steps, what it alone calls is left over."""
    assert len(unreached([path for path in FILES if path != ROOT / name], CALLERS)) > 3


def test_the_pages_do_not_know_the_fast_path():
    for path in (KERNELS / "step.py", *(KERNELS / "layers").glob("*.py")):
        assert not any(".fast" in name for name in structure.imported(ast.parse(path.read_text()))), path
