"""What planted faults have changed without any test noticing: each has its test here, and stands in planted.py."""

import json
from concurrent.futures import BrokenExecutor, Future
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from run_folders import HEADER, write_run

from jitnet import MLPRegressor
from jitnet.config import Settings
from jitnet.data import labels as labels_of_data
from jitnet.data import pixels
from jitnet.data.readers import class_folders
from jitnet.data.sources import layouts
from jitnet.data.sources.cache import Cache
from jitnet.data.sources.layouts import Options
from jitnet.estimators import weighting
from jitnet.history import read_run
from jitnet.history.board import Board, Row
from jitnet.history.curves import Curve, curves, smoothed
from jitnet.history.read import summary
from jitnet.history.statistics import FIGURES
from jitnet.history.sweep_record import Sweep
from jitnet.history.tables import Cell, rank, trials_table
from jitnet.kernels.compiler import cache
from jitnet.model.scores import probabilities, score
from jitnet.report.measure import measure
from jitnet.report.section import _loss_and_errors
from jitnet.report.subject import Subject
from jitnet.training.augmentation import arguments
from jitnet.trials.driver import Driver, Watch
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
    before = cache.identity()
    monkeypatch.setattr(getattr(cache, module), "__version__", "0.0.0")
    assert cache.identity() != before


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


def test_a_report_names_the_best_epoch_and_the_commonest_confusion(tmp_path):
    run = read_run(write_run(tmp_path, "a", [90.0, 97.0, 91.0]), tmp_path)
    chances = np.eye(3)[[1, 1, 0, 2, 0]]
    found = measure("d", chances, np.array([0, 0, 1, 2, 0]), names=("ant", "bee", "cat"))
    sentence = Subject(run, (), {}, found, np.zeros((0, 1, 1, 1), np.uint8)).sentence
    assert "3 are wrong, most often ant taken for bee (2)" in sentence and "; the best epoch was 2." in sentence


def test_the_best_of_a_sweep_has_the_highest_accuracy_or_the_lowest_loss():
    for better, worse in (
        ({"val_accuracy": 91.0, "test_accuracy": 80.0}, {"val_accuracy": 90.0, "test_accuracy": 99.0}),
        ({"test_accuracy": 91.0, "test_loss": 2.0}, {"test_accuracy": 90.0, "test_loss": 1.0}),
        ({"val_loss": 0.1, "test_loss": 2.0}, {"val_loss": 0.2, "test_loss": 1.0}),
        ({"test_loss": 0.1}, {"test_loss": 0.2}),
        ({"test_loss": 9.0}, {}),
    ):
        assert rank(better) < rank(worse)


def test_a_curve_begins_at_epoch_1_and_counts_all_seconds(run):
    assert [curve.points for curve in curves([run], "test_loss", "epoch")] == [((1, 0.75), (2, 0.625), (3, 0.375))]
    assert [x for x, _ in curves([run], "test_accuracy", "time")[0].points] == [11, 22, 33]
    assert [x for x, _ in curves([run], "test_accuracy", "step")[0].points] == [1, 2, 3]


def test_a_regression_has_the_root_of_its_loss_where_there_is_one(tmp_path):
    path = write_run(tmp_path, "r", [90.0] * 3, "target = 'y'")
    rows = [f"{n},{n + 1},0.1,0.5,,,{loss},,10,1,60,{n}" for n, loss in enumerate(("0.25", "", "4.0"))]
    (path / "metrics.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    assert [row["test_rmse"] for row in read_run("r", tmp_path).epochs] == [0.5, None, 2.0]


def test_a_table_of_one_trial_has_its_columns(tmp_path):
    line = {"trial": "a", "status": "done", "lr": "0.5", "host": "h", "message": "", "val_accuracy": "91.5"}
    table = trials_table(Sweep(tmp_path, "sweep", {}, (line,), {}))
    assert table.head == ("", "status", "lr", "val accuracy")
    assert table.rows == (("a", "done", Cell(0.5, "number"), Cell(91.5, "accuracy")),)


def test_a_smoothed_curve_fades_over_a_share_of_its_range():
    points = smoothed(Curve("a", ((10.0, 0.0), (12.0, 1.0), (30.0, 1.0))), memory=0.1).points
    kept = [np.exp(-1), np.exp(-1) * np.exp(-9)]  # of the first value, after 2 and 20 of a memory of 2
    assert [y for _, y in points] == pytest.approx([0.0, 1 - kept[0], 1 - kept[1]])


def test_a_run_has_the_events_of_a_kind_and_its_mean_rate(run):
    records = [{"event": "RunFinished", "n": 1}, {"event": "Advised", "n": 2}, {"event": "RunFinished", "n": 3}]
    (run.path / "events.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert [record["n"] for record in run.events("RunFinished")] == [1, 3]
    assert summary(run)["images_per_s"] == 60


def test_trials_are_ranked_by_accuracy_or_by_the_lowest_loss(tmp_path):
    rows = [Row(name, "", {}, 9) for name in "abcd"]
    rows[0].val_accuracy, rows[1].val_accuracy, rows[2].val_accuracy = 90.0, 92.0, 91.0
    board = Board("sweep", tmp_path, rows, 36.0)
    assert [row.name for row in board.ranked()] == ["b", "c", "a", "d"] and board.best is rows[1]
    for row, loss in zip(rows, (0.3, 0.1, 0.2)):
        row.val_accuracy, row.val_loss = None, loss
    assert [row.name for row in board.ranked()] == ["b", "c", "a", "d"] and board.best is rows[1]


def test_a_trial_of_an_earlier_command_has_its_last_epoch():
    epochs = [{"val_accuracy": 80.0, "elapsed_s": 1.0}, {"val_accuracy": 90.0, "elapsed_s": 2.5}]
    driver = Driver.__new__(Driver)
    driver.folder = SimpleNamespace(
        epochs_of=lambda name: epochs, status_of=lambda name: "stopped", kept=lambda name: {}
    )
    row = Row("a", "", {}, 9)
    driver._restore(row)
    assert (row.epoch, row.val_accuracy, row.seconds, row.status) == (2, 90.0, 2.5, "stopped")


@pytest.mark.parametrize(
    ("attempts", "stops", "again", "message"),
    [
        (1, False, True, "its worker was killed"), (2, False, True, "its worker was killed"),
        (3, False, False, "its worker was killed 3 times"), (2, True, False, "its worker was killed 2 times"),
        (1, True, False, "its worker was killed (BrokenExecutor: gone)"),
    ],
)  # fmt: skip
def test_a_trial_whose_worker_was_killed_is_tried_three_times(attempts, stops, again, message):
    driver, row, future = Driver.__new__(Driver), Row("a", "", {}, 9, attempts=attempts), Future()
    driver._watched, driver._stop, driver.lost = {"a": None}, lambda: stops, ""
    future.set_exception(BrokenExecutor("gone"))
    assert driver._record(row, future) == again
    assert (row.status, row.message) == ("waiting" if again else "lost", message)


def test_a_trial_stands_where_its_events_say(tmp_path):
    row, watch = Row("a", "", {}, 9), Watch(tmp_path / "events.jsonl")
    steps = {"step_in_epoch": 5, "steps_per_epoch": 20, "epoch": 3}
    for event, expected in (
        ({"event": "RunStarted", **steps}, ("running", 3, 0.25)),
        ({"event": "StepsDone", **steps, "step_in_epoch": 15}, ("running", 3, 0.75)),
        ({"event": "EpochDone", **dict.fromkeys(FIGURES, 0.5), "epoch": 3}, ("running", 4, 0.0)),
    ):
        watch._apply(row, event)
        assert (row.status, row.epoch, row.fraction) == expected
    assert row.test_loss == 0.5


def test_a_stop_reaches_the_workers_that_make_kernels_ready(tmp_path):
    made = Future()
    folder = SimpleNamespace(
        path=tmp_path, token="t", compilation=lambda: None,
        request_stop=lambda: made.set_result({"notices": [], "data_sha256": "ab"}),
    )  # fmt: skip
    planned = plan(Settings(epochs=1), "repeat")
    board = Board("repeat", tmp_path, [Row(trial.name, "", {}, 1) for trial in planned.trials], 1.0)
    driver = Driver(planned, folder, board, None, machines=[lambda *words: made], stop=lambda: True)
    list(islice(driver._prepare(), 10))  # without the stop it would ask for ever
    assert made.done() and driver._common["data_sha256"] == "ab"


def test_the_time_left_is_known_from_a_twentieth_of_an_epoch_each_on(monkeypatch, tmp_path):
    rows = [Row(name, "", {}, 10, "running") for name in "ab"]
    board = Board("sweep", tmp_path, rows, 20.0)
    now = board.began
    monkeypatch.setattr("jitnet.history.board.time.monotonic", lambda: now)
    board.start_clock()
    now += 1.0
    for first, second, known in ((0.05, 0.05, False), (0.1, 0.025, True)):
        rows[0].fraction, rows[1].fraction = first, second
        assert (board.left_s() is not None) == known
    rows[1].status, rows[0].fraction, rows[1].fraction = "waiting", 0.0625, 0.0
    assert board.left_s() == pytest.approx((20 - 0.0625) / 0.0625)


def test_another_column_of_labels_is_another_entry_of_the_cache(tmp_path):
    rows = [f"{n % 2},{n % 3},{n}" for n in range(12)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c", *rows]) + "\n")
    found = [
        layouts.read(tmp_path / "t.csv", Cache(tmp_path / "cache", pytest.fail), Options(label=label)).y_train.tolist()
        for label in ("a", "b")
    ]
    assert found == [[str(n % 2) for n in range(12)], [str(n % 3) for n in range(12)]]


def test_fractions_become_the_nearest_byte():
    values = np.arange(256) / 255 + np.linspace(-0.4, 0.4, 256) / 255
    assert pixels.to_bytes(values.clip(0, 1), pixels.Scale(1.0, whole=False), "d").tolist() == list(range(256))


def test_balanced_classes_have_the_same_share():
    targets = np.array([0, 0, 0, 1, 2, 2])
    weights = weighting.of_classes("balanced", targets, np.array([5, 6, 7]))
    assert [weights[targets == label].sum() for label in range(3)] == pytest.approx([2.0, 2.0, 2.0])


def test_weights_have_the_mean_1():
    images, given = np.zeros((5, 2, 2, 1), np.uint8), np.array([0.0, 1.0, 2.0, 3.0, 9.0])
    found = weighting.split(images, np.array([0, 1, 0, 1, 0]), given, 1, True)
    assert found.weights.tolist() == [0.5, 1.0, 1.5] and len(found.val[0]) == 1  # of weight 0 is none


def test_every_seventh_image_of_a_class_is_held_out_or_the_last():
    labels = np.array([0, 1, 2] * 7 + [0] * 7 + [1])
    found = labels_of_data.held_out(labels, ["a", "b", "c"], "d")
    assert np.flatnonzero(found).tolist() == [18, 19, 20, 27]
    assert np.flatnonzero(labels_of_data.held_out(np.array([0, 1, 1, 0, 1]), ["a", "b"], "d")).tolist() == [3, 4]


def test_r_squared_with_weights_is_that_of_repeated_rows(monkeypatch):
    wanted, predicted, times = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.5, 2.0, 3.0, 9.0]), np.array([3, 1, 1, 2])
    model = MLPRegressor()
    monkeypatch.setattr(model, "predict", lambda x: x)
    assert model.score(predicted, wanted) == pytest.approx(1 - 2.25 / 28.75)
    repeated = model.score(predicted.repeat(times), wanted.repeat(times))
    assert model.score(predicted, wanted, times) == pytest.approx(repeated)


def test_the_kernel_turns_by_radians():
    found = arguments(np.zeros(0), np.zeros(0), "shift=2,rotate=90,shear=1", 3, 4, np.zeros(0))
    assert found[2:4] == (3, 4) and found[4].tolist() == [2.0, pytest.approx(np.pi / 2), 0.0, 1.0, 0.0]
