"""`eval --tta`: the mean over shifted images, named where its result is shown, refused where nothing can be shifted."""

import json

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.data import load
from jitnet.model.scores import over_shifts, probabilities
from jitnet.run.trained import open_trained


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def test_the_probabilities_are_the_mean_over_the_image_and_its_four_neighbours():
    rng = np.random.default_rng(0)
    images, weight = rng.integers(0, 256, (3, 4, 5, 1)).astype(np.uint8), rng.normal(size=(20, 6)) / 99
    found = probabilities(over_shifts(lambda x: x.reshape(len(x), -1) @ weight, images))
    rows, columns = np.arange(4), np.arange(5)
    mean = 0
    for down, right in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        moved = images[:, (rows - down).clip(0, 3)][:, :, (columns - right).clip(0, 4)]
        mean = mean + probabilities(moved.reshape(3, -1) @ weight) / 5
    assert np.allclose(found, mean, rtol=1e-12)


def test_its_result_is_named(folder, capsys):
    train("run", "--label-smoothing", "0.2")
    answers = {}
    for words in ((), ("--tta",)):
        capsys.readouterr()
        assert main(["eval", "run", *words]) == 0
        assert ("mean of 5 shifts of each image (--tta)" in capsys.readouterr().out) == bool(words)
        assert main(["eval", "run", "--json", *words]) == 0
        answers[words] = json.loads(capsys.readouterr().out)
        assert answers[words]["tta"] == bool(words)
    assert answers[()]["loss"] != answers[("--tta",)]["loss"]


def test_the_calibration_error_is_that_of_the_test_images(folder, capsys):
    train("run", "--label-smoothing", "0.2")
    capsys.readouterr()
    assert main(["eval", "run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["calibration_error"]
    data = load("digits")
    chances = probabilities(open_trained("run").network.logits(data.x_test[..., None]))
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == data.y_test
    bins = [np.floor(np.minimum(sure * 10, 9.5)) == place for place in range(10)]
    assert found == pytest.approx(sum(abs(sure[b].sum() - right[b].sum()) for b in bins) / len(sure))


def test_classes_of_rows_have_nothing_to_shift(folder, capsys):
    x, y = np.random.default_rng(0).integers(0, 256, (60, 1, 5), np.uint8), np.arange(60) % 3
    np.savez("rows.npz", x_train=x, y_train=y, x_test=x[::-1] // 2, y_test=y)
    train("rows", "--arch", "dense4", "--data", "rows.npz", network="mlp", epochs=1)
    assert "--tta shifts images" in refusal(capsys, "eval", "rows", "--tta")


def test_a_table_has_nothing_to_shift(folder, capsys):
    x = np.random.default_rng(0).random((60, 3))
    (folder / "table.csv").write_text("a,b,c,y\n" + "".join(f"{a},{b},{c},{a + b}\n" for a, b, c in x))
    words = (
        "--data",
        "table.csv",
        "--target",
        "y",
        "--hidden",
        "4",
        "--epochs",
        "1",
        "--name",
        "table",
        "--ui",
        "quiet",
    )
    assert main(["train", "mlp", *words]) == 0
    assert "--tta shifts images" in refusal(capsys, "eval", "table", "--tta")
