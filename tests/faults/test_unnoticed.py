"""What planted faults have changed without any test noticing: each has its test here, and stands in planted.py."""

from types import SimpleNamespace

import numpy as np
import pytest
from run_folders import HEADER, write_run

from jitnet.config import Settings
from jitnet.data.readers import class_folders
from jitnet.history import read_run
from jitnet.kernels.compiler import cache
from jitnet.model.scores import probabilities, score
from jitnet.report.measure import measure
from jitnet.report.section import _loss_and_errors
from jitnet.report.subject import Subject
from jitnet.trials.driver import Driver
from jitnet.trials.plan import plan


@pytest.fixture
def run(tmp_path):
    """A run of three epochs in 3,660 seconds, each with another test loss."""
    path = write_run(tmp_path, "a", [90.0, 91.0, 92.0])
    rows = [
        f"{n},{n + 1},0.1,0.5,,,{loss},9{n},10,1,60,{1220 * (n + 1)}" for n, loss in enumerate((0.75, 0.625, 0.375))
    ]
    (path / "metrics.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return read_run("a", tmp_path)


def test_a_report_shows_hours_as_hours_and_the_loss_of_the_last_epoch(run):
    subject = Subject(run, (), {}, None, np.zeros((0, 1, 1, 1), np.uint8))
    assert " in 1 h 1 min, " in subject.sentence
    assert _loss_and_errors(subject) == [("test loss", "0.3750")]


def test_the_worst_errors_come_first():
    chances = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.7, 0.3]])
    found = measure("d", chances, np.array([1, 1, 0, 1, 0]), most=3)
    assert [mistake.index for mistake in found.mistakes] == [1, 2, 3] and found.errors == 4
    assert found.mistakes[0].loss == pytest.approx(-np.log(0.1))


def test_probabilities_of_large_scores_are_finite():
    with np.errstate(all="raise", under="ignore"):
        found = probabilities(np.array([[1000.0, 999.0], [-1000.0, -1000.0], [0.0, -2000.0]], np.float32))
    np.testing.assert_allclose(found, [[1 / (1 + np.exp(-1)), 1 / (1 + np.e)], [0.5, 0.5], [1, 0]])


def test_of_equal_outputs_the_first_is_the_answer():
    outputs = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0], [3.0, 3.0, 3.0]])
    assert score(outputs, np.array([0, 1, 0]))[1] == 100.0
    assert score(outputs, np.array([1, 2, 2]))[1] == 0.0


def test_the_key_of_class_folders_depends_on_names_of_files(tmp_path):
    for label, grey in (("a", 0), ("b", 1)):
        (tmp_path / label).mkdir()
        for image in range(7):
            (tmp_path / label / f"{image}.pgm").write_bytes(b"P5 1 1 255\n" + bytes([grey + image]))
    first = class_folders.fingerprint(tmp_path)
    (tmp_path / "a" / "0.pgm").rename(tmp_path / "a" / "00.pgm")  # the same images in the same order
    assert class_folders.fingerprint(tmp_path) != first
    (tmp_path / "a" / "00.pgm").rename(tmp_path / "a" / "0.pgm")
    assert class_folders.fingerprint(tmp_path) == first


@pytest.mark.parametrize("module", ["numpy", "numba", "llvmlite"])
def test_kernels_of_another_version_have_another_folder(monkeypatch, module):
    before = cache._fingerprint()
    monkeypatch.setattr(getattr(cache, module), "__version__", "0.0.0")
    assert cache._fingerprint() != before


@pytest.mark.parametrize(
    ("column", "values"), [("val_accuracy", (90.0, 95.0, 80.0, 85.0)), ("val_loss", (0.3, 0.1, 0.9, 0.5))]
)
def test_halving_keeps_the_better_half(column, values):
    planned = plan(Settings(val=10, epochs=4, schedule="constant"), "sweep", {"lr": (0.1, 0.2, 0.3, 0.4)}, halving=2)
    names = {trial.name: value for trial, value in zip(planned.trials, values)}
    folder = SimpleNamespace(epochs_of=lambda name: [{column: names[name]}], status_of=lambda name: "stopped")
    driver = Driver.__new__(Driver)
    driver.plan, driver.folder = planned, folder
    alive, dropped = driver._better(planned.groups, 1)
    assert list(alive) == ["lr=0.1", "lr=0.2"]
    assert [trials[0].varied["lr"] for trials in dropped] == [0.3, 0.4]
