"""Pictures and bars in characters, and the commands that draw them: `jitnet errors` and `jitnet predict`."""

import re
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.display.live.frame import ASCII, UNICODE
from jitnet.display.pictures import WIDEST, as_bytes, draw_chances, draw_image
from jitnet.model.scores import probabilities


def text(lines) -> list[str]:
    return [line.plain for line in lines]


def test_two_pixels_of_a_column_are_one_character():
    pixels = np.array([[0, 255, 0, 255], [0, 0, 255, 255], [95, 96, 0, 0]], np.uint8)
    assert text(draw_image(pixels, UNICODE, colour=False)) == [" ▀▄█", " ▀  "]
    assert text(draw_image(pixels, ASCII, colour=False)) == [" ==@", "..  "]


def test_colours_are_the_pixels_own_greys():
    (line,) = draw_image(np.array([[0, 200], [17, 255]], np.uint8), UNICODE, colour=True)
    styles = [(span.style.color.name, span.style.bgcolor.name) for span in line.spans]
    assert line.plain == "▀▀" and styles == [("#000000", "#111111"), ("#c8c8c8", "#ffffff")]


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (57, 57), (100, 300), (2, 1000), (28, 28)])
def test_a_picture_of_any_size_fits(shape):
    for glyphs in (UNICODE, ASCII):
        lines = text(draw_image(np.full(shape, 255, np.uint8), glyphs, colour=False))
        assert lines and len({len(line) for line in lines}) == 1 and 0 < len(lines[0]) <= WIDEST


def test_any_range_becomes_bytes():
    assert as_bytes(np.array([[-2.0, 0.0], [1.0, 2.0]])).tolist() == [[0, 128], [191, 255]]
    assert as_bytes(np.full((2, 2), 7.0)).tolist() == [[0, 0], [0, 0]]


def test_a_bar_is_as_long_as_its_probability():
    lines = text(draw_chances(np.array([0.25, 0.5, 0.25]), 1, 2, ASCII))
    assert [line.count("#") for line in lines] == [6, 12, 6]
    assert lines[1].endswith("50.0 % predicted") and lines[2].endswith("25.0 % true") and lines[0].endswith("%")
    assert text(draw_chances(np.array([1.0, 0.0]), 0, 0, ASCII))[0].endswith("predicted true")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with data, and a run that has learned too little to be right always."""
    settle(monkeypatch, tmp_path)
    digits(tmp_path)
    train("run", "--lr", "0.01", epochs=1)
    return tmp_path


def test_errors_draws_the_worst_first(folder, capsys):
    from jitnet.commands.support.trained_run import load_test, load_trained

    network, run, _ = load_trained("run", Path("runs"), None)
    data, images = load_test(network, run, None, True)
    chances = probabilities(network.logits(images))
    wrong = np.flatnonzero(chances.argmax(axis=1) != data.y_test)
    worst = wrong[np.argsort(chances[wrong, data.y_test[wrong]], kind="stable")]
    assert len(wrong) > 2  # else this shows nothing
    capsys.readouterr()
    assert main(["errors", "run", "--count", "2"]) == 0
    out = capsys.readouterr().out
    score = f"{len(wrong)} of 60 test images of digits are wrong ({100 * (60 - len(wrong)) / 60:.2f} % right)"
    head, _, out = out.partition("\n")
    assert head == f"runs/run: {score}; here are the 2 worst"
    shown = [tuple(map(int, found)) for found in re.findall(r"image (\d+): true (\d), predicted (\d)", out)]
    assert shown == [(i, data.y_test[i], chances[i].argmax()) for i in worst[:2]]
    percents = [float(p) for p in re.findall(r"([\d.]+) %", out)]
    assert np.allclose(percents, 100 * chances[worst[:2]].ravel(), atol=0.051)
    assert main(["errors", "run", "--count", str(len(wrong))]) == 0  # just all of them
    assert "worst" not in capsys.readouterr().out
    assert main(["errors", "run", "--count", "1000"]) == 0
    out = capsys.readouterr().out
    assert out.count(" predicted\n") + out.count(" predicted true\n") == len(wrong) and "worst" not in out


def test_predict_draws_few_images_and_lists_many(folder, capsys):
    np.save("few.npy", np.random.default_rng(0).integers(0, 256, (2, 6, 6), np.uint8))
    capsys.readouterr()
    assert main(["predict", "run", "few.npy"]) == 0
    out = capsys.readouterr().out
    assert out.count(" predicted\n") == 2 and " true" not in out and out.count("few.npy[") == 2


def test_what_errors_refuses(folder, capsys):
    assert "--count is 0" in refusal(capsys, "errors", "run", "--count", "0")
    digits(folder / "other", side=8)
    assert "expected (6, 6, 1)" in refusal(capsys, "errors", "run", "--data", "other/digits")
