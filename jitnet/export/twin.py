"""The C++ twin of a network: fixed sources from cpp/, and the files that are made for one run."""

import os
import re
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path

import numpy as np

from jitnet import __version__
from jitnet.config import SETTINGS, Settings
from jitnet.data.content import Report, silent
from jitnet.errors import InputError, JitnetError
from jitnet.export.folder import other_files, write_files
from jitnet.model import inference, kernel_choice
from jitnet.model.architecture import Conv, Pool, Shape
from jitnet.model.network import Network
from jitnet.model.optimizer import AVERAGE
from jitnet.setting import Setting
from jitnet.storage import checkpoint
from jitnet.storage.checkpoint import Metadata, Tensors

SOURCES = ("jitnet.hpp", "checkpoint.hpp", "main.cpp", "selftest.cpp", "CMakeLists.txt", "README.md")
MADE = ("model.hpp", "model.safetensors", "golden.bin")
GOLDEN_IMAGES = 32
COMPILERS = ("c++", "g++", "clang++")
FLAGS = ("-std=c++17", "-O3")
# Settings of a training that the C++ program refuses to carry out; it predicts with any weights.
ONLY_PYTHON = {"augment": "--augment", "label_smoothing": "--label-smoothing", "ema": "--ema"}
LARGEST = 50_000_000  # parameters: the twin is one static object, which holds them four times, and 2 GB is its limit


class TwinError(JitnetError):
    """The exported program cannot be compiled here, or its results differ from those of Python."""


def write(out: Path, network: Network, settings: Settings, state: Tensors, metadata: Metadata) -> None:
    """Write the twin of a network whose state (parameters, position, optimiser) is given into the folder `out`.

    Raises `InputError` if `require_twin` does, or if the folder cannot be written.
    """
    require_twin(out, network, settings)
    golden_tensors = golden(network)
    header = model_header(network, settings, metadata["title"])
    write_files(out, {name: source(name) for name in SOURCES} | {"model.hpp": header})
    checkpoint.save(out / "golden.bin", golden_tensors, {"jitnet": __version__})
    checkpoint.save(out / "model.safetensors", state, metadata)


def require_twin(out: Path, network: Network, settings: Settings) -> None:
    """Raise `InputError` if the network has no twin, or if the folder holds something else."""
    if settings.target:
        raise InputError(
            f"the run approximates {settings.target!r} from numbers: expected a run that learns labels, as the C++ "
            "program does"
        )
    lacking = kernel_choice.lacking(network.shapes, network.dropout)
    if lacking:
        raise InputError(
            f"the network has {lacking}, which the C++ program lacks: expected the activations "
            f"{', '.join(sorted(kernel_choice.FAST_ACTIVATIONS))}, max pooling and no dropout"
        )
    if network.params.size > LARGEST:
        raise InputError(f"the network has {network.params.size:,} parameters: expected at most {LARGEST:,} for C++")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out is {out}, which is a file: expected a folder, new or empty")
    if out.is_dir() and any(out.iterdir()) and not (out / "model.hpp").exists():
        raise other_files(out)


def source(name: str) -> str:
    """Return one of the fixed files."""
    return (files("jitnet.export") / "cpp" / name).read_text(encoding="utf-8")


def model_header(network: Network, settings: Settings, title: str) -> str:
    """Return model.hpp: the network's shapes as constants, the run's settings, and `predict`."""
    height, width, channels = network.image
    records = [_record(network.shapes, place) for place in range(len(network.shapes))]
    table = "".join(f"    {record},\n" for record in records if record)
    values = {
        "VERSION": __version__,
        "TITLE": _literal(title),
        "ARCHITECTURE": _literal(settings.architecture),
        "BIAS": network.bias,
        "ONLY_PYTHON": " and ".join(option for name, option in ONLY_PYTHON.items() if getattr(settings, name)),
        "HEIGHT": height,
        "WIDTH": width,
        "CHANNELS": channels,
        "CLASSES": network.classes,
        "GOLDEN_IMAGES": GOLDEN_IMAGES,
        "DEPTH": table.count("\n"),
        "TABLE": table,
        "SETTINGS": "".join(f"  settings.{name} = {value};\n" for name, value in _settings(settings).items()),
    }
    return re.sub("@([A-Z_]+)@", lambda found: str(values[found[1]]), source("model.hpp.in"))  # a title may hold an @


def _settings(settings: Settings) -> dict[str, object]:
    """Return the members of the C++ settings with their values as C++."""
    members: dict[str, object] = {"rule.summed": str(settings.reduction == "sum").lower()}
    return members | {item.cpp: _cpp(item, getattr(settings, name)) for name, item in SETTINGS.items() if item.cpp}


def _cpp(item: Setting, value: object) -> str:
    """Return a setting's value as C++: an enumerator of the enumeration called like the setting, or a literal."""
    if item.choices:
        return f"jitnet::{item.name.capitalize()}::{str(value).replace('-', '_')}"
    if item.kind is bool:
        return str(value).lower()
    return f"{value!r}u" if item.name == "seed" else repr(value)


def _record(network: tuple[Shape, ...], place: int) -> str:
    """Return a layer's record of the C++ table; none for a pool, which belongs to the conv before it."""
    shape = network[place]
    if isinstance(shape.layer, Pool):
        return ""
    conv = isinstance(shape.layer, Conv)
    kind = "conv" if conv else "dense"
    activation = "linear" if place == len(network) - 1 else shape.layer.activation
    pool = str(place + 1 < len(network) and isinstance(network[place + 1].layer, Pool)).lower()
    inputs = shape.inputs if conv else (1, 1, *shape.inputs)
    bias = shape.bias[:2] if conv else (1, 1)
    extents = ", ".join(map(str, (*inputs, shape.outputs[-1], *bias)))
    return f'{{"{shape.name}", Kind::{kind}, Activation::{activation}, {pool}, {extents}}}'


def _literal(text: str) -> str:
    """Return text as a C++ string that is a JSON string too, where C++ writes it into a checkpoint."""
    return '"' + "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "?" for c in text) + '"'


def state(tensors: Tensors, network: Network) -> Tensors:
    """Return what a C++ program reads of a checkpoint: with an average of the weights those of the network alone."""
    if AVERAGE not in tensors:
        return tensors
    kept = {name: array for name, array in tensors.items() if not name.startswith("optimizer.")}
    return kept | network.tensors()


def _checksums(network: Network, image: np.ndarray) -> list[tuple[float, float]]:
    """Return the sum of each layer's outputs for an image (1, H, W, C), and that of their squares."""
    outputs = [out.astype(np.float64) for out in inference.layer_outputs(network, image)]
    return [(float(out.sum()), float((out**2).sum())) for out in outputs]  # a border adds 0


def golden(network: Network) -> Tensors:
    """Return images and what the network computes for them: logits, checksums of its layers, losses of training steps.

    The steps are those of the C++ program, without smoothed labels. The network is left as it was.
    """
    plain = Network(network.layers, network.image, network.bias, loss=network.loss)
    plain.params[:] = network.params
    network = plain
    images, targets = golden_images(network)
    logits = network.logits(images)
    checksums = np.array([_checksums(network, images[n : n + 1]) for n in range(len(images))])
    before, count = network.params.copy(), len(images)
    signs = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), before.size)
    nudged = before * (1 + np.finfo(np.float32).eps * signs)

    def losses_from(start: np.ndarray, lr: float) -> np.ndarray:
        network.params[:] = start
        _, losses = network.train_steps(images, targets, np.arange(count), 1, np.full(count, lr), np.zeros(1))
        network.params[:] = before
        return losses

    lr, stands = 0.1, False  # large, so that a wrong gradient shows in the next losses; but a last bit must not
    while not stands and lr > 1e-12:
        lr /= 10
        losses = losses_from(before, lr)
        stands = bool(np.isfinite(losses).all()) and np.allclose(losses, losses_from(nudged, lr), 1e-5, 1e-5)
    figures = {"logits": logits, "checksums": checksums, "losses": losses, "lr": np.array([lr])}
    return {"images": images, "targets": targets, **figures}


def golden_images(network: Network, report: Report = silent) -> tuple[np.ndarray, np.ndarray]:
    """Return built-in digits if the network takes such, else noise on black; the same ones every time.

    `report` takes what takes a while: compiling, the first time.
    """
    if network.image == (28, 28, 1) and network.classes >= 10:
        from jitnet.data.synthetic import draw

        digits, labels = draw(0, 0, GOLDEN_IMAGES, report)
        return digits[..., None], labels
    rng = np.random.default_rng(0)
    shape = (GOLDEN_IMAGES, *network.image)
    noise = rng.integers(0, 256, shape, np.uint8) * (rng.random(shape) < 0.3).astype(np.uint8)
    return noise, rng.integers(0, min(network.classes, 256), GOLDEN_IMAGES).astype(np.uint8)


def find_compiler() -> str | None:
    """Return the C++ compiler to use: the environment's CXX, or the first of `COMPILERS` that is installed."""
    asked = os.environ.get("CXX", "")
    return next((path for name in (asked, *COMPILERS) if name and (path := shutil.which(name))), None)


def compile_source(compiler: str, path: Path, program: Path, *flags: str) -> None:
    """Compile one C++ file; raises `TwinError` with the compiler's first complaint."""
    done = subprocess.run([compiler, *FLAGS, *flags, str(path), "-o", str(program)], capture_output=True, text=True)
    if done.returncode != 0:
        first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()[:200])
        raise TwinError(f"{compiler} does not compile {path}: {first}; expected a compiler of C++17")


def verify(out: Path) -> str:
    """Compile the self-test of an export and run it; return what it says.

    Raises `InputError` if no compiler is found, `TwinError` if C++ and Python do not agree.
    """
    compiler = find_compiler()
    if compiler is None:
        raise InputError(
            f"the export is in {out}, but no C++ compiler was found to verify it: expected one of "
            f"{', '.join(COMPILERS)}, or CXX set to one; install g++ or clang"
        )
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "selftest")
        compile_source(compiler, out / "selftest.cpp", program)
        done = subprocess.run([program], cwd=out, capture_output=True, text=True)
    if done.returncode != 0:
        raise TwinError(f"the self-test of {out} fails with {compiler}: {done.stdout.strip() or done.stderr.strip()}")
    return f"{done.stdout}verified with {compiler}"
