"""The film of a run: its page, its animated picture, and what they are made of."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, MISSING, browse
from commands import ROOT, digits, refusal, settle, train
from run_folders import write_run
from sample_run import epoch_done, started

from jitnet.cli import main
from jitnet.history import read_run
from jitnet.history.curves import Curve, smoothed
from jitnet.history.statistics import describe
from jitnet.history.sweep_record import read_sweep
from jitnet.report.animation import animation
from jitnet.report.chart import _stairs
from jitnet.report.film import frames_of
from jitnet.report.heatmap import heat_maps
from jitnet.report.sweep_page import _charts, sweep_page


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = settle(patch, tmp_path_factory.mktemp("film"))
        digits(folder)
        run = train("run", "--batch-size", "4", epochs=3)
        assert main(["report", "run", "--film"]) == 0
        return folder, (run / "film.html").read_text()


def test_a_page_has_each_epoch(film):
    folder, text = film
    run = read_run(folder / "runs" / "run", folder / "runs")
    frames = frames_of(run)
    assert [frame["epoch"] for frame in frames] == [1, 2, 3]
    data = json.loads(re.search(r'<script type="application/json" id="film">(.*?)</script>', text).group(1))
    assert data["frames"] == frames and data["names"] == ["0", "1", "2"] and len(data["labels"]) == 60
    assert text.count("<li>") == 60 and "http" not in text.replace("http-equiv", "")
    right = [sum(a == b for a, b in zip(frame["predictions"], data["labels"])) for frame in frames]
    for frame, count in zip(frames, right):
        assert frame["accuracy"] == f"{100 * count / 60:.2f} %"  # all 60 test images are in the film


@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
def test_the_page_goes_through_the_epochs(film):
    folder, text = film
    checks = """
    const slider = document.getElementById("epoch"), now = document.getElementById("now");
    const seen = [now.textContent];
    slider.value = 0; slider.dispatchEvent(new Event("input"));
    seen.push(now.textContent, document.querySelectorAll("#digits .wrong").length,
      document.querySelectorAll("#filters canvas").length);
    return JSON.stringify(seen);
    """
    last, first, wrong, filters = json.loads(browse(folder, text, checks))
    assert last.startswith("epoch 3: test accuracy") and first.startswith("epoch 1: test accuracy")
    assert f"{60 - wrong} of these 60 right" in first and filters == 2


def test_what_has_no_film_is_refused(tmp_path, monkeypatch, capsys):
    settle(monkeypatch, tmp_path)
    write_run(tmp_path / "runs", "old", [90.0])
    write_run(tmp_path / "runs", "other", [90.0])
    assert "no predictions of single epochs" in refusal(capsys, "report", "old", "--film")
    assert "with 2 runs: expected one" in refusal(capsys, "report", "old", "other", "--film")


def test_an_animation_shows_each_epoch_and_needs_no_script():
    run = started(sample=("0" * 50 + "f" * 50,) * 12, sample_labels=(0,) * 12, classes=3, epochs=2)
    rows = [
        epoch_done(0, test_accuracy=50.0, confusion=((1, 1, 0),) * 3, sample_predictions=(1,) * 12, filters=("8" * 9,)),
        epoch_done(1, test_accuracy=99.5, confusion=((2, 0, 0),) * 3, sample_predictions=(0,) * 12, filters=("f" * 9,)),
    ]
    text = animation(run, rows)
    assert "<script" not in text and "50.00 %" in text and "99.50 %" in text
    assert text.count("<image") == 12 and text.count('values="#ff8f80;#6fd0a2"') == 12
    assert text.count('values="#fcf4ee;#d95f02"') == 9
    without = animation(run, [epoch_done(0, confusion=((1, 0, 0),) * 3, sample_predictions=(0,) * 12)] * 2)
    assert "filters" not in without and "<animate" not in without  # nothing changes


def test_the_picture_of_the_readme_is_made_of_the_built_in_digits():
    events = [json.loads(line) for line in (ROOT / "docs" / "film.jsonl").read_text().splitlines()]
    assert events[0]["event"] == "RunStarted" and events[0]["data"] == "synthetic"
    assert (ROOT / "docs" / "film.svg").stat().st_size < 150_000
    assert "film.svg" in (ROOT / "README.md").read_text()


def test_a_smoothed_curve_stays_inside_and_forgets():
    noisy = Curve("a", tuple((float(x), float(x % 2)) for x in range(200)))
    points = smoothed(noisy).points
    assert [x for x, _ in points] == [x for x, _ in noisy.points]
    assert all(0 <= y <= 1 for _, y in points) and np.std([y for _, y in points[50:]]) < 0.2
    step = Curve("a", tuple((float(x), float(x >= 100)) for x in range(200)))
    assert smoothed(step).points[-1][1] > 0.99 and smoothed(Curve("a", ())).points == ()


def test_a_rate_holds_until_the_next_epoch():
    assert _stairs([(0.0, 1.0), (1.0, 5.0), (2.0, 5.0)]) == [(0, 1), (0, 5), (1, 5), (1, 5), (2, 5)]
    assert _stairs([]) == []


def sweep_of(folder: Path, values) -> Path:
    trials = []
    for lr, batch, accuracy in values:
        name = f"lr-{lr}-{batch}"
        write_run(folder / "sweep", name, [accuracy])
        trials.append({"name": name, "group": name, "varied": {"lr": lr, "batch_size": batch}})
    record = {"schema": 1, "kind": "sweep", "title": "sweep cnn", "trials": trials}
    (folder / "sweep" / "sweep.json").write_text(json.dumps(record))
    return folder / "sweep"


def test_a_sweep_over_two_settings_has_a_heat_map_and_a_winner(tmp_path):
    grid = [(0.1, 8, 90.0), (0.1, 32, 91.0), (0.02, 8, 95.5), (0.02, 32, 80.0)]
    sweep = read_sweep(sweep_of(tmp_path, grid))
    (drawn,) = heat_maps(sweep)
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", drawn)
    assert [name for name, _ in rows] == ["8", "32"] and '<th scope="col">0.02</th><th scope="col">0.1</th>' in drawn
    assert re.findall(r">([\d.]+) %<", rows[0][1]) == ["95.50", "90.00"]
    assert 'class="best"' in rows[0][1] and drawn.count('class="best"') == 1
    page = sweep_page(sweep, "made")
    assert "The best of 4 trials is lr-0.02-8 with test accuracy 95.50 %." in page
    assert "<title>sweep: best test accuracy 95.50 %</title>" in page
    assert heat_maps(read_sweep(sweep_of(tmp_path / "one", [(0.1, 8, 90.0), (0.2, 8, 91.0)]))) == []


def test_a_configuration_has_one_colour_in_all_charts():
    losses = {"a": (("train_loss", 0.1), ("test_loss", 0.9)), "b": (("train_loss", 0.8), ("test_loss", 0.2))}
    charts = _charts({name: [describe(0, figure, [value]) for figure, value in row] for name, row in losses.items()})
    assert [re.findall(r"</i>(\w)</span>", each) for each in charts] == [["b", "a"]] * 2  # the better one first


def test_a_sweep_of_regressions_is_measured_by_its_error(tmp_path):
    folder = sweep_of(tmp_path, [(0.1, 8, ""), (0.1, 32, "")])
    for run in folder.glob("lr-*"):
        (run / "config.toml").write_text('network = "mlp"\narchitecture = "dense4"\ntarget = "price"\nloss = "mse"\n')
    page = sweep_page(read_sweep(folder), "made")  # each run has a test loss of 0.5
    assert "<title>sweep: best test RMSE 0.707107</title>" in page and ">test rmse</th>" in page
