"""The page of a sweep: which run, which epoch and which figure its maps, charts and sentences are of."""

import json
import re

import pytest
from run_folders import write_run

from jitnet.history import read_run
from jitnet.history.statistics import describe
from jitnet.history.sweep_record import Sweep, read_sweep
from jitnet.report.heatmap import heat_maps
from jitnet.report.sweep_page import _charts, sweep_page


def mapped(folder, trials, settings=""):
    """Return the map of trials (lr, batch size, seed) whose runs have these figures in their epoch."""
    runs, record = {}, []
    for place, ((lr, size, seed), figures) in enumerate(trials):
        path = write_run(folder, f"t{place}", [90.0], settings)
        row = {"epoch": 0, "step": 1, **figures}
        (path / "metrics.csv").write_text(f"{','.join(row)}\n{','.join(map(str, row.values()))}\n")
        runs[path.name] = [read_run(path.name, folder)]
        record.append({"name": path.name, "varied": {"lr": lr, "batch_size": size, "seed": seed}})
    (drawn,) = heat_maps(Sweep(folder, "sweep", {"trials": record}, (), runs))
    return drawn


GRID = [(0.1, 8, 0), (0.1, 16, 0), (0.2, 8, 0), (0.2, 16, 0)]


def test_a_cell_is_the_best_of_its_seeds(tmp_path):
    trials = [((*place[:2], seed), {"test_accuracy": 80 + seed % 2}) for place in GRID for seed in (0, 1, 2)]
    drawn = mapped(tmp_path, trials)
    assert re.findall(r">([\d.]+) %<", drawn) == ["81.00"] * 4 and drawn.count('class="best"') == 4


def test_a_map_goes_by_validation_images_where_there_are_any(tmp_path):
    figures = [{"val_accuracy": 80 + place, "test_accuracy": 90 - place} for place in range(4)]
    drawn = mapped(tmp_path, list(zip(GRID, figures)))
    assert re.findall(r">([\d.]+) %<", drawn) == ["80.00", "82.00", "81.00", "83.00"]
    assert re.findall(r'class="best">(.*?)<', drawn) == ["83.00 %"]


def test_the_lowest_loss_has_the_strongest_colour(tmp_path):
    figures = [{"val_loss": loss, "test_loss": 1 - loss} for loss in (0.4, 0.3, 0.1, 0.2)]
    drawn = mapped(tmp_path, list(zip(GRID, figures)))
    cells = re.findall(r"--share:([\d.]+)[^>]*>([\d.]+)<", drawn)
    assert sorted(cells, key=lambda cell: float(cell[1]), reverse=True) == sorted(cells)
    assert re.findall(r'class="best">(.*?)<', drawn) == ["0.1"]


def statistics(**values):
    """Return the statistics of configurations that have these accuracies, epoch by epoch."""
    return {
        name: [describe(epoch, "test_accuracy", [value]) for epoch, value in enumerate(each)]
        for name, each in values.items()
    }


def names(drawn):
    return re.findall(r"</i>(.*?)</span>", drawn)


def test_configurations_are_ranked_by_their_last_epoch():
    (drawn,) = _charts(statistics(a=[95.0, 80.0], b=[70.0, 90.0]))
    assert names(drawn) == ["b", "a"]


def test_a_chart_of_many_configurations_has_the_best_from_epoch_1_on():
    (drawn,) = _charts(statistics(**{name: [50.0, 90.0 + place] for place, name in enumerate("abcdefgh")}))
    assert names(drawn) == list("hgfedc") and "the 6 best of 8" in drawn
    points = json.loads(re.search(r'data-points="(.*?)"', drawn)[1].replace("&quot;", '"'))
    assert [[x for _, x, _ in line["at"]] for line in points] == [[1.0, 2.0]] * 6


@pytest.mark.parametrize("begun", [1, 3])
def test_a_sweep_counts_the_trials_that_were_planned(tmp_path, begun):
    trials = [{"name": f"t{place}", "group": f"g{place // 2}", "varied": {}} for place in range(4)]
    for place in range(begun):
        write_run(tmp_path / "s", f"t{place}", [90.0 + place])
    (tmp_path / "s" / "sweep.json").write_text(json.dumps({"schema": 1, "title": "s", "trials": trials}))
    best = f"The best of 4 trials is t{begun - 1} (g{(begun - 1) // 2}) with test accuracy {89 + begun}.00 %."
    assert best in sweep_page(read_sweep(tmp_path / "s"), "made")
