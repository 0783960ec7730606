"""What each program that tracks runs receives, by stand-ins for their packages: the same of the same run."""

import sys
import types

import pytest
import sample_run

from jitnet.errors import InputError
from jitnet.events import Compiling, Diverged, Interrupted, Progress, RunFinished, Warned
from jitnet.integrations import figures, mlflow, tensorboard, wandb


def mlflow_stand_in(told):
    running = []
    return types.SimpleNamespace(
        start_run=lambda run_name: running.append(run_name) or told.append(("start", run_name)),
        log_params=lambda values: told.append(("recipe", values)),
        log_metrics=lambda values, step: told.append(("figures", values, step)),
        active_run=lambda: running[-1] if running else None,
        end_run=lambda status: told.append(("end", {"FINISHED": True, "KILLED": False}[status], running.pop())),
    )


def wandb_stand_in(told):
    def init(project, name, config):
        told.extend([("start", name), ("recipe", config)])
        return types.SimpleNamespace(
            log=lambda values, step: told.append(("figures", values, step)),
            finish=lambda exit_code: told.append(("end", exit_code == 0, name)),
        )

    return types.SimpleNamespace(init=init)


@pytest.fixture(params=["mlflow", "wandb"])
def tracker(request, monkeypatch):
    """A log, and the list of what its program receives."""
    told = []
    made = {"mlflow": mlflow_stand_in, "wandb": wandb_stand_in}[request.param](told)
    monkeypatch.setitem(sys.modules, request.param, made)
    return {"mlflow": mlflow, "wandb": wandb}[request.param].Log(), told


OTHERS = [
    Compiling(name="f", index=0, total=2, cached=False, seconds=0.0),
    Progress(epoch=0, images=10, total=100),
    Warned(message="no cache"),
]
ENDS = {
    "finished": (RunFinished(test_accuracy=95.49, val_accuracy=None, elapsed_s=1.0), True),
    "interrupted": (Interrupted(signal="SIGINT", epoch=0, step=6000, resume=""), False),
    "diverged": (Diverged(epoch=0, step=6000, lr=0.1, message="the loss is not finite"), False),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_program_is_told_the_recipe_the_figures_and_how_a_run_ends(tracker, end):
    log, told = tracker
    started, (last, is_done) = sample_run.started(), ENDS[end]
    steps, epoch = sample_run.steps(0, 6000, call_loss=0.5), sample_run.epoch_done(0, val_accuracy=0.0)
    for event in (*OTHERS, last, started, *OTHERS, steps, epoch, last, last):
        log(event)
    assert told == [
        ("start", started.run),
        ("recipe", figures.recipe(started)),
        ("figures", {"step_loss": 0.5}, 6000),
        ("figures", figures.figures(epoch), 60000),
        ("end", is_done, started.run),
    ]


def test_a_log_takes_one_run_after_the_other_and_calls_one_without_a_folder_by_its_title(tracker):
    log, told = tracker
    for run in ("runs/a", "", "runs/b"):
        log(sample_run.started(run=run, title="mlp"))
        log(ENDS["finished"][0])
    assert [each[1] for each in told if each[0] == "start"] == ["runs/a", "mlp", "runs/b"]
    assert [each[1:] for each in told if each[0] == "end"] == [(True, "runs/a"), (True, "mlp"), (True, "runs/b")]


@pytest.mark.parametrize(("given", "project"), [(None, "jitnet"), ("mine", "mine")])
def test_the_environment_names_the_project_of_weights_and_biases(monkeypatch, given, project):
    if given:
        monkeypatch.setenv("WANDB_PROJECT", given)
    else:
        monkeypatch.delenv("WANDB_PROJECT", raising=False)
    projects = []
    init = types.SimpleNamespace(init=lambda project, name, config: projects.append(project))
    monkeypatch.setitem(sys.modules, "wandb", init)
    wandb.Log()(sample_run.started())
    assert projects == [project]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("folder", [None, "logs"])
def test_tensorboard_writes_into_the_folder_that_was_given_or_that_of_the_run(monkeypatch, tmp_path, folder, end):
    told = []

    class Writer:
        def __init__(self, folder):
            told.append(folder)
            self.add_scalar = lambda *values: told.append(values)
            self.close = lambda: told.append("closed")

    summary = types.SimpleNamespace(Writer=Writer)
    monkeypatch.setitem(sys.modules, "tensorboard", types.SimpleNamespace(summary=summary))
    monkeypatch.setitem(sys.modules, "tensorboard.summary", summary)
    log, last = tensorboard.Log(folder), ENDS[end][0]
    epoch = sample_run.epoch_done(0, test_loss=0.0)
    events = (*OTHERS, last, sample_run.started(run=str(tmp_path)), sample_run.steps(0, 6000), epoch, last, last)
    for event in events:
        log(event)
    where, *rows, closed = told
    assert where == (folder or str(tmp_path / "tensorboard")) and closed == "closed"
    assert rows == [("step_loss", events[-4].call_loss, 6000)] + [
        (name, value, 60000) for name, value in figures.figures(epoch).items()
    ]


def test_the_figures_of_an_epoch_are_all_that_were_computed():
    """Those that metrics.csv has too, by the same names; 0 is a figure, nothing is none."""
    computed = {"val_loss": 0.0, "val_accuracy": 50.0, "test_loss": 0.25, "test_accuracy": 0.0, "test_rmse": 3.5}
    whole = sample_run.epoch_done(0, **computed)
    always = {"lr": whole.lr, "train_loss": whole.train_loss, "images_per_s": whole.images_per_s}
    assert figures.figures(whole) == always | computed
    for name in computed:
        found = figures.figures(sample_run.epoch_done(0, **computed | {name: None}))
        assert found == always | {other: value for other, value in computed.items() if other != name}
    assert figures.figures(sample_run.steps(0, 6000, call_loss=0.5, epoch_loss=0.75)) == {"step_loss": 0.5}


def test_a_recipe_says_what_is_trained_on_what_and_how():
    started = sample_run.started(val_images=5000)
    expected = {"title": "cnn", "parameters": 359_846, "data": "mnist", "train_images": 60_000, "val_images": 5000,
                "test_images": 10_000, "epochs": 9, "batch_size": 1, "threads": 2, "recipe": started.recipe,
                "architecture": started.architecture}  # fmt: skip
    assert figures.recipe(started) == expected


def test_a_missing_package_is_named_with_its_reason_and_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "not_there.part", None)
    monkeypatch.setitem(sys.modules, "not_there", types.ModuleType("not_there"))
    for distribution, install in (("", "not_there.part"), ("not-there", "not-there")):
        with pytest.raises(InputError) as refused:
            figures.package("not_there.part", "a log", distribution)
        said = str(refused.value)
        assert said.startswith("a log needs not_there.part, which cannot be imported (") and "()" not in said
        assert said.endswith(f"): pip install {install}")
