"""`jitnet warmup`: every kernel that a command may call, for the batches and numbers that are compiled apart."""

from pathlib import Path

import numpy as np
import pytest
from commands import ROOT

from jitnet.cli import main
from jitnet.commands.parsers.warmup import KINDS
from jitnet.model.inference import in_groups
from jitnet.model.network import PART

BYTES, SINGLE, DOUBLE = np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64)
FORMS = {  # kind: parameters, images, whether targets are numbers, sizes of batches
    "images": (SINGLE, BYTES, False, (1, 2, PART + 1)),
    "tables": (SINGLE, SINGLE, True, (1, 2, PART + 1)),
    "floats": (SINGLE, SINGLE, False, (1, 2, PART + 1)),
    "gradcheck": (DOUBLE, BYTES, False, (PART + 1,)),
}


@pytest.fixture
def compiled(monkeypatch):
    """What is compiled: of networks the form and the size of a batch, of tools the name and the first argument."""
    made = {"networks": [], "scores": [], "tools": []}

    def kernels(network, size, images, targets):
        numbers = targets is not None and targets.ndim == 2
        made["networks"].append((network.params.dtype, images.dtype, numbers, size))
        return []

    def scores(network, images):
        made["scores"].append((network.params.dtype, images.dtype, in_groups(network)))
        return []

    def calls(given):
        made["tools"] += [(name, getattr(arguments[0], "dtype", None)) for name, arguments in given.items()]
        return []

    monkeypatch.setattr("jitnet.commands.warmup.compile_kernels", kernels)
    monkeypatch.setattr("jitnet.commands.warmup.compile_inference", scores)
    monkeypatch.setattr("jitnet.training.compile_tools.compile_calls", calls)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_compiled_alone_and_for_each_of_its_drivers(compiled, kind):
    assert main(["warmup", kind, "--ui", "quiet"]) == 0
    *form, sizes = FORMS.get(kind, ((),))
    assert compiled["networks"] == [(*form, size) for size in sizes]
    assert bool(compiled["tools"]) == (kind == "tools")
    assert compiled["scores"] == [(*form[:2], False)] * (kind != "tools"), "those without conv blocks have a kernel too"


def test_all_kinds_are_compiled_if_none_is_named(compiled, capsys):
    assert main(["warmup", "--ui", "plain"]) == 0
    assert len(compiled["networks"]) == sum(len(form[-1]) for form in FORMS.values()) and compiled["tools"]
    shown = capsys.readouterr().out.splitlines()
    assert shown[:-1] == [f"{kind} ({place} of {len(KINDS)}): {KINDS[kind]}" for place, kind in enumerate(KINDS, 1)]


def test_every_tool_is_compiled_and_the_augmentation_for_bytes_and_floats(compiled):
    assert main(["warmup", "tools", "--ui", "quiet"]) == 0
    modules = {Path(name.replace(".", "/")).parent for name, _ in compiled["tools"]}
    files = {path.relative_to(ROOT / "kernels").with_suffix("") for path in (ROOT / "kernels/tools").glob("[!_]*.py")}
    assert modules == files
    assert [dtype for name, dtype in compiled["tools"] if "augment" in name] == [BYTES, SINGLE]
