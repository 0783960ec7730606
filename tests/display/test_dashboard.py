"""The live screen as text at fixed sizes, and the state it is drawn from."""

import io
import runpy
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from sample_run import CALL, IMAGES, RATE, epoch_done, events, started, steps

from jitnet.display.charts import accuracy_chart
from jitnet.display.curves import draw
from jitnet.display.headline import headline
from jitnet.display.jsonlines import to_json
from jitnet.display.live.frame import ASCII, UNICODE, glyphs_for
from jitnet.display.live.progress import DashboardState, Trace
from jitnet.display.live.screen import render, render_end
from jitnet.display.scale import Scale
from jitnet.events import Compiling, Diverged, Interrupted, RunFinished

ROOT = Path(__file__).resolve().parents[2]


def state_after(count: int | None = None, **options) -> DashboardState:
    state = DashboardState()
    for event in list(events(**options))[:count]:
        state.apply(event)
    return state


def as_text(frame, width: int, height: int = 40) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, height=height, color_system=None, force_terminal=True)
    console.print(frame, end="", crop=False)
    return out.getvalue()


MOMENTS: dict[str, dict[str, Any]] = {
    "before anything": {"count": 0},
    "started": {"count": 1},
    "compiling": {"count": 3},
    "first call": {"count": 5},
    "epoch 4": {"count": 53},
    "validated": {"count": 53, "val": 91.2},
    "evaluating": {"count": 14},
    "many epochs": {"epochs": 50, "data": "synthetic", "val": 91.2},
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_line_has_the_width_and_a_row_stays_free(moment, glyphs):
    state = state_after(**MOMENTS[moment])
    for width, height in product((60, 80, 100, 120, 160, 200), (12, 19, 20, 24, 31, 32, 40, 70)):
        lines = as_text(render(state, width, height, glyphs), width, height).splitlines()
        assert {cell_len(line) for line in lines} == {min(width, 160)}
        assert len(lines) <= height - 1


@pytest.mark.parametrize(("width", "height"), [(1, 1), (20, 5), (59, 40), (100, 8), (60, 11), (3, 100)])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_tiny_terminal_gets_one_line(moment, width, height):
    state = state_after(**MOMENTS[moment])
    lines = as_text(render(state, width, height), width).splitlines()
    assert len(lines) == 1 and cell_len(lines[0]) == width
    assert as_text(render_end(state, width), width)


@pytest.mark.parametrize("height", [8, 12, 24, 40])
def test_the_word_synthetic_is_there_at_every_size(height):
    for width in (60, 80, 100, 160):
        assert "synthetic" in as_text(render(state_after(53, data="synthetic"), width, height), width)
        assert "synthetic" not in as_text(render(state_after(53), width, height), width)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 40), (160, 40)])
def test_numbers_are_present(width, height):
    text = as_text(render(state_after(54), width, height), width)
    for part in (
        "359,846 parameters",
        "2,233,832 MACs",
        "2 threads (omp)",
        "per-sample SGD, lr 0.001 (documents)",
        "conv16 pool conv32 pool conv64 dense100 dense10",
        "60.0 %",  # of the epoch
        "51.1 %",  # of the run
        "0:03 left",
        "0:31 left",
        "10,000 images/s",
        "130.0 GFLOP/s",
        "training loss, epoch 5",
        "test accuracy, epoch 4",
        "left of 9 epochs",
        "0.000952 lr",
        "0:32 elapsed",
        "91.43 %",  # epoch 4, the best so far
    ):
        assert part in text
    assert ("runs/20261120-220155-cnn-7f3a" in text) == (height == 40)


def test_the_layout_stands_still_while_a_run_goes_on():
    sizes = set()
    for count in range(4, 100, 7):
        lines = as_text(render(state_after(count), 100, 40), 100).splitlines()
        sizes.add((len(lines), *(row for row, line in enumerate(lines) if line.startswith(("╭", "╰")))))
    assert len(sizes) == 1


def test_curves_go_first_when_rows_are_scarce():
    assert "accuracy %" in as_text(render(state_after(53), 80, 20), 80)
    assert "accuracy %" not in as_text(render(state_after(53), 80, 19), 80)
    assert "avg loss" in as_text(render(state_after(53), 80, 12), 80)


def test_compiling_is_its_own_phase():
    for width, height in ((60, 12), (80, 8), (100, 40)):
        text = as_text(render(state_after(3), width, height), width)
        assert "compiling kernels 2/2" in text and "first run only" in text
    state = state_after(1)
    state.apply(Compiling(name="k", index=0, total=2, cached=True, seconds=0.0))
    text = as_text(render(state, 100, 40), 100)
    assert "loading kernels 1/2" in text and "first run" not in text
    assert "compiling" not in as_text(render(state_after(4), 100, 40), 100)


def test_the_best_epoch_is_marked_in_shape_not_only_in_colour():
    state = state_after(4)
    for epoch, accuracy in enumerate((90.0, 92.0, 92.0, 91.0)):
        state.apply(epoch_done(epoch, test_accuracy=accuracy))
    text = as_text(render(state, 100, 40), 100)
    assert [line.split()[2] for line in text.splitlines() if "│ ★" in line] == ["2"]  # counted from 1
    assert "★ best test accuracy" in text
    state.apply(epoch_done(4, test_accuracy=80.0, val_accuracy=70.0))
    assert "★ best validation accuracy" in as_text(render(state, 100, 40), 100)
    assert state.best is not None and state.best.epoch == 4


def test_validation_has_its_columns_and_marks():
    text = as_text(render(state_after(53, val=91.2), 160, 50), 160)
    assert "val acc" in text and "◆ val 91.20" in text
    text = as_text(render(state_after(53, val=91.2), 90, 40), 90)
    assert "val loss" in text and "val acc" in text and "◆ val 91.20" in text and "91.20" in text
    assert "91.43  ◆ 91.20" in as_text(render(state_after(53, val=91.2), 60, 24), 60)
    assert "val" not in as_text(render(state_after(53), 100, 40), 100)


def test_a_regression_has_its_error_in_place_of_accuracies():
    state = DashboardState()
    state.apply(started(classes=1))
    for epoch, error in enumerate((3.0, 0.25)):
        state.apply(epoch_done(epoch, test_accuracy=None, test_rmse=error))
    text = as_text(render(state, 100, 40), 100)
    assert "─ rmse ─" in text and "test 0.25" in text and "accuracy" not in text


def test_ascii_where_the_encoding_has_no_more():
    assert glyphs_for("utf-8") is UNICODE
    assert [glyphs_for(name) for name in ("ascii", "cp1252", "cp437", "no-such-thing")] == [ASCII] * 4
    assert glyphs_for("utf-8", "linux") is ASCII
    for width, height in product((60, 100, 160), (8, 12, 24, 40)):
        assert as_text(render(state_after(53, val=91.2), width, height, ASCII), width).isascii()
    assert as_text(render_end(state_after(), 80, ASCII), 80).isascii()


def test_what_stays_has_every_epoch_and_the_closing_lines():
    state = state_after(epochs=30, data="synthetic")
    lines = as_text(render_end(state, 80, height=70), 80).splitlines()
    assert [int(line.split()[1]) for line in lines if line.count("0.348741") and "★" not in line] == list(range(1, 30))
    assert lines[-2:] == [
        "Final accuracy of test set = 95.49 (synthetic digits)",
        "Total execution time: 1.02 minutes (1 min 1 s)",
    ]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 20), (100, 30), (120, 40), (160, 50), (80, 16), (60, 12)])
@pytest.mark.parametrize("moment", ["epoch 4", "many epochs", "started"])
@pytest.mark.parametrize("run", ["", "runs/a-run"])
def test_what_stays_fits_the_terminal(moment, width, height, run):
    state = state_after(**MOMENTS[moment])
    state.apply(RunFinished(test_accuracy=95.49, val_accuracy=None, elapsed_s=61.2, run=run))
    lines = as_text(render_end(state, width, height=height), width, height).splitlines()
    assert len(lines) <= height - 1
    assert not run or "  jitnet report runs/a-run --open" in lines


def test_the_numbers_that_are_watched_are_large():
    def large(made, width=80):
        lines = ["".join(text for text, _ in line) for line in headline(made, width, UNICODE)]
        assert len(lines) == 4
        return lines

    made = state_after(54)
    assert "test accuracy, epoch 4" in large(made)[3] and "training loss, epoch 5" in large(made)[3]
    assert large(made)[0].startswith("█▀█ ▀█    █ █ ▀▀█")  # 91.43
    made.epochs.clear()
    made.apply(steps(4, 6000, accuracy=12.5))
    assert "training accuracy now" in large(made)[3]  # before the first evaluation
    plain = ["".join(text for text, _ in line) for line in headline(made, 80, ASCII)]
    assert "12.5 %" in plain[1] and "".join(plain).isascii()
    compiling = state_after(1)
    compiling.apply(Compiling(name="k", index=0, total=2, cached=False, seconds=3.0, left_s=65.0))
    assert "until training starts" in large(compiling)[3]
    assert "left of" in large(state_after(54), 56)[3]  # the loss is omitted first
    regression = DashboardState()
    regression.apply(started(classes=1))
    regression.apply(epoch_done(0, test_accuracy=None, test_rmse=0.25))
    assert "test RMSE, epoch 1" in large(regression)[3]


def test_the_training_accuracy_is_on_the_chart_from_its_first_measurement():
    made = state_after(4)
    for done in range(6000, 36_000, 6000):
        made.apply(steps(0, done, accuracy=50.0 + done / 1000))
    text = as_text(render(made, 100, 40), 100)
    assert "74.4" in text and len(made.seen.points) == 5  # each weighs as much as all before
    assert any(tone == "train" for line in accuracy_chart(made, 60, 12, UNICODE) for _, tone in line)


def test_a_measurement_of_long_ago_says_little_of_the_training_accuracy():
    made = state_after(4)
    made.apply(steps(0, 6000, accuracy=4.0))
    made.apply(steps(made.run.epochs - 1, 6000, accuracy=98.0))
    assert made.seen.points[-1][1] > 97


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (100, 30)])
def test_there_is_something_to_read_while_kernels_compile(size):
    made = state_after(1)
    made.apply(Compiling(name="k", index=0, total=2, cached=False, seconds=3.0, left_s=65.0, about="dense layers"))
    text = as_text(render(made, *size), size[0])
    assert "meanwhile" in text and "dense layers" in text and "1:05 left" in text and "0:03 so far" in text
    made.apply(Compiling(name="k", index=0, total=2, cached=True, seconds=0.1))
    assert "meanwhile" not in as_text(render(made, *size), size[0])


def test_a_stopped_run_says_how_to_go_on_uncut():
    state = state_after(53)
    state.apply(Interrupted(signal="SIGINT", epoch=4, step=7, resume="jitnet resume " + "x" * 80))
    assert as_text(render_end(state, 60), 60).rstrip().endswith("jitnet resume " + "x" * 80)
    state.apply(Diverged(epoch=4, step=7, lr=0.1, message="the loss is not finite"))
    assert "the loss is not finite" in as_text(render_end(state, 80), 80)


def test_a_resumed_run_shows_its_history():
    state = DashboardState()
    state.apply(started(epoch=2, step_in_epoch=IMAGES // 2, history=(epoch_done(0), epoch_done(1))))
    text = as_text(render(state, 100, 40), 100)
    assert "91.13" in text and "91.23" in text and "epoch 3" in text and "50.0 %" in text
    assert state.elapsed_s == 14.0 and [x for x, _ in state.losses.points] == [1, 2]


def test_names_cannot_move_the_cursor_or_break_the_frame():
    state = DashboardState()
    state.apply(started(run="runs/\x1b[2J\n" + "長" * 80, source="\x07", title="x" * 300))
    for width in (60, 81, 160):
        lines = as_text(render(state, width, 40), width).splitlines()
        assert {cell_len(line) for line in lines} == {width}
        assert "\x1b" not in "".join(lines) and "\x07" not in "".join(lines)


def test_time_left_counts_evaluations():
    state = state_after(4)
    assert state.run_left_s is None
    for done in range(CALL, IMAGES + 1, CALL):
        state.apply(steps(0, done))
    guess = 10_000 * 2_233_832 / 6_500_000 / RATE
    assert state.evaluating and state.epoch_left_s == pytest.approx(guess)
    assert state.run_left_s == pytest.approx(8 * IMAGES / RATE + 9 * guess)
    state.apply(epoch_done(0, eval_s=1.5))
    assert state.run_left_s == pytest.approx(8 * (IMAGES / RATE + 1.5))
    assert state_after().run_left_s == 0.0


def test_a_trace_stays_small_and_keeps_the_shape():
    trace = Trace(capacity=64)
    for x in range(10_000):
        trace.add(float(x), 2.0 * x)
    trace.add(10_000.0, float("nan"))
    assert 32 <= len(trace.points) < 64
    assert all(y == pytest.approx(2 * x) for x, y in trace.points)


@pytest.mark.parametrize("values", [[], [0.0], [1e-300], [1e308], [2.3], [2.3, 0.01], [1e-9, 1e9], [100.0, 0.0]])
@pytest.mark.parametrize("accuracy", [False, True])
def test_a_scale_holds_its_values(values, accuracy):
    scale = Scale.around(values, accuracy)
    ends = [100 - end if scale.error else end for end in (scale.low, scale.high)]
    assert all(0.0 <= scale.place(value) <= 1.0 for value in [*values, *ends])
    assert {round(scale.place(end), 9) for end in ends} == {0.0, 1.0}
    for tick in (*scale.ticks(), *scale.steps(5)):
        assert min(ends) - 1e-9 <= tick <= max(ends) + 1e-9
    assert len(scale.label_rows(9)) >= 2 and 2 <= len(scale.steps(5)) <= 6


@pytest.mark.parametrize("values", [[1, 9], [1, 1], [-3.5, 2.25], [1e-7, 2e-7], [0, 540_000], []])
def test_steps_are_round_and_inside(values):
    scale = Scale.linear(values)
    steps = scale.steps(5)
    assert all(scale.low - 1e-9 <= step <= scale.high + 1e-9 for step in steps) and 1 <= len(steps) <= 6
    assert all(float(step).is_integer() for step in scale.steps(5, whole=True))


def test_a_curve_is_joined_and_inside():
    rows = draw([(0.0, 1.0), (0.5, 0.0), (1.0, 1.0)], 9, 5, braille=False)
    assert rows == ["*       *", " *     * ", "  *   *  ", "   * *   ", "    *    "]
    assert draw([], 3, 2, braille=True) == ["   ", "   "]
    assert draw([(1.0, 0.0)], 3, 1, braille=True) == ["  ⢀"]


def test_a_picture_is_made_from_a_run_folder(tmp_path):
    (tmp_path / "events.jsonl").write_text("".join(to_json(event) + "\n" for event in events("synthetic")))
    script = runpy.run_path(str(ROOT / "docs" / "make_screen.py"))
    recorded = script["read_events"](tmp_path / "events.jsonl")
    assert recorded == list(events("synthetic"))
    during, after = script["screen"](recorded[:53]), script["screen"](recorded)
    assert during.startswith("<svg") and "synthetic" in during and "training" in during
    assert "Final&#160;accuracy&#160;of&#160;test&#160;set&#160;=&#160;95.49" in after
