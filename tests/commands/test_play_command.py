"""`jitnet play`: the page of a run, of a regression, of a file; what it refuses; and a file that the page saved."""

import json
import re

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.play.page import source


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = settle(patch, tmp_path_factory.mktemp("play"))
        digits(folder)
        train("small")
        yield folder


def data(page: str) -> dict:
    """Return what a page knows of its run."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_of_a_run_carries_its_images_and_its_weights(folder, capsys):
    assert main(["play", "small", "--out", "page.html"]) == 0
    assert re.match(r"written: page.html \(\d+ kB\)", capsys.readouterr().out)
    found = data((folder / "page.html").read_text(encoding="utf-8"))
    assert found["title"] == "small" and found["spec"]["image"] == [6, 6, 1]
    assert [layer["name"] for layer in found["spec"]["layers"]] == ["conv1", "pool1", "dense1", "dense2"]
    assert found["train"]["count"] == 200 and found["test"]["count"] == 60 and found["source"] == "images of digits"
    assert found["label"] == "after 2 epochs" and found["metadata"]["architecture"] == "conv2 pool dense4"


def test_without_out_the_page_is_in_the_run_and_the_browser_opens(folder, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    assert main(["play", "small"]) == 0
    page = folder / "runs" / "small" / "play.html"
    assert opened == [page.absolute().as_uri()] and page.is_file()
    assert main(["report", "small"]) == 0
    report = (folder / "runs" / "small" / "report.html").read_text()
    assert 'href="play.html"' in report and "jitnet play" in report
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    capsys.readouterr()
    assert main(["play", "small"]) == 0
    assert "no browser was found" in capsys.readouterr().err


def test_a_regression_has_its_columns_and_scales(folder):
    rng = np.random.default_rng(0)
    table = rng.uniform(-1, 1, (70, 3))
    np.savetxt("table.csv", table, delimiter=",", header="a,b,y", comments="")
    words = ["--arch", "dense4:tanh", "--data", "table.csv", "--target", "y", "--epochs", "1", "--ui", "quiet"]
    assert main(["train", "mlp", *words, "--name", "numbers"]) == 0
    assert main(["play", "numbers", "--out", "numbers.html"]) == 0
    found = data((folder / "numbers.html").read_text(encoding="utf-8"))
    assert found["spec"]["loss"] == "numbers" and found["columns"] == ["a", "b"] and found["target"] == "y"
    assert found["train"]["count"] == 60 and len(found["means"]) == len(found["deviations"]) == 3


def test_refusals(folder, capsys):
    assert "expected a file in a folder" in refusal(capsys, "play", "small", "--out", "nowhere/page.html")
    assert "there is no run 'smal'" in refusal(capsys, "play", "smal", "--out", "page.html")
    assert "has images of" in refusal(capsys, "play", "small", "--data", "synthetic", "--out", "page.html")


def test_the_page_without_its_data_says_so(folder, capsys):
    (folder / "digits").rename(folder / "away")
    try:
        assert main(["play", "small", "--out", "page.html"]) == 0
    finally:
        (folder / "away").rename(folder / "digits")
    assert "no images to train on" in capsys.readouterr().err
    assert data((folder / "page.html").read_text(encoding="utf-8"))["train"]["count"] == 0


def test_the_marks_of_the_template_are_filled():
    assert set(re.findall(r"@(\w+)@", source("page.html"))) == {"title", "made", "style", "data", "scripts"}
