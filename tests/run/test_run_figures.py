"""What a run folder keeps, adds up, orders and finds: which epoch, which sum, which of two of one name."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from run_folders import write_run
from test_runfolder import create, records, steps_done

from jitnet.errors import InputError
from jitnet.run import RunFolder, manage
from jitnet.run.describe import _is_scaled, _recipe
from jitnet.run.metrics import read_epochs
from jitnet.run.names import find_run
from jitnet.run.schema import read_meta
from jitnet.run.start import finish, load_state


def test_seconds_of_drawing_are_those_of_all_commands(tmp_path):
    with create(tmp_path, name="a") as run:
        run.note_drawing(1.5)
    with RunFolder.open("a", tmp_path, lock=True) as run:
        run.note_drawing(0.25)
    assert read_meta(tmp_path / "a")["drawing_s"] == 1.75


def test_an_accuracy_stands_at_the_next_step_that_is_recorded_and_at_no_other(tmp_path):
    with create(tmp_path, name="a", save_every_s=1e9) as run:
        for step, (elapsed_s, accuracy) in enumerate([(0.1, None)] * 40 + [(0.2, 75.0), (0.3, None), (0.7, None)]):
            run.handle(replace(steps_done(0, step, elapsed_s), accuracy=accuracy))
        run.handle(steps_done(0, 50, 1.5))
        assert [row.get("accuracy") for row in records(run, "steps.jsonl")[-3:]] == [None, 75.0, None]


def test_tags_keep_the_order_in_which_they_came(tmp_path):
    path = write_run(tmp_path, "a", [90.0], tags=["b", "c"])
    assert manage.annotate(path, tmp_path, ["a", "c"]) == ["b", "c", "a"]


def test_a_note_has_up_to_500_characters(tmp_path):
    path = write_run(tmp_path, "a", [90.0])
    manage.annotate(path, tmp_path, note="x" * 500)
    assert read_meta(path)["note"] == "x" * 500


def test_a_name_is_that_of_a_run_there_before_that_of_a_folder_here(tmp_path, monkeypatch):
    own = write_run(tmp_path / "runs", "a", [90.0])
    write_run(tmp_path, "a", [90.0])
    monkeypatch.chdir(tmp_path)
    assert find_run("a", tmp_path / "runs") == own


def test_an_unknown_name_is_answered_by_the_newest_ones(tmp_path):
    for day in range(1, 8):
        write_run(tmp_path, f"run-{day}", [90.0], created=f"2026-11-0{day}T10:00:00+00:00")
    with pytest.raises(InputError, match="the newest there are run-7, run-6, run-5, run-4, run-3"):
        find_run("elsewhere", tmp_path)


def test_a_run_that_was_killed_at_its_end_is_finished_with_its_last_epoch(tmp_path, monkeypatch):
    path = write_run(tmp_path, "a", [90.0, 97.0, 95.0], status="running")
    rows = read_epochs(path / "metrics.csv", 3, "mnist")
    events = []
    folder = SimpleNamespace(
        rewind=lambda *position: rows, meta={"status": "running", "data": "mnist"}, path=path, handle=events.append
    )
    finish(folder, SimpleNamespace(epoch=3, step=300, elapsed_s=33.0, train_s=5.0))
    assert [(event.test_accuracy, event.elapsed_s) for event in events] == [(95.0, 33.0)]


def test_a_checkpoint_has_the_seconds_of_the_run_and_of_the_epoch_in_work(tmp_path):
    with create(tmp_path, name="a", save_every_s=0.0) as run:
        run.handle(steps_done(0, 1, elapsed_s=8.0))
        position = load_state(run).position
    assert (position.elapsed_s, position.train_s) == (8.0, 0.25)


def test_a_regression_has_the_root_of_the_mean_squared_error_in_each_epoch(tmp_path):
    path = write_run(tmp_path, "a", [90.0])
    (path / "metrics.csv").write_text("epoch,test_loss,test_accuracy\n0,0.25,\n1,0.25,50\n")
    assert [row.test_rmse for row in read_epochs(path / "metrics.csv", 2, "t")] == [0.5, None]


@pytest.mark.parametrize(("rate", "scaled"), [(0.1, False), (0.2, True)])
def test_a_rate_is_told_to_be_scaled_where_the_batch_alone_has_changed_it(monkeypatch, rate, scaled):
    monkeypatch.setattr("jitnet.run.describe.values_of", lambda recipe, network: {"lr": 0.1})
    chosen = SimpleNamespace(recipe="", network="", lr=rate, recipe_rate=rate)
    assert _is_scaled(chosen) == scaled
    assert not _is_scaled(SimpleNamespace(recipe="", network="", lr=0.3, recipe_rate=rate))  # the user's own


@pytest.mark.parametrize(
    ("recipe", "data", "told"),
    [
        ("documents", "mnist", "documents, default for MNIST"),
        ("modern", "fashion-mnist", "modern, default for other data than MNIST"),
        ("modern", "mnist", "modern"),
        ("documents", "fashion-mnist", "documents"),
    ],
)
def test_a_recipe_is_told_to_be_the_default_where_it_is(recipe, data, told):
    assert _recipe(SimpleNamespace(recipe=recipe, data=data), "files") == told
