"""The network that comes with jitnet: it is used from any folder by its name, and changed from none."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import ROOT, settle

from jitnet import load
from jitnet.cli import main
from jitnet.errors import InputError
from jitnet.run import RunFolder
from jitnet.run.names import KEPT, REFERENCE, find_run


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    settle(monkeypatch, tmp_path)


def test_it_predicts_from_any_folder(capsys):
    from PIL import Image

    digit = np.full((28, 28), 255, np.uint8)
    digit[4:24, 13:15] = 0  # a one
    Image.fromarray(digit).save("one.png")
    assert main(["predict", REFERENCE, "one.png", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["answers"][0]["class"] == "1" and found["answers"][0]["probability"] > 0.9
    assert load(REFERENCE).predict(np.where(digit == 0, 255, 0).astype(np.uint8)[None]) == [1]


def test_a_run_of_that_name_comes_first(tmp_path):
    assert find_run(REFERENCE, "runs") == KEPT / REFERENCE == ROOT / "runs" / REFERENCE
    (tmp_path / "runs" / REFERENCE).mkdir(parents=True)
    (tmp_path / "runs" / REFERENCE / "meta.json").touch()
    assert find_run(REFERENCE, "runs") == Path("runs") / REFERENCE


def test_nothing_is_written_to_it(capsys):
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (KEPT / REFERENCE).iterdir())
    with pytest.raises(InputError, match="comes with jitnet"):
        RunFolder.open(REFERENCE, "runs", lock=True)
    assert main(["report", REFERENCE]) == 0
    assert Path(f"report-{REFERENCE}.html").exists()
    assert sorted((path.name, path.stat().st_mtime_ns) for path in (KEPT / REFERENCE).iterdir()) == before
