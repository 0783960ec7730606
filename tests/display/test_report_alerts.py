"""What a page says of a run that is not whole: stopped early, on synthetic digits, without epochs, without errors."""

import json
import sys

import numpy as np
from commands import digits, settle, train
from run_folders import HEADER

from jitnet.cli import main
from jitnet.report.measure import measure
from jitnet.report.section import _mistakes


def test_a_run_that_ended_early_says_why(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    monkeypatch.setattr(sys, "argv", ["jitnet", "train", "cnn"])
    run = train("run", "--arch", "dense4", "--target-accuracy", "1", epochs=3)
    assert main(["report", "run"]) == 0
    page = (run / "report.html").read_text()
    assert "It stopped before its last epoch: " in page and "This run is" not in page and "synthetic" not in page
    assert "Filters and feature maps" not in page and "# as it was started" in page  # no convolution, no filters
    meta = json.loads((run / "meta.json").read_text())
    del meta["stop_reason"], meta["argv"]
    (run / "meta.json").write_text(json.dumps(meta | {"status": "stopped", "data": "synthetic"}))
    (run / "metrics.csv").write_text(HEADER + "\n")
    assert main(["report", "run"]) == 0
    page = (run / "report.html").read_text()
    assert "This run is stopped: its figures are those of its newest checkpoint." in page
    assert "its accuracy is not MNIST" in page and "It stopped before" not in page
    assert "No epoch is done." in page and "# as it was started" not in page and "Confusion matrix" in page
    (run / "meta.json").write_text(json.dumps(meta | {"data_sha256": "0" * 64}))
    assert main(["report", "run"]) == 0
    assert "is not here" in (run / "report.html").read_text()


def test_a_network_without_errors_has_no_pictures_of_them():
    assert "There are none." in str(_mistakes(None, measure("digits", np.eye(3), np.arange(3))))
