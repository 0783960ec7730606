"""Mutation testing: change one operator, number or statement at a time, and see whether a test notices.

    python -m tests.campaigns.mutation             a sample of the mutants of all FILES and PACKAGES, hours on one core
    python -m tests.campaigns.mutation kernels/layers/pooling.py jitnet/report      of a file, of a package

Kernels run as plain Python. What survives is listed in docs/reliability.json with its line; docs/reliability.md says
why each may. What was answered stays answered until the file or its tests change.
"""

import ast
import copy
import random
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]
import altered
import figures

SAMPLE = 50  # mutants of a file that has at least twice as many
SAMPLE_OF_A_PACKAGE = 12
SECONDS = 45  # of processor time, several times what the slowest of these tests take
FILES = {  # in plain Python float32 rounds otherwise than compiled, so some are tested in float64 alone
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
    "kernels/fast/conv_winograd_weight.py": "tests/kernels/test_winograd_weight.py -k float64",
    "kernels/layers/linear.py": "tests/kernels/test_linear.py",
    "kernels/compiler/interpreted.py": "tests/kernels/test_contract.py tests/kernels/test_rows.py "
    "tests/kernels/test_pooling.py tests/kernels/test_sparse.py "
    "tests/kernels/test_persample.py",
}
REPORT = (  # without those that need a browser
    "tests/faults/test_surviving.py tests/faults/test_unnoticed.py tests/display/test_report_regression.py "
    "tests/display/test_report.py "
    "-k 'not contrast and not pointer and not prints'"
)
HISTORY = "tests/faults/test_unnoticed.py tests/commands/test_runs_command.py -k 'not numba'"
TRIALS = "tests/faults/test_unnoticed.py tests/trials/test_trials.py tests/trials/test_trials_views.py"
ESTIMATORS = (
    "tests/faults/test_surviving.py tests/faults/test_unnoticed.py tests/estimators/test_targets.py "
    "tests/estimators/test_inputs.py"
)
PYTHON_API = f"{ESTIMATORS} tests/estimators/test_python_api.py tests/estimators/test_estimators.py"
PICTURES = "tests/data/test_data_ink_bounds.py tests/data/test_data_pictures.py tests/data/test_data_images.py"
TABLES = "tests/data/test_data_ink_bounds.py tests/data/test_data_readers.py tests/data/test_data_inputs.py"
TRAINING, CACHE = "tests/training/test_training.py", "tests/data/test_data_cache.py"
COACH = "tests/training/test_coach_bounds.py tests/training/test_coach.py -k 'not cure and not other_programs'"
PACKAGES = {  # their files that compute or select; a file is its own test too where it has examples
    "jitnet/report": {
        "measure.py": REPORT, "subject.py": REPORT, "regression.py": REPORT, "reliability.py": REPORT,
        "chart.py": REPORT, "heatmap.py": f"tests/display/test_film.py {REPORT}", "convolutions.py": REPORT,
        "sweep_page.py": "tests/faults/test_surviving.py tests/trials/test_trials.py tests/display/test_film.py",
    },
    "jitnet/history": {
        "statistics.py": "jitnet/history/statistics.py tests/trials/test_trials.py", "select.py": HISTORY,
        "compare.py": HISTORY, "curves.py": f"jitnet/history/curves.py {HISTORY}", "read.py": HISTORY,
        "tables.py": f"tests/trials/test_trials.py {HISTORY}", "board.py": TRIALS,
    },
    "jitnet/trials": {
        "plan.py": f"jitnet/trials/plan.py {TRIALS}",
        "driver.py": f"{TRIALS} tests/trials/test_trials_driver.py",
    },
    "jitnet/data": {
        "labels.py": f"jitnet/data/labels.py {PICTURES} {TABLES}", "split.py": f"{TABLES} {TRAINING}",
        "pixels.py": f"{TABLES} {PICTURES}", "orientation.py": TABLES, "readers/columns.py": TABLES,
        "readers/tables.py": TABLES, "pictures/ink.py": PICTURES, "pictures/prepare.py": PICTURES,
        "pictures/resize.py": PICTURES, "pictures/shapes.py": PICTURES,
        "sources/cache.py": CACHE, "sources/layouts.py": f"{CACHE} {TABLES}",
    },
    "jitnet/estimators": {
        "weighting.py": PYTHON_API, "targets.py": f"jitnet/estimators/targets.py {PYTHON_API}", "inputs.py": PYTHON_API,
        "insight.py": PYTHON_API, "regressor.py": PYTHON_API, "classifier.py": PYTHON_API,
    },
    "jitnet/training": {
        "schedule.py": "jitnet/training/schedule.py tests/training/test_schedule.py",
        "averaging.py": "tests/training/test_averaging.py", "stopping.py": "tests/training/test_stopping.py",
        "augmentation.py": "jitnet/training/augmentation.py tests/faults/test_unnoticed.py "
        "tests/training/test_augmentation.py",
        "coach.py": COACH, "glimpses.py": "tests/training/test_glimpses.py",
        "running_accuracy.py": "tests/training/test_glimpses.py", "position.py": TRAINING,
        "evaluation.py": f"tests/training/test_averaging.py {TRAINING}",
        "weight_change.py": "tests/display/test_panels.py", "pace.py": "tests/training/test_pace.py",
        "calibration.py": "tests/training/test_calibration.py",
        "loop.py": f"{TRAINING} tests/training/test_large_batches.py",
    },
}  # fmt: skip
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


def places(source: str) -> list[int]:
    """Return which nodes of a source, in the order of `ast.walk`, have a mutation."""
    return [place for place, node in enumerate(ast.walk(ast.parse(source))) if changed(node) is not None]


def mutant(source: str, place: int) -> tuple[int, str, str]:
    """Return the line, a description of the change, and the whole changed source."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    target = nodes[place]
    new = changed(target)
    for parent in nodes:
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(item is target for item in value):
                setattr(parent, name, [new if item is target else item for item in value])
    was = ast.unparse(target).split("\n")[0]
    shown = ast.unparse(ast.fix_missing_locations(new)).split("\n")[0]
    return target.lineno, f"{was} -> {shown}", ast.unparse(ast.fix_missing_locations(tree))


def sampled(files: Iterable[str], most: int) -> tuple[int, list[tuple[str, int]]]:
    """Return how many mutants some files have, and which are tried, always the same ones: (file, place)."""
    made = [(file, place) for file in files for place in places((altered.ROOT / file).read_text())]
    return len(made), made if len(made) < 2 * most else sorted(random.Random(0).sample(made, most))


def count(sources: altered.Copy, target: str) -> None:
    """Try the mutants of a file or package, print those that survive, and note how many there are."""
    if target in FILES:
        tests, most = {target: FILES[target]}, SAMPLE
    else:
        tests, most = {f"{target}/{name}": words for name, words in PACKAGES[target].items()}, SAMPLE_OF_A_PACKAGE
    made, tried = sampled(tests, most)
    alive = []
    for file, place in tried:
        source = (altered.ROOT / file).read_text()
        whole = ast.unparse(ast.parse(source))
        assert sources.status(file, whole, tests[file]) == altered.PASSED, f"{tests[file]} fail without a mutant"
        line, shown, mutated = mutant(source, place)
        if sources.status(file, mutated, tests[file], SECONDS) == altered.PASSED:
            where = "" if target == file else f"{file.removeprefix(target + '/')}, "
            alive.append(f"{where}line {line}: {shown}")
    dead = len(tried) - len(alive)
    print(f"{target}: {dead} of {len(tried)} killed, of {made} that there are", *alive, sep="\n  ", flush=True)
    figures.note(f"mutation {target}", mutants=made, tried=len(tried), killed=dead, survivors=alive, files=len(tests))


def main(wanted: list[str]) -> None:
    """Count the wanted targets, or all."""
    sources = altered.Copy()
    for target in wanted or (*FILES, *PACKAGES):
        count(sources, target)


if __name__ == "__main__":
    altered.warm()
    with figures.kept():
        main(sys.argv[1:])
