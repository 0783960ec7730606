"""The figures of a run's page: each is that of the right name, axis, row and epoch."""

import json
import re

import numpy as np
import pytest
from run_folders import HEADER, write_run

from jitnet.display.png import signed
from jitnet.history import read_run
from jitnet.history.curves import Curve
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network
from jitnet.report.chart import chart
from jitnet.report.convolutions import convolutions
from jitnet.report.measure import Mistake, measure, reliability
from jitnet.report.pictures import tiles
from jitnet.report.regression import Residuals, regression
from jitnet.report.reliability import diagram
from jitnet.report.section import _alerts, _charts, _confusion, _figures, _mistake, _settings
from jitnet.report.subject import Subject

NO_IMAGES = np.zeros((0, 1, 1, 1), np.uint8)


def run_of(folder, accuracies, settings="", rates=None, val=None, lrs=None):
    """Return a run with these test accuracies, validation accuracies, images a second and learning rates."""
    path = write_run(folder, "a", accuracies, settings)
    n = len(accuracies)
    columns = zip(range(n), lrs or [0.1] * n, val or [""] * n, accuracies, rates or [60] * n)
    rows = [f"{epoch},{epoch + 1},{lr},0.5,,{v},0.5,{test},10,1,{rate},11" for epoch, lr, v, test, rate in columns]
    (path / "metrics.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return read_run("a", folder)


def numbers(name, drawn):
    """Return the numbers that an attribute has in a drawing."""
    return [float(number) for number in re.findall(rf' {name}="([-\d.]+)"', drawn)]


def rows_of(table):
    """Return the texts of a table's rows by their first one."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', table)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", cells) for name, cells in rows}


def test_a_row_of_the_matrix_is_a_true_class():
    found = measure("d", np.eye(2)[[0, 1, 1, 1, 1]], np.array([0, 0, 0, 1, 1]), names=("ant", "bee"))
    assert rows_of(_confusion(found)) == {"ant": ["1", "2"], "bee": ["", "2"]}


def test_a_bin_begins_at_its_lower_end():
    confidence = np.array([0.0, 0.06, 0.1, 0.19, 0.75, 0.95, 1.0])
    bins, _ = reliability(confidence, np.ones(7, bool))
    assert [each.images for each in bins] == [2, 2, 0, 0, 0, 0, 0, 1, 0, 2]
    for each in bins:
        assert not each.images or each.low <= each.confidence <= each.high


def test_a_bar_is_as_high_as_what_is_right_and_as_far_as_the_network_is_sure():
    chances = np.array([[0.7, 0.3], [0.72, 0.28], [0.74, 0.26], [0.76, 0.24]])
    drawn = diagram(measure("d", chances, np.array([0, 0, 0, 1])))
    assert rows_of(drawn) == {"70 to 80": ["4", "73.0", "75.0"]}
    (bar,) = re.findall(r"<rect .*?</rect>", drawn)
    assert numbers("height", bar) == [240.0] and numbers("x", bar) == [44 + 0.7 * 320 + 1.5]
    assert "4 images, 73.0 % sure, 75.0 % right" in bar


def test_errors_of_a_regression_are_measured_as_they_are_named():
    drawn = regression(Residuals("t", "y", np.array([0.0, 0.0, 1.0, 4.0]), np.array([-8.0, 0.0, 1.0, 8.0])))
    assert {name: float(cells[0]) for name, cells in rows_of(drawn).items()} == {
        "root mean squared error": pytest.approx(20**0.5, rel=1e-5), "mean absolute error": 3.0, "mean error": -1.0,
        "largest absolute error": 8.0, "share of the variance explained (R²)": pytest.approx(1 - 20 / 2.6875, abs=1e-4),
    }  # fmt: skip


def test_a_point_is_true_along_and_predicted_up():
    drawn = regression(Residuals("t", "y", np.array([10.0, 0.0, 0.0]), np.array([0.0, 0.0, 5.0])))
    circles = re.findall(r"<circle .*?</circle>", drawn)
    (x0, x1, x2), (y0, y1, y2) = ([numbers(name, circle)[0] for circle in circles] for name in ("cx", "cy"))
    assert x0 > x1 == x2 and y0 == y1 > y2  # y grows downwards


def test_points_that_are_drawn_are_from_all_rows():
    true = np.arange(50_000.0)
    drawn = sorted(numbers("cx", regression(Residuals("t", "y", true, true))))
    assert len(drawn) == 2_000 and np.diff(drawn).max() <= 1.0  # pixels
    assert (drawn[0], drawn[-1]) == (64, 624)  # the ends of the axis: the first row and the last


def test_a_bar_counts_the_errors_between_its_ends():
    errors = np.random.default_rng(0).normal(0.3, 1.0, 500)
    drawn = regression(Residuals("t", "y", np.zeros(500), errors))
    bars = re.findall(r"<title>([\d,]+) rows? from (\S+) to (\S+)</title>", drawn)
    assert sum(int(count) for count, *_ in bars) == 500
    for count, low, high in bars:
        assert int(count) == ((errors >= float(low)) & (errors < float(high))).sum()


@pytest.mark.parametrize(
    ("label", "shown"), [(2, ["3 wrong", "2 true", "0 None"]), (1, ["3 wrong", "2 None", "1 true"])]
)
def test_of_a_mistake_the_likeliest_classes_and_the_true_one_are_shown(label, shown):
    chances = (0.15, 0.05, 0.3, 0.5)
    drawn = _mistake(Mistake(0, label, 3, chances, 1.0), np.zeros((2, 2, 1), np.uint8), str)
    bars = re.findall(r'<span(?: class="(\w+)")?>(\d)<b><i style="--share:([\d.]+)">', drawn)
    assert [f"{name} {kind or None}" for kind, name, _ in bars] == shown
    assert [float(share) for *_, share in bars] == [chances[int(name)] for _, name, _ in bars]


def test_the_newest_advice_is_told(tmp_path):
    run = run_of(tmp_path, [90.0])
    events = [{"event": "Advised", "kind": "k", "message": f"advice {n}"} for n in range(3)]
    (run.path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    assert _alerts(Subject(run, (), {}, None, NO_IMAGES)) == ['<p class="alert">Advice 2.</p>']


@pytest.mark.parametrize(("optimizer", "counts"), [("sgd", 0), ("momentum", 1), ("nesterov", 1), ("adam", 0)])
def test_momentum_is_told_where_it_counts(tmp_path, optimizer, counts):
    run = run_of(tmp_path, [90.0], f'optimizer = "{optimizer}"\nbatch_size = 16')
    assert ("momentum" in _settings(run)) == counts


def test_a_rate_is_drawn_from_the_start_of_its_first_epoch(tmp_path):
    drawn = _charts(run_of(tmp_path, [90.0] * 3, lrs=[0.3, 0.2, 0.1]), 0)[-1]
    (points,) = re.findall(r'<polyline points="([^"]*)"', drawn)
    places = [tuple(map(float, point.split(","))) for point in points.split()]
    xs, ys = zip(*places)
    assert xs[0] == xs[1] == 64 < xs[2] and ys[0] == ys[1] == ys[2] < ys[3] == ys[4]


def test_the_rate_of_a_run_is_the_mean_over_its_epochs(tmp_path):
    drawn = _figures(Subject(run_of(tmp_path, [90.0] * 3, rates=[60, 30, 30]), (), {}, None, NO_IMAGES))
    assert "<dt>images/s</dt><dd>40</dd>" in drawn


@pytest.mark.parametrize(
    ("accuracies", "told"),
    [
        ([90.0, 95.0, 97.0], "; the accuracy was still rising at the end"),
        ([90.0, 95.0, 95.2, 95.22], ""),  # of 5 % errors less than a twentieth are gone
        ([90.0, 97.0, 95.0], "; the best epoch was 2"),
        ([90.0, 97.0, 96.95], ""),
        ([90.0, 97.0], ""),
    ],
)
def test_a_trend_is_told_of_errors_that_still_fell_or_that_rose_again(tmp_path, accuracies, told):
    assert Subject(run_of(tmp_path, accuracies), (), {}, None, NO_IMAGES)._trend() == told


def test_the_best_epoch_is_that_of_validation_images_if_there_are_any(tmp_path):
    run = run_of(tmp_path, [90.0, 97.0, 91.0], val=[95.0, 90.0, 91.0])
    assert Subject(run, (), {}, None, NO_IMAGES)._trend() == "; the best epoch was 1"


@pytest.mark.parametrize(("until", "told"), [("", "2 epochs"), ("until = 2", "2 epochs"), ("until = 5", "2 of 5")])
def test_epochs_are_counted_against_all_that_were_asked_for(tmp_path, until, told):
    assert f"Trained for {told}" in Subject(run_of(tmp_path, [90.0] * 2, until), (), {}, None, NO_IMAGES).sentence


def test_a_filter_of_many_inputs_is_the_mean_size_of_its_weights(monkeypatch):
    network = Network((*parse("conv2 conv2"), Dense(2)), (8, 8, 1))
    network.initialise("he", 1)
    network.tensors()["conv2.weight"][...] = [[1.0, 0.5], [-1.0, 0.0]]  # of two inputs, by output
    sheets = []
    monkeypatch.setattr("jitnet.report.convolutions.tiles", lambda each, most: sheets.append(each) or tiles(each, most))
    convolutions(Subject(None, network.shapes, network.tensors(), None, NO_IMAGES))
    for picture, size in zip(sheets[1], (1.0, 0.25), strict=True):
        assert picture.tolist() == signed(np.full((3, 3), size), 1.0).tolist()


def test_a_sheet_is_filled_row_by_row():
    sheet = tiles([np.full((1, 2), value, np.uint8) for value in range(1, 6)], 3)
    assert sheet[1::2, 1::3].tolist() == [[1, 2, 3], [4, 5, 128]] == sheet[1::2, 2::3].tolist()


def test_a_chart_is_told_by_its_first_and_last_values():
    drawn = chart("c", "loss", "epochs", [Curve("a", ((1.0, 2.0), (2.0, 0.5), (3.0, 1.0)))])
    assert "loss: a from 2 to 1" in drawn
