"""Programs that track runs, where they are installed, and a stand-in for each rule where they are not."""

import os
import sys
import time
import types

import pytest
import sample_run
from commands import digits, settle, train

from jitnet.commands.support import session
from jitnet.errors import InputError
from jitnet.events import Interrupted
from jitnet.integrations import figures, mlflow, tensorboard, wandb


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    return settle(monkeypatch, tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_reads_what_is_written(home):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = tensorboard.Log(home / "logs")
    for event in sample_run.events(epochs=3, val=91.0):
        log(event)
    found = EventAccumulator(str(home / "logs"), {"scalars": 0, "tensors": 0}).Reload()
    assert {"lr", "train_loss", "val_accuracy", "test_accuracy", "step_loss"} <= set(found.Tags()["tensors"])
    rows = found.Tensors("test_accuracy")
    assert [row.step for row in rows] == [60_000, 120_000, 180_000]
    assert [round(row.tensor_proto.float_val[0], 3) for row in rows] == [91.126, 91.226, 91.326]


@pytest.mark.filterwarnings("ignore")
def test_mlflow_has_parameters_metrics_and_the_end(home, monkeypatch):
    real = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    real.set_tracking_uri(f"file:{home}/mlruns")
    log = mlflow.Log()
    for event in sample_run.events(epochs=3):
        log(event)
    (run,) = real.search_runs(output_format="list")
    assert run.info.status == "FINISHED" and run.data.params["batch_size"] == "1"
    history = real.MlflowClient().get_metric_history(run.info.run_id, "test_accuracy")
    assert [(row.step, round(row.value, 3)) for row in history] == [(60000, 91.126), (120000, 91.226), (180000, 91.326)]
    assert real.active_run() is None


@pytest.mark.filterwarnings("ignore")
def test_wandb_is_given_the_figures_offline(home, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    log = wandb.Log()
    for event in sample_run.events(epochs=3):
        log(event)
    (file,) = (home / "wandb").rglob("run-*.wandb")
    for _ in range(100):  # its own process writes the file
        if b"test_accuracy" in file.read_bytes():
            return
        time.sleep(0.1)
    raise AssertionError("the figures are not in the file")


def test_figures_are_those_of_the_event():
    first = sample_run.epoch_done(0)
    assert figures.figures(first)["test_accuracy"] == first.test_accuracy and "val_loss" not in figures.figures(first)
    assert figures.figures(sample_run.started()) == {} and figures.recipe(sample_run.started())["epochs"] == 9


@pytest.mark.parametrize("module", [tensorboard, mlflow, wandb])
def test_a_package_that_is_not_installed_is_named(module, monkeypatch):
    for name in ("tensorboard", "tensorboard.summary", "mlflow", "wandb"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=f"needs {module.__name__.split('.')[-1]}.*: pip install"):
        module.Log()


def stand_in(monkeypatch, writer):
    """Let `--log tensorboard` write with another class."""
    monkeypatch.setitem(sys.modules, "tensorboard", types.ModuleType("tensorboard"))
    summary = types.ModuleType("tensorboard.summary")
    summary.Writer = writer
    monkeypatch.setitem(sys.modules, "tensorboard.summary", summary)


def test_the_command_line_logs_into_the_run_folder(home, monkeypatch):
    written = []

    class Writer:
        def __init__(self, folder):
            self.folder = folder

        def add_scalar(self, name, value, step):
            written.append((self.folder, name, step))

        def close(self):
            written.append("closed")

    stand_in(monkeypatch, Writer)
    digits(home)
    run = train("a", "--log", "tensorboard")
    assert written[-1] == "closed" and {row[0] for row in written[:-1]} == {os.path.join(run, "tensorboard")}
    assert [row[2] for row in written[:-1] if row[1] == "test_accuracy"] == [200, 400]


def test_a_program_that_is_named_twice_gets_each_figure_once(monkeypatch):
    stand_in(monkeypatch, None)
    (log,) = session.open_logs(["tensorboard", "tensorboard"])
    assert isinstance(log, tensorboard.Log)


def test_a_log_that_fails_does_not_end_the_training(home, monkeypatch):
    class Writer:
        def __init__(self, folder):
            raise OSError("no space left")

    stand_in(monkeypatch, Writer)
    digits(home)
    run = train("a", "--log", "tensorboard")
    text = (run / "events.jsonl").read_text()
    assert (
        text.count("--log tensorboard failed and is omitted from now on: no space left") == 1 and "RunFinished" in text
    )


def test_a_run_that_is_stopped_is_closed(home, monkeypatch):
    closed = []
    stand_in(monkeypatch, lambda folder: types.SimpleNamespace(close=lambda: closed.append(folder)))
    log = tensorboard.Log("logs")
    log(sample_run.started())
    log(Interrupted(signal="SIGINT", epoch=0, step=3, resume=""))
    assert closed == ["logs"]
