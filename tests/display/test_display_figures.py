"""The figures of the terminal's and a notebook's views: each is that of the right epoch, set, place and colour."""

import re

import numpy as np
import pytest
from sample_run import epoch_done, started, steps

from jitnet.display.charts import accuracy_chart
from jitnet.display.classes import class_line
from jitnet.display.curves import draw
from jitnet.display.format import class_figures
from jitnet.display.headline import headline
from jitnet.display.live.frame import ASCII, UNICODE, Glyphs
from jitnet.display.live.progress import DashboardState, Trace
from jitnet.display.notebook import Notebook
from jitnet.display.overlay import overlay
from jitnet.display.pictures import draw_chances, single
from jitnet.display.plain import closing_lines
from jitnet.display.table import table
from jitnet.display.tables import cell_plain, cell_text
from jitnet.display.trial_table import _chosen, _row
from jitnet.display.trial_text import outcome, overview
from jitnet.events import RunFinished
from jitnet.history.board import Board, Row
from jitnet.history.tables import Cell


def state_of(*events):
    state = DashboardState()
    for event in events:
        state.apply(event)
    return state


def validated(*accuracies):
    """Return a state after epochs with these accuracies on test and validation images."""
    rows = [epoch_done(n, test_accuracy=test, val_accuracy=val) for n, (test, val) in enumerate(accuracies)]
    return state_of(started(epochs=len(rows), val_images=10), *rows)


def texts(lines) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def test_accuracies_above_their_chart_are_the_latest():
    title = texts(accuracy_chart(validated((97.0, 93.0), (94.0, 91.0)), 60, 12, UNICODE))[0]
    assert "test 94.00" in title and "val 91.00" in title


def test_a_higher_mark_is_a_higher_accuracy():
    state = validated((50.0, 20.0), (50.0, 95.0))
    lines = texts(accuracy_chart(state, 60, 14, UNICODE, boxed=False))[1:]
    places = [(row, line.index(UNICODE.mark)) for row, line in enumerate(lines) if UNICODE.mark in line]
    (upper, right), (lower, left) = places
    assert upper < lower and right > left


def test_a_class_is_coloured_by_the_worst_and_the_mean():
    confusion = tuple(tuple(right if a == b else (100 - right) * (a == (b + 1) % 4) for b in range(4))
                      for a, right in enumerate((50, 70, 90, 100)))  # fmt: skip
    assert [tone for _, tone in class_line(confusion, 80, UNICODE) if tone != "label"] == [
        "error", "val", "accuracy", "accuracy",
    ]  # fmt: skip


def test_the_large_accuracy_is_that_of_test_images_or_else_of_validation_images():
    for accuracies, label in (((94.0, 91.0), "test"), ((None, 91.0), "validation")):
        assert f"{label} accuracy, epoch 1" in " ".join(texts(headline(validated(accuracies), 120, ASCII)))


def test_the_large_time_is_what_is_left_and_at_the_end_what_it_took():
    run = [started(epochs=2), steps(0, 6000), epoch_done(0), epoch_done(1)]
    end = RunFinished(test_accuracy=95.0, val_accuracy=None, elapsed_s=3725.0, data="mnist")
    shown = " ".join(texts(headline(state_of(*run, end), 120, ASCII)))
    assert "1:02:05" in shown and "in all" in shown


def polyline(drawn, label):
    """Return the points of the curve that has this text in the legend, and the value there."""
    names = re.findall(r"<tspan[^>]*>(\w+) ([\d.]+)</tspan>", drawn)
    curves = re.findall(r'<polyline points="([^"]*)"', drawn)
    place = [name for name, _ in names].index(label)
    points = [tuple(map(float, point.split(","))) for point in curves[place].split()]
    return points, names[place][1]


def test_curves_of_a_notebook_have_their_own_names_and_begin_after_the_first_epoch():
    shown = []
    view = Notebook(display=lambda html, **options: shown.append(html) or type("H", (), {"update": shown.append})())
    for event in (started(epochs=2, val_images=10), *validated((97.0, 93.0), (94.0, 91.0)).epochs):
        view(event)
    drawn = shown[-1].text[shown[-1].text.index('aria-label="accuracy') :]
    for name, newest in (("test", "94.00"), ("validation", "91.00")):
        points, value = polyline(drawn, name)
        assert value == newest
        assert points[0][0] == pytest.approx((48 + points[1][0]) / 2)  # 1 is halfway between 0 and 2


def plotted(points, title="test accuracy %", glyphs: Glyphs = ASCII):
    return texts(overlay([("a", points)], title, "epochs", 60, 10, glyphs).lines)


def test_a_plot_of_several_runs_begins_with_their_first_point():
    lines = plotted([(10.0, 1.0), (11.0, 2.0)], title="loss")
    columns = [at for line in lines[1:11] for at, sign in enumerate(line) if sign in "*A" and at >= 10]
    assert min(columns) == 10 and max(columns) == 59
    middle = [at for line in lines[1:11] for at, sign in enumerate(line[10:]) if sign == "*"]
    assert any(10 < at < 40 for at in middle)  # the line goes from one end to the other


def test_the_legend_has_the_last_value_of_a_curve():
    assert plotted([(1.0, 90.0), (2.0, 97.0), (3.0, 95.0)])[-1].split()[1:] == ["a", "95.00", "%"]


def test_of_a_long_curve_the_last_point_has_the_letter():
    lines = plotted([(float(n), 90.0 + n / 10) for n in range(30)])[1:11]
    (column,) = [line.index("A") for line in lines if "A" in line]
    assert column == 59


def test_the_grey_of_a_pixel_is_the_mean_of_its_channels():
    assert single(np.array([[[0, 30, 90], [255, 255, 255]]], np.uint8)).tolist() == [[40, 255]]


def test_the_true_class_is_green_and_a_wrong_answer_red():
    lines = draw_chances(np.array([0.2, 0.7, 0.1]), 1, 0, ASCII)
    wrong = draw_chances(np.array([0.2, 0.7, 0.1]), 0, 1, ASCII)
    alone = draw_chances(np.array([0.2, 0.7, 0.1]), 1, None, ASCII)
    tones = [[str(line.spans[0].style) for line in drawn] for drawn in (lines, wrong, alone)]
    (right, error, plain), turned, unknown = tones
    assert len({right, error, plain}) == 3 and turned == [error, right, plain] and unknown == [plain] * 3


@pytest.mark.parametrize(
    ("test", "val", "told"), [(95.0, 91.0, "test set = 95.00"), (None, 91.0, "validation set = 91")]
)
def test_the_last_accuracy_is_that_of_test_images_or_else_of_validation_images(test, val, told):
    end = RunFinished(test_accuracy=test, val_accuracy=val, elapsed_s=90.0, data="mnist")
    assert told in closing_lines(end)[0] and "1.50 minutes (1 min 30 s)" in closing_lines(end)[1]


def test_minutes_are_shown_as_times_and_written_as_minutes():
    cell = Cell(1.5, "minutes", end=2.0)
    assert (cell_text(cell), cell_plain(cell)) == ("1 min 30 s to 2 min", "1.50 to 2.00")


def trial(name, **values):
    return Row(name, name, {}, 10, **values)


def test_the_bar_of_a_trial_counts_the_epoch_in_work():
    halves = [Row("a", "a", {}, 2, epoch=1, fraction=each) for each in (0.0, 0.6)]
    assert [sum(text.count("#") for text, _ in _row(row, 5, False, ASCII)) for row in halves] == [5, 8]


def test_of_trials_that_are_done_the_best_stay_on_the_screen():
    rows = [trial(name, status="done", val_accuracy=value) for name, value in (("a", 90.0), ("b", 80.0), ("c", 95.0))]
    assert [row.name for row in _chosen(rows, 2)] == ["c"]


def test_the_best_trial_is_told_by_the_accuracy_that_ranks_it(tmp_path):
    rows = [trial("a", status="done", val_accuracy=91.0, test_accuracy=95.0), trial("b", status="failed")]
    assert overview(Board("sweep", tmp_path, rows, 20.0)).startswith("2 of 2, best 91.00 % on validation (a)")


def test_a_trial_of_numbers_has_the_root_of_its_loss():
    assert outcome(trial("a", status="done", test_loss=0.0625)) == "done, rmse = 0.25"


def test_an_evaluation_takes_as_long_as_the_latest_and_at_first_its_share_of_the_work():
    state = state_of(started(val_images=2_000, macs=1_000, step_macs=3_000), steps(0, 6_000))
    assert state.eval_s == pytest.approx((10_000 + 2_000) / 3 / state.pace.value)
    for row in (epoch_done(0, eval_s=9.0), epoch_done(1, eval_s=2.0)):
        state.apply(row)
    assert state.eval_s == 2.0


def test_the_time_left_follows_the_last_minute_and_the_speed_the_last_seconds():
    state = state_of(
        started(), steps(0, 6_000, images=60_000, seconds=60.0), steps(0, 12_000, images=100, seconds=10.0)
    )
    assert state.speed.value < 500 < 800 < state.pace.value


def test_the_operations_of_a_second_are_two_for_each_multiply_add():
    state = state_of(started(step_macs=1_000_000), steps(0, 6_000, images=5_000, seconds=1.0))
    assert state.gflops == pytest.approx(10.0)


def test_every_point_of_a_long_curve_stands_for_as_many_values():
    trace = Trace(4)
    for x in range(12):
        trace.add(float(x), float(x))
    assert trace.points == [(1.5, 1.5), (5.5, 5.5), (9.5, 9.5)]


def test_a_class_is_told_with_the_three_that_it_is_taken_for_most_and_of_equal_ones_the_first():
    row = [9, 1, 3, 1, 2, 1]
    matrix = [row, *([0] * place + [5] + [0] * (5 - place) for place in range(1, 6))]
    first = class_figures(matrix)[0]
    assert first.confused_with == ((2, 3), (4, 2), (1, 1))
    assert (first.recall, first.precision, class_figures(matrix)[2].precision) == (9 / 17, 1.0, 5 / 8)


def test_the_time_of_a_run_is_that_of_its_last_epoch_until_a_step_follows():
    assert state_of(started(), epoch_done(0, elapsed_s=50.0)).elapsed_s == 50.0
    resumed = state_of(started(history=(epoch_done(0, elapsed_s=50.0),), epoch=1, step_in_epoch=15_000))
    assert (resumed.elapsed_s, resumed.epoch, resumed.fraction) == (50.0, 1, 0.25)


def test_points_of_one_column_are_drawn_at_their_mean():
    assert [line.strip() for line in draw([(0.0, 0.5), (0.0, 0.5), (0.0, 0.0), (0.0, 1.0)], 1, 3, False)] == [
        "",
        "*",
        "",
    ]


def test_the_row_of_the_epoch_in_work_has_the_mean_loss_of_the_epoch():
    state = state_of(started(), steps(0, 6_000, call_loss=1.5, epoch_loss=2.25))
    (row,) = (line for line in texts(table(state, 100, 8, ASCII)) if line[1:].strip().startswith(ASCII.now))
    assert "2.25" in row and "1.5" not in row


@pytest.mark.parametrize(
    ("train", "updates", "batch_size", "images"), [(60, 60, 1, 60), (60, 5, 8, 40), (60, 8, 8, 60), (60, 1, 60, 60)]
)
def test_an_epoch_has_the_images_of_its_updates_and_no_more_than_there_are(train, updates, batch_size, images):
    run = started(train_images=train, steps_per_epoch=updates, batch_size=batch_size)
    assert run.images_per_epoch == images
