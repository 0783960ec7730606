"""The public interface is typed: a strict user program passes, and the types are those of the running package."""

import os
import re
import subprocess
import sys

import pytest
from processes import ROOT

from jitnet.config import BY_RECIPE

PROGRAM = """
import numpy as np
import numpy.typing as npt

import jitnet
from jitnet import CNN, MLP
from jitnet.data import Dataset, load
from jitnet.errors import InputError
from jitnet.events import EpochDone, Event


def watch(event: Event) -> None:
    if isinstance(event, EpochDone):
        print(event.epoch, event.test_accuracy)


def train() -> CNN:
    data: Dataset = load("synthetic", offline=True)
    return CNN("conv4 pool dense10", epochs=1, on_event=watch).fit(data.x_train, data.y_train)


def use(model: CNN | MLP, images: npt.NDArray[np.uint8]) -> list[int]:
    try:
        return [int(label) for label in model.predict(images)]
    except InputError as error:
        raise SystemExit(str(error)) from None


share: float = train().score(np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8))
model = jitnet.load("latest")
if isinstance(model, CNN | MLP):
    use(model, np.zeros((1, 28, 28), np.uint8))
else:
    values: npt.NDArray[np.float64] = model.predict(np.zeros((1, 4)))
jitnet.show(model.feature_maps(np.zeros((1, 28, 28), np.uint8))["conv1"][0])
"""
ALLOWED = ROOT / "tests/support/stubtest.txt"
MODULES = ["jitnet.estimators", "jitnet.errors", "jitnet.events", "jitnet.config", "jitnet.trials.api"]


def check(folder, *words):
    environment = os.environ | {"MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_strict_user_program_passes_and_a_wrong_one_does_not(tmp_path):
    options = ("mypy", "--strict", "--follow-imports=silent", "--config-file=", "program.py")
    (tmp_path / "program.py").write_text(PROGRAM)
    code, shown = check(tmp_path, *options)
    assert code == 0, shown
    (tmp_path / "program.py").write_text(PROGRAM.replace("share: float", "share: str"))
    code, shown = check(tmp_path, *options)
    assert code == 1 and 'has type "float", variable has type "str"' in shown


@pytest.mark.slow
def test_the_types_are_those_of_the_running_package(tmp_path):
    settings = str(ROOT / "pyproject.toml")
    code, shown = check(
        tmp_path, "mypy.stubtest", *MODULES, "--allowlist", str(ALLOWED), "--mypy-config-file", settings
    )
    assert code == 0, shown


def test_every_setting_of_a_recipe_is_known_to_be_none_only_before_the_recipe_is_chosen():
    """The slow test above found a new one late: stubtest compares the type with the default None."""
    (named,) = re.findall(r"Settings\\\.\((.*)\)", ALLOWED.read_text())
    assert set(named.split("|")) - {"__init__"} == BY_RECIPE
