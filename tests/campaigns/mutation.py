"""Mutation testing: change one operator, number or statement at a time, and see whether a test notices.

    python -m tests.campaigns.mutation             a sample of the mutants of all TARGETS, half an hour on one core
    python -m tests.campaigns.mutation kernels/layers/pooling.py     of one file

Kernels run as plain Python. What survives is listed in docs/reliability.json with its line; docs/reliability.md says
why each may.
"""

import ast
import contextlib
import copy
import os
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]
import figures

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = 50  # mutants of a file that has many more, always the same ones
TARGETS = {  # in plain Python float32 rounds otherwise than compiled, so some are tested in float64 alone
    "jitnet/data/readers/idx.py": "tests/data/test_data_readers.py",
    "jitnet/storage/atomic.py": "tests/run/test_atomic.py",
    "jitnet/storage/checkpoint.py": "tests/run/test_checkpoint.py tests/run/test_checkpoint_limits.py -k 'not flipped'",
    "jitnet/model/optimizer.py": "tests/kernels/test_optimizer.py",
    "kernels/layers/optimizer.py": "tests/kernels/test_optimizer.py",
    "kernels/layers/activation.py": "tests/kernels/test_activation.py",
    "kernels/layers/loss.py": "tests/kernels/test_loss.py -k float64",
    "kernels/layers/pooling.py": "tests/kernels/test_pooling.py",
    "kernels/layers/convolution.py": "tests/kernels/test_convolution.py",
    "kernels/fast/conv_winograd.py": "tests/kernels/test_winograd.py -k float64",
    "kernels/layers/linear.py": "tests/kernels/test_dense.py",
    "kernels/compiler/interpreted.py": "tests/kernels/test_contract.py tests/kernels/test_rows.py "
    "tests/kernels/test_pooling.py tests/kernels/test_sparse.py "
    "tests/kernels/test_persample.py",
}
CHUNKS = "another length of the pieces that threads take, or one more that is empty: the same result"
PEAK = "of the peak only the time is of interest, and in plain Python not even that"
UNUSED = (
    "the stride of an axis of one element, an extent that `contract` takes from another operand, a value of which the "
    "type counts: never used"
)
REASONS = {  # why what no test notices may live, by the change
    "jitnet/model/optimizer.py": {
        "1 -> 2": "a second record that nobody reads",
        "2 -> 3": "a number that is only compared with 0 and 1",
    },
    "jitnet/storage/atomic.py": {
        "8 -> 9": "a longer random name",
        "0 -> 1": "what stands for O_BINARY where there is none: the bit of O_WRONLY, which is set anyway",
    },
    "jitnet/storage/checkpoint.py": {
        "size < promised -> size <= promised": "only asked where they differ",
        "1 -> 2": "what stands for not found: any negative number does",
        "0 -> 1": "a header begins with a brace, so that nothing is found at 0",
    },
    "kernels/layers/pooling.py": {
        "2 -> 3": "of a window to the left of the first, of which nothing is read",
        "9 -> 10": "a number of the window once more, which never wins against itself",
    },
    "kernels/layers/convolution.py": {
        "0 -> 1": UNUSED,
        "1 -> 2": UNUSED,
        "3 -> 4": "an extent that `contract` takes from another operand, or few channels are four: another order",
    },
    "kernels/fast/conv_winograd.py": {
        "2 -> 3": "the rows of a band further apart",
        "4 -> 5": "then the last row of the border, of zeros, is omitted",
        "5 -> 6": "then the last row of the border, of zeros, is omitted",
    },
    "kernels/layers/linear.py": {
        "64 -> 65": CHUNKS,
        "32 -> 33": CHUNKS,
        "x.shape[0] + ROW_BLOCK - 1 -> x.shape[0] + ROW_BLOCK + 1": CHUNKS,
        "0 -> 1": UNUSED,
        "1 -> 2": UNUSED,
    },
    "kernels/layers/optimizer.py": {
        "4096 -> 4097": CHUNKS,
        "param.size + _CHUNK - 1 -> param.size + _CHUNK + 1": CHUNKS,
        "bad += values[i] - values[i] != 0 -> bad -= values[i] - values[i] != 0": "counts down; 0 stays 0",
    },
    "kernels/layers/activation.py": {
        "4096 -> 4097": CHUNKS,
        "x.size + _CHUNK - 1 -> x.size + _CHUNK + 1": CHUNKS,
        "out.size + _CHUNK - 1 -> out.size + _CHUNK + 1": CHUNKS,
        "z < 0 -> z <= 0": "at 0 both branches give 1/2",
    },
    "kernels/layers/loss.py": {},
    "kernels/compiler/interpreted.py": {
        "1 -> 2": "reshape takes any negative number for the size it finds itself",
        "False -> True": "a thread that is alone finds no half taken between its look and its grasp",
        "raise AssertionError('a thread that is alone has nobody to wait for') -> pass": "as it says",
        "bits & -bits -> bits | -bits": "minus the lowest bit, which is as long",
        "4 -> 5": PEAK,
        "x * a + b -> x * a - b": PEAK,
        "x * a -> x + a": PEAK,
        "0 -> 1": PEAK,
    },
}
SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift,
}  # fmt: skip


def changed(node: ast.AST) -> ast.AST | None:
    """Return another node in this one's place, or None if it has no mutation."""
    new = copy.copy(node)
    match node:
        case ast.Compare(ops=[op]) if type(op) in SWAPS:
            new.ops = [SWAPS[type(op)]()]
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in SWAPS:
            new.op = SWAPS[type(op)]()
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            return operand
        case ast.Constant(value=bool(value)):
            new.value = not value
        case ast.Constant(value=int(value) | float(value)):
            new.value = value + 1
        case ast.Raise() | ast.Expr(value=ast.Call()) | ast.Continue() | ast.Break():
            return ast.Pass()
        case _:
            return None
    return new


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, description of the change, whole source) for each mutation."""
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
        was = ast.unparse(target).split("\n")[0]
        shown = ast.unparse(ast.fix_missing_locations(new)).split("\n")[0]
        yield target.lineno, f"{was} -> {shown}", ast.unparse(ast.fix_missing_locations(tree))


def sampled(source: str) -> tuple[int, list[tuple[int, str, str]]]:
    """Return how many mutants there are, and those that are tried, in the order of their lines."""
    made = sorted(mutants(source))
    tried = made if len(made) < 2 * SAMPLE else random.Random(0).sample(made, SAMPLE)
    return len(made), sorted(tried)


def killed(file: str, source: str, tests: str, seconds: int) -> bool:
    """Does a test fail, or take longer than this number of seconds, with this source in place of the file?"""
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder)
        for name in ("jitnet", "kernels", "tests"):
            shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copied)
        (copied / file).write_text(source)
        child = os.fork()
        if child == 0:
            try:
                os.setsid()
                signal.alarm(seconds)
                os._exit(run_tests(copied, tests))
            except BaseException:
                traceback.print_exc()
                os._exit(9)
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what the tests had started
        return status != 0


def run_tests(checkout: Path, tests: str) -> int:
    """Run pytest in a forked process, which has no jitnet yet but all that takes long to import."""
    os.chdir(checkout)
    sys.path[:0] = [str(checkout), str(checkout / "tests")]
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
    os.environ.pop("JITNET_FIGURES", None)  # their counts with a mutant are not kept
    figures.PLACE = None
    os.dup2(os.open("output", os.O_WRONLY | os.O_CREAT), 1)
    os.dup2(1, 2)
    options = ["-q", "-x", "-p", "no:cacheprovider", "-W", "ignore::RuntimeWarning",
               "-W", "ignore::pytest.PytestAssertRewriteWarning", "--hypothesis-profile=mutants"]  # fmt: skip
    return pytest.main([*options, *shlex.split(tests)])


def main(wanted: list[str]) -> None:
    """Run the mutants of the wanted targets, or of all, and print those that survive."""
    for file in wanted or TARGETS:
        tests = TARGETS[file]
        source = (ROOT / file).read_text()
        started = time.monotonic()
        assert not killed(file, ast.unparse(ast.parse(source)), tests, 600), f"{tests} fail without a mutant of {file}"
        limit = 10 + 5 * int(time.monotonic() - started)
        count, tried = sampled(source)
        alive = [f"line {line}: {shown}" for line, shown, mutant in tried if not killed(file, mutant, tests, limit)]
        dead = len(tried) - len(alive)
        print(f"{file}: {dead} of {len(tried)} killed, of {count} that there are", *alive, sep="\n  ", flush=True)
        figures.note(f"mutation {file}", mutants=count, tried=len(tried), killed=dead, survivors=alive)


if __name__ == "__main__":
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":  # settled when numba is imported
        environ = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        os.execve(sys.executable, [sys.executable, "-m", "tests.campaigns.mutation", *sys.argv[1:]], environ)
    import hypothesis  # noqa: F401
    import numba  # noqa: F401
    import pytest

    with figures.kept():
        main(sys.argv[1:])
