"""Mutation testing: change one operator, number or statement at a time, and see whether a test notices.

    python -m tests.mutation          all mutants of TARGETS; some ten minutes on two cores

What survives is listed with its line; docs/reliability.md says why each may.
"""

import ast
import copy
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import figures

ROOT = Path(__file__).resolve().parent.parent
TARGETS = {  # in plain Python float32 rounds otherwise than compiled, so the loss is tested in float64
    "jitnet/data/idx.py": "tests/test_data_readers.py",
    "jitnet/atomic.py": "tests/test_atomic.py",
    "jitnet/checkpoint.py": "tests/test_checkpoint.py",
    "kernels/optimizer.py": "tests/test_optimizer.py",
    "kernels/activation.py": "tests/test_activation.py",
    "kernels/loss.py": "tests/test_loss.py -k float64",
    "kernels/plain.py": "tests/test_contract.py tests/test_rows.py tests/test_pooling.py tests/test_sparse.py",
}
SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip


def changed(node: ast.AST) -> ast.AST | None:
    """Return another node in this one's place, None if there is no mutation of it."""
    new = copy.copy(node)
    match node:
        case ast.Compare(ops=[op]) if type(op) in SWAPS:
            new.ops = [SWAPS[type(op)]()]
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in SWAPS:
            new.op = SWAPS[type(op)]()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Constant(value=bool(value)):
            new.value = not value
        case ast.Constant(value=int(value)):
            new.value = value + 1
        case ast.Raise() | ast.Expr(value=ast.Call()):
            return ast.Pass()
        case _:
            return None
    return new


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, what it is now, whole source) for each mutation."""
    count = sum(1 for _ in ast.walk(ast.parse(source)))
    for place in range(count):
        tree = ast.parse(source)
        nodes = list(ast.walk(tree))
        target = nodes[place]
        new = changed(target)
        if new is None:
            continue
        for parent in nodes:
            for name, value in ast.iter_fields(parent):
                if value is target:
                    setattr(parent, name, new)
                elif isinstance(value, list) and any(item is target for item in value):
                    setattr(parent, name, [new if item is target else item for item in value])
        shown = ast.unparse(ast.fix_missing_locations(new)).split("\n")[0]
        yield target.lineno, shown, ast.unparse(ast.fix_missing_locations(tree))


def killed(file: str, source: str, tests: str) -> bool:
    """Does a test fail, or hang, with this source in place of the file?"""
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder)
        for name in ("jitnet", "kernels", "tests"):
            shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copied)
        (copied / file).write_text(source)
        words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-W", "ignore::RuntimeWarning"]
        environ = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(copied), "JITNET_FIGURES": ""}
        try:
            done = subprocess.run(
                [*words, "--hypothesis-profile=few", *tests.split()],
                cwd=copied, env=environ, capture_output=True, timeout=120,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return True
        return done.returncode != 0


def main(wanted: list[str]) -> None:
    """Run all mutants of the wanted targets, or of all, and print those that survive."""
    for file in wanted or TARGETS:
        tests = TARGETS[file]
        source = (ROOT / file).read_text()
        assert not killed(file, ast.unparse(ast.parse(source)), tests), f"{tests} fail without a mutation of {file}"
        made = list(mutants(source))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            count = len(made)
            dead = list(pool.map(killed, [file] * count, [source for _, _, source in made], [tests] * count))
        survivors = [f"{file}:{line}: {shown}" for (line, shown, _), gone in zip(made, dead) if not gone]
        print(f"{file}: {sum(dead)} of {len(made)} killed", *survivors, sep="\n  ", flush=True)
        figures.note("mutation", **{file: {"mutants": len(made), "killed": sum(dead), "survivors": survivors}})


if __name__ == "__main__":
    main(sys.argv[1:])
