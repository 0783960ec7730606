"""The panels of the network, the test digits and the confusions, as text at fixed sizes, and what they cost to send."""

import dataclasses
import io

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console
from sample_run import epoch_done, started, steps
from test_dashboard import as_text

from jitnet.display.classes import confusion_panel, digits_panel, short_names
from jitnet.display.live.dashboard import Dashboard
from jitnet.display.live.frame import ASCII, GREYS, UNICODE, Frame
from jitnet.display.live.keys import HELP, PANELS
from jitnet.display.live.painter import Painter
from jitnet.display.live.progress import DashboardState
from jitnet.display.live.screen import render
from jitnet.display.network import drawing, in_a_line
from jitnet.events import Compiling, Progress, RunFinished
from jitnet.model.architecture import CNN, Dense
from jitnet.model.network import Network
from jitnet.training.weight_change import WeightChange

EXTENTS = ("28x28x1", "28x28x16", "14x14x16", "14x14x32", "7x7x32", "7x7x64", "100", "10")
SAMPLE = {"sample": ("f" * 50 + "0" * 50,) * 12, "sample_labels": (*range(10), 0, 1), "classes": 10, "extents": EXTENTS}
CONFUSION = tuple(tuple(90 + row if row == column else column % 3 for column in range(10)) for row in range(10))
FOUND = (0, 1, 2, 3, 4, 9, 6, 7, 8, 9, 0, 1)
MOVED = (0.001, 0.0, 0.002, 0.0, 0.004, 0.0005, 0.003)


def state(moved=MOVED, **changes) -> DashboardState:
    made = DashboardState()
    made.apply(started(**(SAMPLE | changes)))
    made.apply(epoch_done(0, confusion=CONFUSION, sample_predictions=FOUND))
    made.apply(steps(1, 6000, moved=moved))
    return made


def plain(lines) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def test_the_network_is_drawn_as_high_and_as_wide_as_it_is():
    assert [line.rstrip() for line in plain(drawing(state(), 96, 4, UNICODE))] == [
        "    ██         █████",
        "    ██         █████",
        "    ██         █████       █████      ██████                                ▃▃",
        "    ██     ▸   █████   ▸   █████   ▸  ██████   ▸  ██████   ▸  ███████  ▸    ██     ▸    ▄▄",
        "  28x28x1    28x28x16    14x14x16    14x14x32     7x7x32      7x7x64        100         10",
        "  moving:   conv ━╸────    pool     conv ━━━───    pool     conv ━━━━━━ dense ╸──── dense ━━━╸─",
    ]
    text = plain(drawing(state(), 96, 4, ASCII))
    assert "".join(text).isascii() and text[0].count("#") == 7 and text[3].count("#") > 30


def test_the_layer_that_moves_most_stands_out_and_weightless_ones_rest():
    lines = drawing(state(), 96, 3, UNICODE)
    tones = dict(piece for piece in lines[3] if piece[0].strip())
    assert [extent for extent, tone in tones.items() if tone == "strong"] == ["7x7x64"]
    colours = [tone for text, tone in lines[2] if text.strip() and text != "▸"]
    assert colours[0] == colours[2] == colours[4] == "box"  # the image and the pools
    assert len({colours[1], colours[3], *colours[5:]}) == 5 and colours[5] == "#dd8f20"
    calm = drawing(state(moved=(0.0,) * 7), 96, 3, UNICODE)
    assert {tone for text, tone in calm[2] if text.strip()} == {"box"} and "moving:" not in plain(calm)[-1]


def test_an_evaluation_shows_how_far_it_is_and_that_nothing_moves():
    made = state()
    made.apply(steps(1, 60_000, moved=MOVED))
    made.apply(Progress(epoch=1, images=2_500, total=10_000))
    text = as_text(render(made, 100, 60), 100)
    assert made.evaluating and " 25.0 %" in text and "moving:" not in text and "━━━" in text
    made.apply(epoch_done(1))
    made.apply(steps(2, 6_000, moved=MOVED))
    assert made.evaluated == 0.0 and "moving:" in as_text(render(made, 100, 60), 100)


def test_a_network_that_does_not_fit_is_named_in_a_line():
    assert drawing(state(), 70, 3, UNICODE) == []
    assert drawing(state(extents=("28x28x1", "10")), 96, 3, UNICODE) == []  # of something else
    made = state()
    assert made.run is not None
    line = plain([in_a_line(made.run, made, 96, UNICODE)])[0]
    assert line.startswith("█ 28x28x1 ▸ █ 28x28x16 ▸ ▄ 14x14x16") and line.endswith("▂ 7x7x64 ▸ ▃ 100 ▸ ▁ 10")
    assert "28x28x1 > 28x28x16" in plain([in_a_line(made.run, made, 96, ASCII)])[0]
    odd = state(architecture="dense5 dense1", extents=("1x13x1", "5", "1"), moved=(0.1, 0.2))
    assert plain(drawing(odd, 96, 3, UNICODE))[3].split() == ["1x13x1", "5", "1"]


def test_movement_is_the_change_of_the_weights_by_layer():
    network = Network((*CNN[:-1], Dense(10)), (28, 28, 1))
    network.initialise("he", 1)
    before = {name: array.copy() for name, array in network.tensors().items()}
    change = WeightChange(network)
    assert change.since_last() == (0.0,) * 7
    for name, array in network.tensors().items():
        assert np.array_equal(array, before[name])  # looking changes nothing
    weights = network.tensors()
    weights["conv1.weight"] *= 1.01
    weights["dense2.weight"][...] = 0
    first, second = change.since_last(), change.since_last()
    assert first == (pytest.approx(0.01 / 1.01, rel=0.01), 0, 0, 0, 0, 0, 0)  # weights that are 0 have none
    assert second == (0.0,) * 7
    weights["conv2.weight"] *= np.float32(1e30)
    assert change.since_last()[2] == pytest.approx(1.0)


@pytest.mark.parametrize("boxed", [True, False])
@pytest.mark.parametrize("glyphs", [UNICODE, GREYS, ASCII], ids=["unicode", "greys", "ascii"])
def test_digits_are_marked_right_or_wrong(glyphs, boxed):
    lines = digits_panel(state(), 100, glyphs, boxed)
    text = plain(lines)
    right, wrong = ("ok 0", "x 9 not 5") if glyphs is ASCII else ("✓ 0", "✗ 9 not 5")
    assert {cell_len(line) for line in text} == {100} and len(text) == 9 if boxed else 8
    assert right in text[6] and wrong in text[6] and "7 of 8 right" in text[0]
    fill = {UNICODE: "██████████", GREYS: "▀▀▀▀▀▀▀▀▀▀", ASCII: "@@@@@@@@@@"}[glyphs]
    assert text[1].count(fill) == 8
    tones = {tone for piece, tone in lines[1] if piece == "▀"}
    assert tones == ({"#ffffff on #ffffff", "#ff8f80 on #ff8f80"} if glyphs is GREYS else set())
    assert "0:" in text[7] and (">0:" in text[7] if glyphs is ASCII else "▸0:" in text[7])  # the worst class


CLOTHES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


@pytest.mark.parametrize(
    ("names", "right", "wrong", "classes"),
    [
        (CLOTHES, "✓ T-shirt", "✗ ank/san", ("▸T-sh:", "ankl:")),
        (tuple("1234567890"), "✓ 1", "✗ 0 not 6", ("▸1:", "0:")),
        (tuple(f"number {i}" for i in range(10)), "✓ 0", "✗ 9/5", ("▸0:", "9:")),  # cut, they would all be equal
        (tuple("零一二三四五六七八九"), "✓ 零", "✗ 九/五", ("▸零:", "九:")),
    ],
)
def test_classes_are_called_by_their_names(names, right, wrong, classes):
    made = state()
    made.run = dataclasses.replace(made.run, class_names=names)
    lines = digits_panel(made, 126, UNICODE)
    text = plain(lines)
    assert {cell_len(line) for line in text} == {126}
    assert right in text[6] and wrong in text[6]
    assert all(part in text[7] for part in classes)
    head = plain(confusion_panel(CONFUSION, 47, 14, UNICODE, names=names))
    assert {cell_len(line) for line in head} == {47}
    assert head[1].split()[1:-1] == short_names(names, 10, 3)


def test_as_many_digits_as_fit():
    assert "of 12 right" in plain(digits_panel(state(), 160, UNICODE))[0]
    assert "of 4 right" in plain(digits_panel(state(), 60, UNICODE))[0]
    assert "after the first evaluation" in plain(digits_panel(DashboardState(), 60, UNICODE))[-2]


def test_every_panel_is_there_at_a_hundred_columns():
    """A usual window is 100x30; less has a line of classes instead of digits."""
    for height in (30, 40, 50):
        text = as_text(render(state(), 100, height), 100)
        for part in ("images/s", "GFLOP/s", "test digits", "0:", "loss", "accuracy", "epochs", "left"):
            assert part in text, (height, part)
    assert "confusions" in as_text(render(state(), 160, 50), 160)
    narrow = as_text(render(state(), 80, 24), 80)
    assert "of 6 right" not in narrow and "▸0:91" in narrow


def test_the_largest_errors_are_among_the_digits():
    made = state()
    worst = {"worst": ("0" * 100,) * 12, "worst_labels": (1,) * 12, "worst_predictions": (7,) * 12}
    made.apply(epoch_done(1, confusion=CONFUSION, sample_predictions=FOUND, **worst))
    text = plain(digits_panel(made, 120, UNICODE))
    assert "4 of 4 right; 5 largest of 81 errors" in text[0] and text[6].count("✗ 7 not 1") == 5
    assert "✓ 0" in text[6]
    narrow = plain(digits_panel(made, 60, UNICODE))
    assert "2 largest of 81 errors" in narrow[0] and {cell_len(line) for line in narrow} == {60}


def test_numbers_and_untested_networks_have_no_classes():
    """A regression has one "class"; `fit` has no test images."""
    for changes in ({"classes": 1, "sample": (), "sample_labels": ()}, {"test_images": 0, "sample": ()}):
        made = DashboardState()
        made.apply(started(**(SAMPLE | changes)))
        for size in ((100, 24), (80, 24), (160, 50)):
            text = as_text(render(made, *size), size[0])
            assert "first evaluation" not in text and "test digits" not in text and "confusions" not in text


def test_confusions_show_the_percent_right_and_the_counts():
    lines = confusion_panel(CONFUSION, 47, 14, UNICODE)
    text = plain(lines)
    assert {len(line) for line in text} == {47} and len(text) == 14
    assert text[1].split()[1:-1] == [str(label) for label in range(10)]
    assert text[2].split()[1:-1] == ["0", "91", "1", "2", "1", "2", "1", "2"]  # nothing where nobody was taken for it
    heats = {tone for piece, tone in lines[3] if piece.strip() in ("1", "2") and " on " in tone}
    assert len(heats) == 2
    assert "after the first" in plain(confusion_panel((), 47, 14, ASCII))[1]
    whole = tuple(tuple(5 * (row == column) for column in range(10)) for row in range(10))
    assert "100" in plain(confusion_panel(whole, 47, 14, ASCII))[2]


def test_a_tiny_terminal_says_that_it_is_done():
    made = state()
    made.apply(RunFinished(test_accuracy=91.0, val_accuracy=None, elapsed_s=61.0))
    assert as_text(render(made, 40, 10), 40).startswith("cnn done in 1:01")


def test_a_tiny_terminal_leaves_out_what_does_not_fit_and_cuts_nothing():
    made = state()
    for width in range(8, 60):
        line = as_text(render(made, width, 10), width).rstrip()
        parts = ["cnn", "epoch 2  10 %", "0:55 left", "loss 0.3487", "acc 91.13 %", "10,000 images/s"]
        for part in parts:
            line = line.replace(part, "")
        assert not line.strip(), line
    assert all(part in as_text(render(made, 59, 10), 59) for part in parts[:5])


def test_a_tiny_terminal_answers_to_its_keys():
    made = state()
    made.paused = True
    assert "paused" in as_text(render(made, 40, 10), 40)
    made.help = True
    assert "q stop" in as_text(render(made, 40, 10), 40)
    made.apply(RunFinished(test_accuracy=91.0, val_accuracy=None, elapsed_s=61.0))
    assert "done" in as_text(render(made, 40, 10), 40)


def test_a_tiny_terminal_does_not_take_loading_for_compiling():
    made = state()
    made.apply(Compiling(name="k", index=0, total=2, cached=True, seconds=0.0))
    assert as_text(render(made, 40, 10), 40).startswith("cnn loading kernels 1/2 ")


def test_the_help_is_whole_from_60_columns_on():
    made = state()
    made.help = True
    text = as_text(render(made, 60, 24), 60)
    assert all(f"{name:<15}{what}" in text for name, what in (*HELP, *PANELS))


def test_one_thread_is_no_threads():
    for size in ((160, 50), (80, 24)):
        assert "1 thread (omp)" in as_text(render(state(threads=1), *size), size[0])
    assert "2 threads (omp)" in as_text(render(state(threads=2), 80, 24), 80)


@pytest.mark.parametrize("size", [(60, 12), (80, 24), (100, 30), (160, 50)])
def test_where_keys_are_heard_the_screen_says_so(size):
    made = state()
    assert "h help" not in as_text(render(made, *size), size[0])
    made.keys = True
    assert "h help" in as_text(render(made, *size), size[0])


class Writes(io.StringIO):
    """A terminal that counts what is written to it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[str] = []

    def write(self, text: str) -> int:
        self.all.append(text)
        return len(text)


def test_a_frame_is_one_write_that_a_terminal_shows_at_once():
    out = Writes()
    paint = Painter(Console(file=out, force_terminal=True, width=20))
    frames = (["one", "two"], ["one", "TWO"], ["ONE", "TWO"], ["a", "b", "c"], ["a", "b", "c"])
    for texts in frames:
        paint.paint(Frame([[(text, "")] for text in texts]))
    assert len(out.all) == len(frames) - 1  # the last changes nothing
    assert all(text.startswith("\x1b[?2026h") and text.endswith("\x1b[?2026l") for text in out.all)
    assert "one" not in out.all[1] and "TWO" not in out.all[2]
    paint.resized(smaller=True)
    paint.paint(Frame([[("a", "")]]))
    assert len(out.all) == len(frames) and "\x1b[2J" in out.all[-1]  # clearing belongs to the frame
    paint.resized(smaller=False)
    paint.paint(Frame([[("b", "")]]))
    assert "\x1b[2J" not in out.all[-1] and "\x1b[0J" in out.all[-1]


def test_a_redraw_sends_little(monkeypatch):
    """Digits and confusions are thousands of bytes; a step must not send them again."""
    for name, value in {"COLUMNS": "160", "LINES": "50", "TERM": "xterm-256color", "COLORTERM": "truecolor"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Writes()
    times = iter(range(10_000))
    with Dashboard(out, {"TERM": "xterm-256color"}, lambda: float(next(times)), keyboard=io.StringIO()) as view:
        view.handle(started(**SAMPLE))
        view.handle(steps(0, 6000, moved=MOVED))
        view.handle(epoch_done(0, confusion=CONFUSION, sample_predictions=FOUND))
        assert "255;255;255" in "".join(out.all)
        for done in range(6000, 60_000, 6000):
            view.handle(steps(1, done, moved=MOVED))
    sizes = [len(text) for text in out.all]
    assert max(sizes) > 10_000 and sorted(sizes)[len(sizes) // 2] < 5_000
