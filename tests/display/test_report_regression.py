"""The page of a regression: its error, predictions and residuals, and nothing that only classifications have."""

import re

import numpy as np
import pytest
from commands import refusal, settle

from jitnet.cli import main
from jitnet.model.architecture import operations, parse, shapes
from jitnet.report.regression import Residuals, regression, residuals


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A run that learns y = 3 a - 2 b + 10 of a table, and its page."""
    with pytest.MonkeyPatch.context() as patch:
        folder = settle(patch, tmp_path_factory.mktemp("regression"))
        rng = np.random.default_rng(0)
        a, b = rng.normal(0, 1, (2, 140)).round(4)
        lines = [f"{x},{y},{3 * x - 2 * y + 10}" for x, y in zip(a, b)]
        (folder / "t.csv").write_text("\n".join(["a,b,price <eur>", *lines]) + "\n")
        words = ("--arch", "dense8:tanh", "--recipe", "documents", "--init", "he", "--lr", "0.05", "--data", "t.csv")
        words = (*words, "--target", "price <eur>")
        assert main(["train", "mlp", *words, "--epochs", "30", "--name", "reg", "--ui", "quiet"]) == 0
        assert main(["report", "reg"]) == 0
        return folder, (folder / "runs/reg/report.html").read_text()


def test_a_regression_is_reported_from_its_table(page):
    text = page[1]
    error = float(re.search(r"<h1>reg: test RMSE ([\d.e-]+)</h1>", text)[1])
    assert 0 < error < 1  # of numbers whose deviation is about 3.6
    assert "Nothing is measured" not in text
    for part in (
        "Predicted and true", "Residuals: predicted minus true", "20 test rows of t", "mean absolute error", "rows/s",
        "one row a step", "root mean squared error", "One row, one pass forward.", "matrix product", "test RMSE",
        f"predicts 'price &lt;eur&gt;' of 20 test rows of t with a root mean squared error of {error}",
    ):  # fmt: skip
        assert part in text, part
    for part in ("softmax", "vectorise", "test accuracy", "Confusion", "Each class", "price <eur>", "None", "nan"):
        assert part not in re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL), part
    assert text.count("<circle") >= 20 and "<rect" in text


def test_the_error_of_the_page_is_that_of_the_run(page, monkeypatch, capsys):
    monkeypatch.chdir(page[0])
    assert main(["eval", "reg"]) == 0
    shown = re.search(r"rmse = ([\d.e-]+)", capsys.readouterr().out)[1]
    assert f"<h1>reg: test RMSE {shown}</h1>" in page[1]


def test_a_table_that_is_gone_or_other_is_said_once(page, monkeypatch, capsys):
    monkeypatch.chdir(page[0])
    (page[0] / "t.csv").rename(page[0] / "u.csv")
    try:
        assert main(["report", "reg", "--out", "without.html"]) == 0
    finally:
        (page[0] / "u.csv").rename(page[0] / "t.csv")
    text = (page[0] / "without.html").read_text()
    assert "Nothing is measured on test data here" in text and "reg: test RMSE" in text and "Predicted and" not in text
    assert capsys.readouterr().err.count("\n") == 1


def test_a_regression_cannot_be_drawn_as_images(page, monkeypatch, capsys):
    monkeypatch.chdir(page[0])
    assert "expected a run that classifies images" in refusal(capsys, "errors", "reg")


def test_residuals_are_in_the_unit_of_the_target():
    found = residuals("t", "y", np.array([[1.0], [0.0], [-2.0]]), np.array([[0.5], [0.0], [-1.0]]), unit=4.0)
    assert found.true.tolist() == [1.0, 0.0, -2.0] and found.errors.tolist() == [1.0, 0.0, -2.0]
    assert found.rmse == pytest.approx((5 / 3) ** 0.5) and found.mean_error == 1.0
    assert found.explained == pytest.approx(1 - (5 / 3) / np.var([1, 0, -2]))
    moved = residuals("t", "y", np.array([[1.0]]), np.array([[0.5]]), unit=4.0, mean=70.0)
    assert (moved.true[0], moved.predicted[0]) == (71.0, 72.0)
    assert "72" in str(regression(moved)) and "mean of the training rows" not in str(regression(moved))


@pytest.mark.parametrize(
    ("true", "predicted"),
    [([1.0], [1.0]), ([2.0, 2.0], [2.0, 2.0]), ([0.0, 0.0], [1e9, -1e-9]), ([1e-9, 2e-9], [0.0, 0.0]),
     ([-5.0, 7.0], [6.0, 6.0])],
)  # fmt: skip
def test_any_residuals_can_be_drawn(true, predicted):
    drawn = str(regression(Residuals("t", "y", np.array(true), np.array(predicted))))
    assert "nan" not in drawn and "inf" not in drawn and drawn.count("<circle") == len(true)
    tall = [float(height) for height in re.findall(r'<rect[^>]* height="([^"]*)"', drawn)]
    assert tall and min(tall) >= 0
    wide = [float(width) for width in re.findall(r'<rect[^>]* width="([^"]*)"', drawn)]
    assert min(wide) > 0


def test_many_rows_are_thinned_but_all_are_counted():
    rng = np.random.default_rng(0)
    drawn = str(regression(Residuals("t", "y", rng.normal(size=50_000), rng.normal(size=50_000))))
    assert drawn.count("<circle") == 2_000 and "50,000 test rows" in drawn and drawn.count("<rect") < 80


@pytest.mark.parametrize(
    ("regression", "expected"),
    [(False, ["vectorise", "matrix product", "add bias", "tanh", "matrix product", "add bias", "softmax"]),
     (True, ["matrix product", "add bias", "tanh", "matrix product", "add bias"])],
)  # fmt: skip
def test_operations_are_those_of_the_task(regression, expected):
    network = shapes(parse("dense4:tanh dense1"), (1, 3, 1))
    assert [row[0] for row in operations(network, regression)] == expected
