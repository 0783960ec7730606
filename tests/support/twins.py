"""Exports of the C++ twin, compiled: fixtures of the tests in test_twin_*.py, made once for all of them."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nets
import numpy as np
import pytest
from commands import digits
from data_files import write_idx

from jitnet.cli import main
from jitnet.config import Settings
from jitnet.data import load
from jitnet.export import twin
from jitnet.model.architecture import to_text
from jitnet.storage import checkpoint

ROOT = Path(__file__).resolve().parents[2]
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
NATIVE = ("-O3", "-march=native", "-ffp-contract=fast")  # as in the README's line, which a test compares

# The recipe of each network of nets.MAKES, in turn.
RECIPES = [
    {},
    {"batch_size": 3, "optimizer": "momentum"},
    {"loss": "mse", "lr": 0.1},
    {"batch_size": 2, "optimizer": "adam", "lr": 0.003},
    {"batch_size": 3, "reduction": "sum", "weight_decay": 0.01},
    {"optimizer": "nesterov", "weight_decay": 0.01},
    {"batch_size": 4, "optimizer": "adamw", "lr": 0.003, "weight_decay": 0.1},
]


@dataclass
class Program:
    """A compiled program and the folder it was exported to."""

    path: Path
    folder: Path

    def __call__(self, *words, cwd: Path | None = None, code: int = 0) -> str:
        """Run it; return what it prints, or of a failure with that exit code what it complains of."""
        done = subprocess.run([self.path, *map(str, words)], cwd=cwd or self.folder, capture_output=True, text=True)
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        if code == 0:
            assert done.stderr == "", done.stderr  # where the sanitizers would speak
        return done.stderr if code else done.stdout


def compiler(name: str = "") -> str:
    """Return a C++ compiler, or this one; skip the test without it."""
    found = shutil.which(name) if name else twin.find_compiler()
    if found is None:
        pytest.skip(f"no C++ compiler {name} was found".rstrip() + ": install g++ or clang")
    return found


def compiled(source: Path, program: Path, *flags: str, with_compiler: str = "", include: Path | None = None) -> Path:
    """Compile a file, no warning allowed."""
    command = [with_compiler or compiler(), "-std=c++17", *WARNINGS, *flags, f"-I{include or source.parent}"]
    done = subprocess.run([*command, str(source), "-o", str(program)], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr[:2000]
    return program


def export(run: str, out: Path, *words: str, runs_dir: Path = ROOT / "runs") -> Path:
    """Export a run, the reference run of the project unless told otherwise."""
    assert main(["export", "cpp", run, "--runs-dir", str(runs_dir), "--out", str(out), *words]) == 0
    return out


@pytest.fixture(scope="session")
def cnn_twin(tmp_path_factory) -> Program:
    """The documents' CNN with the weights of the reference run, as fast as it gets."""
    compiler()
    folder = export("reference-cnn", tmp_path_factory.mktemp("cnn") / "twin")
    return Program(compiled(folder / "main.cpp", folder / "jitnet_cpp", *NATIVE), folder)


@pytest.fixture(scope="session")
def mnist(tmp_path_factory):
    """MNIST, or the built-in digits in its place, and a folder with its four files for C++."""
    data = load("auto", offline=True, warn=lambda message: None)
    arrays = {name: getattr(data, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    return data, write_idx(tmp_path_factory.mktemp("mnist") / "files", arrays)


@pytest.fixture(scope="session")
def tiny_twin(tmp_path_factory) -> Program:
    """A small network after two epochs of Adam, under the sanitizers; its digits and runs/ are next to it."""
    compiler()
    folder = tmp_path_factory.mktemp("tiny")
    words = ("--arch", "conv2 pool dense4:tanh", "--init", "he", "--lr", "0.01", "--optimizer", "adam", "--shuffle")
    words += ("--batch-size", "16", "--data", str(digits(folder)), "--runs-dir", str(folder / "runs"), "--ui", "quiet")
    assert main(["train", "cnn", *words, "--epochs", "2", "--name", "run"]) == 0
    out = export("run", folder / "twin", runs_dir=folder / "runs")
    return Program(compiled(out / "main.cpp", out / "jitnet_cpp", "-O0", *SANITIZERS), out)


@dataclass
class Case:
    """A network of nets.MAKES with a recipe, and the folder of its files."""

    case: nets.Case
    settings: Settings
    order: np.ndarray
    folder: Path


@pytest.fixture(scope="session")
def cases(tmp_path_factory) -> tuple[Program, list[Case]]:
    """All networks of nets.MAKES in one program under the sanitizers, with files to train each a few steps."""
    compiler()
    folder = tmp_path_factory.mktemp("cases")
    shutil.copy(ROOT / "tests" / "cpp" / "cases.cpp", folder)
    for name in ("jitnet.hpp", "checkpoint.hpp"):
        (folder / name).write_text(twin.source(name))
    made, spaces, calls = [], [], []
    for number, make in enumerate(nets.MAKES):
        case = nets.case(make, np.float32, images=5, seed=number)
        values = {"lr": 0.05} | RECIPES[number % len(RECIPES)]
        case.network.loss = values.get("loss", "cross-entropy")
        settings = Settings(architecture=to_text(case.layers[:-1]) or "dense1", **values)
        header = twin.model_header(case.network, settings, "case").replace(
            "namespace model", f"namespace case_{number}"
        )
        spaces.append("".join(line for line in header.splitlines(True) if not line.startswith("#")))
        calls.append(
            f"  if (number == {number}) train_case<case_{number}::layers>(folder, case_{number}::settings());\n"
        )
        order = np.random.default_rng(number).integers(0, 5, 9)
        made.append(Case(case, settings, order, folder / str(number)))
        made[-1].folder.mkdir()
        steps = {"images": case.images, "targets": case.targets, "order": order}
        checkpoint.save(made[-1].folder / "steps.safetensors", steps, {})
    run_case = f"void run_case(int number, const std::string& folder) {{\n{''.join(calls)}}}\n"
    (folder / "cases.hpp").write_text("\n".join([*spaces, run_case]))
    return Program(compiled(folder / "cases.cpp", folder / "cases", "-O0", *SANITIZERS), folder), made
