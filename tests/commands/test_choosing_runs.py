"""What is read of runs to list, sort, filter and compare them: which epoch, which mean, which order."""

import json
import os

import pytest
from commands import refusal
from run_folders import HEADER, write_run

from jitnet.cli import main
from jitnet.history import read_run, select
from jitnet.history.compare import compare
from jitnet.history.curves import curves
from jitnet.history.read import summary
from jitnet.history.statistics import describe
from jitnet.history.sweep_record import expand, list_sweeps
from jitnet.history.tables import Name, statistics_tables
from jitnet.model.architecture import parameter_count, parse, shapes


def run_of(folder, name, epochs, settings="", **meta):
    """Return a run with an epoch for each (test accuracy, seconds of training, images a second)."""
    path = write_run(folder, name, [90.0] * len(epochs), settings, **meta)
    rows = [
        f"{n},{n + 1},0.1,0.5,,,0.5,{accuracy},{seconds},0,{rate},{9 * (n + 1)}"
        for n, (accuracy, seconds, rate) in enumerate(epochs)
    ]
    (path / "metrics.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return read_run(name, folder)


@pytest.mark.parametrize(("sign", "passes"), [("=", 0), ("!=", 1), ("<", 0), ("<=", 0), (">", 0), (">=", 0)])
def test_a_run_without_a_value_differs_from_any(tmp_path, sign, passes):
    run = run_of(tmp_path, "a", [(90, 1, 1)])
    assert len(select.keep([run], [f"val{sign}5"])) == len(select.keep([run], [f"note{sign}x"])) == passes


@pytest.mark.parametrize("name", select.NAMES)
@pytest.mark.parametrize("reverse", [False, True])
def test_the_best_newest_or_largest_is_first_and_what_is_unknown_last(monkeypatch, name, reverse):
    least = {"name", "status", "network", "architecture", "data", "rmse", "loss", "seconds"}
    monkeypatch.setattr(select, "fields", lambda run: {name: run})
    ordered = [1.0, 2.0, 3.0] if (name in least) != reverse else [3.0, 2.0, 1.0]
    assert select.order([2.0, None, 3.0, 1.0], name, reverse) == [*ordered, None]


def test_a_list_has_the_last_and_the_best_accuracy_and_the_mean_rate(tmp_path):
    found = summary(run_of(tmp_path, "a", [(90, 1, 60), (97, 1, 30), (91, 1, 30)], "until = 5"))
    assert (found["accuracy"], found["best"], found["images_per_s"]) == (91.0, 97.0, 40.0)
    assert (found["epochs"], found["planned"]) == (3, 5)


@pytest.mark.parametrize("bias", ["position", "channel"])
def test_parameters_are_those_of_the_network_with_its_biases(tmp_path, bias):
    run = run_of(tmp_path, "a", [], f'architecture = "conv2 dense4"\nbias = "{bias}"')
    network = shapes((*parse("conv2 dense4"), *parse("dense10")), (28, 28, 1), bias)
    assert summary(run)["parameters"] == parameter_count(network)


def results(runs):
    """Return the numbers of a comparison's results by the name of their row."""
    table = next(table for table in compare(runs) if table.title == "results")
    return {line[0].text: line[1:] for line in table.rows if isinstance(line[0], Name)}


def test_a_comparison_is_with_the_first_run(tmp_path):
    runs = [run_of(tmp_path, name, [(value, 1, 1)]) for name, value in (("a", 90), ("b", 95), ("c", 97))]
    cells = results(runs)["test accuracy"]
    assert [(cell.value, cell.change) for cell in cells] == [(90, None), (95, 5), (97, 7)]


def test_a_comparison_has_means_over_epochs_and_the_best_of_them(tmp_path):
    found = results([run_of(tmp_path, name, [(90, 8, 60), (97, 2, 30), (91, 2, 30)]) for name in "ab"])
    for name, value in (("test accuracy", 91), ("best test accuracy", 97), ("images/s", 40), ("time an epoch", 4)):
        assert found[name][0].value == value


def test_times_are_those_to_the_three_highest_round_accuracies_that_a_run_has_reached(tmp_path):
    runs = [run_of(tmp_path, "a", [(91, 8, 1), (98.5, 4, 1)]), run_of(tmp_path, "b", [(89, 1, 1), (96, 1, 1)])]
    times = compare(runs)[-1]
    assert [(line[0], *(cell.value for cell in line[1:])) for line in times.rows] == [
        ("95 %", 12.0, 2.0), ("97 %", 12.0, None), ("98 %", 12.0, None),
    ]  # fmt: skip


def test_a_curve_of_steps_has_its_places_in_epochs_steps_and_seconds(tmp_path):
    path = write_run(tmp_path, "a", [90.0, 91.0])  # of 100 steps an epoch
    lines = [{"epoch": 0, "step": 50, "loss": 2.0, "t": 7.5}, {"epoch": 1, "step": 150, "loss": 1.0, "t": 30.0}]
    (path / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for along, places in (("epoch", [0.5, 1.5]), ("step", [50, 150]), ("time", [7.5, 30.0])):
        (curve,) = curves([read_run("a", tmp_path)], "step_loss", along)
        assert curve.points == tuple(zip(places, (2.0, 1.0)))


def sweep_of(folder, name, **statuses):
    """Write a sweep whose trials have these statuses."""
    trials = [{"name": trial, "group": "", "varied": {}} for trial in statuses]
    for trial, status in statuses.items():
        write_run(folder / name, trial, [90.0], status=status)
    (folder / name / "sweep.json").write_text(json.dumps({"schema": 1, "title": name, "trials": trials}))


def test_the_latest_sweep_is_first(tmp_path):
    for name, age in (("a", 20), ("b", 10), ("c", 30)):
        (tmp_path / name).mkdir()
        sweep_of(tmp_path, name)
        os.utime(tmp_path / name / "sweep.json", (1e9 - age, 1e9 - age))
    assert [path.name for path in list_sweeps(tmp_path)] == ["b", "a", "c"]


def test_only_runs_that_are_done_are_taken_of_a_sweep_where_that_is_asked(tmp_path):
    sweep_of(tmp_path, "s", a="done", b="stopped", c="diverged", d="running", e="done")
    assert [run.name for run in expand(["s"], tmp_path, done=True)] == ["a", "e"]
    assert [run.name for run in expand(["s"], tmp_path)] == ["a", "b", "c", "d", "e"]


def test_statistics_are_shown_of_the_last_epoch_or_of_every_one():
    found = {"": [describe(epoch, "test_loss", [1.0 - epoch / 10, 0.5]) for epoch in range(3)]}
    for every, epochs in ((False, [2]), (True, [0, 1, 2])):
        (table,) = statistics_tables(found, every)
        assert [line[1].value for line in table.rows] == epochs


def listed(capsys, *words):
    """Return the names of the runs and sweeps in a list."""
    capsys.readouterr()
    assert main(["runs", "list", "--json", *words]) == 0
    return [each["name"] for each in json.loads(capsys.readouterr().out)]


def test_a_limit_counts_runs_that_pass_and_a_filter_leaves_out_sweeps(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, accuracy in zip("abcd", (90.0, 95.0, 80.0, 97.0)):
        write_run(tmp_path / "runs", name, [accuracy], created=f"2026-11-20T1{name > 'b'}:0{ord(name) % 4}:00+00:00")
    sweep_of(tmp_path / "runs", "s", x="done")
    newest = listed(capsys, "--limit", "4")
    assert newest[-1] == "s" and sorted(newest[:-1]) == list("abcd")
    assert listed(capsys, "--limit", "2") == [*newest[:2], "s"] and listed(capsys, "--limit", "0") == newest
    assert listed(capsys, "--sort", "accuracy", "--filter", "accuracy<96", "--limit", "2") == ["b", "a"]
    assert "--limit is -1: expected 0 or more" in refusal(capsys, "runs", "list", "--limit", "-1")


def test_a_sweep_or_a_trial_that_cannot_be_read_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    sweep_of(tmp_path / "runs", "s", x="done", y="done")
    sweep_of(tmp_path / "runs", "t", z="done")
    (tmp_path / "runs" / "t" / "sweep.json").write_text("{")
    assert listed(capsys) == ["s"]
    assert main(["runs", "list"]) == 0
    assert "t/sweep.json" in capsys.readouterr().err
    (tmp_path / "runs" / "s" / "y" / "meta.json").write_text("{")
    for form in ([], ["--csv"], ["--markdown"]):
        assert main(["runs", "compare", "s", *form]) == 0
        shown = capsys.readouterr()
        assert "y/meta.json is damaged" in shown.err and "x" in shown.out
    assert shown.out.splitlines()[0].startswith(("#", "**", "|"))
    assert main(["runs", "compare", "s", "--csv"]) == 0
    assert "|" not in capsys.readouterr().out
    assert "--accuracy is given with a sweep" in refusal(capsys, "runs", "compare", "s", "--accuracy", "90")


@pytest.mark.parametrize("along", ["epoch", "step", "time"])
def test_a_figure_is_of_the_metric_and_the_axis_that_are_named(tmp_path, monkeypatch, along):
    write_run(tmp_path, "a", [90.0, 91.0])
    made = []
    monkeypatch.setattr("jitnet.commands.runs.save_figure", lambda *given: made.append(given))
    words = ["--metric", "train_loss", "--x", along, "--out", "f.svg", "--runs-dir", str(tmp_path)]
    assert main(["runs", "plot", "a", *words]) == 0
    ((path, drawn, *named),) = made
    assert (path.name, named) == ("f.svg", ["train_loss", along])
    assert drawn == curves([read_run("a", tmp_path)], "train_loss", along)
