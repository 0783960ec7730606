"""What lists and descriptions of runs tell: which is `latest`, which epoch is shown, how many there are."""

import argparse
import json
import re

import pytest
from commands import refusal, settle
from run_folders import HEADER, write_run

from jitnet.cli import main
from jitnet.commands.support import latest, listing
from jitnet.commands.support.run_list import sweep_summary
from jitnet.history import read_run
from jitnet.history.sweep_record import read_sweep

REGRESSION = 'network = "mlp"\narchitecture = "dense4"\ntarget = "price"'


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs, of which b is the newer one."""
    settle(monkeypatch, tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    for name, hour in (("a", 11), ("b", 12)):
        write_run(tmp_path / "runs", name, [90.0, 95.0], created=f"2026-11-20T{hour}:00:00+00:00")
    return tmp_path / "runs"


def shown(capsys, *words):
    capsys.readouterr()
    assert main(["runs", *words]) == 0
    return capsys.readouterr().out


def table(capsys):
    """Return the list of runs: their cells by column, by name."""
    head, *rows = [re.split(" {2,}", line.strip()) for line in shown(capsys, "list").splitlines()[:-1]]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def sweep(runs, name, settings="", **accuracies):
    """Write a sweep with these trials, each a minute later than the one before."""
    for minute, (trial, accuracy) in enumerate(accuracies.items()):
        write_run(runs / name, trial, [accuracy], settings, created=f"2026-11-20T10:0{minute}:00+00:00")
    trials = [{"name": trial, "group": "", "varied": {}} for trial in accuracies]
    (runs / name / "sweep.json").write_text(json.dumps({"schema": 1, "title": name, "trials": trials}))


def test_latest_is_replaced_where_it_stands(runs, capsys):
    args = argparse.Namespace(run_names=["latest", "a", "latest"], runs_dir=runs)
    latest.resolve(args)
    assert args.run_names == [str(runs / "b"), "a", str(runs / "b")]
    args = argparse.Namespace(run_name="latest", runs_dir=runs)
    latest.resolve(args)
    assert args.run_name == str(runs / "b") and capsys.readouterr().out == ""


@pytest.mark.parametrize(("ui", "lines"), [("auto", 1), ("live", 1), ("plain", 1), ("json", 0), ("quiet", 0)])
def test_latest_is_named_except_to_programs(runs, capsys, ui, lines):
    latest.resolve(argparse.Namespace(run_name="latest", runs_dir=runs, ui=ui))
    assert capsys.readouterr().err.count("latest is b: done") == lines


def test_a_run_is_described_by_its_result_or_its_damage(runs):
    write_run(runs, "r", ["", ""], REGRESSION, status="stopped")
    write_run(runs, "new", [], status="stopped")
    assert latest.describe(read_run("a", runs)) == "a: done, 2 of 2 epochs, accuracy 95.00 %"
    assert latest.describe(read_run("r", runs)) == "r: stopped, 2 of 2 epochs, RMSE 0.707107"
    assert latest.describe(read_run("new", runs)) == "new: stopped, 0 of 1 epoch"
    (runs / "a" / "meta.json").write_text("{")
    assert latest.describe(latest.read_or_damaged(runs / "a")) == "a: damaged"


def test_a_run_is_shown_with_the_classes_of_its_last_epoch(runs, capsys):
    matrices = ([[5, 0], [4, 1]], [[4, 1], [0, 5]], [])  # the last epoch is one without test images
    records = [{"event": "EpochDone", "epoch": n, "step": n, "confusion": each} for n, each in enumerate(matrices)]
    (runs / "a" / "events.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    lines = [line.split() for line in shown(capsys, "show", "a").splitlines()]
    assert ["0", "5", "80.00", "100.00", "88.89", "1", "(1)"] in lines
    assert ["1", "5", "100.00", "83.33", "90.91", "-"] in lines


def test_a_run_is_shown_with_its_curve_from_the_first_epoch_and_its_files(runs, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(listing, "print_curves", lambda curves, *_, **__: drawn.extend(curves))
    (runs / "a" / ".lock").touch()
    lines = [line.split() for line in shown(capsys, "show", "a").splitlines()]
    assert [curve.points for curve in drawn] == [((1, 90.0), (2, 95.0))]
    for file in (runs / "a").iterdir():
        assert ([str(file.stat().st_size), file.name] in lines) == (file.name != ".lock"), file


@pytest.mark.parametrize(
    ("status", "begins"), [("done", "jitnet resume {} --epochs 5"), ("stopped", "jitnet resume {}")]
)
def test_a_run_is_shown_with_the_command_that_continues_it(runs, status, begins):
    write_run(runs, "c d", [90.0, 91.0], status=status)
    path = f"'{runs / 'c d'}'"
    found = listing.commands(read_run("c d", runs))
    assert found[:3] == [begins.format(path), f"jitnet eval {path}", f"jitnet report {path}"]
    assert found[3:] == [f"jitnet train --config '{runs / 'c d' / 'config.toml'}'"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "2 runs in runs"),
        (("--limit", "1"), "1 of 2 runs in runs"),
        (("--limit", "2"), "2 runs in runs"),
        (("--filter", "name=a"), "1 of 2 runs in runs"),
        (("--filter", "name=c"), "0 of 2 runs in runs"),
    ],
)
def test_a_list_tells_how_many_runs_there_are(runs, capsys, words, told):
    assert shown(capsys, "list", *words).splitlines()[-1] == told


def test_a_list_has_the_loss_of_each_run_and_its_function_where_they_differ(runs, capsys):
    write_run(runs, "r", ["", ""], REGRESSION)
    assert "loss function" not in table(capsys)["r"]  # it follows from the target
    write_run(runs, "m", [97.0], 'loss = "mse"')
    found = table(capsys)
    assert {name: row["loss function"] for name, row in found.items()} == {
        "a": "cross-entropy", "b": "cross-entropy", "r": "mse", "m": "mse"
    }  # fmt: skip
    assert {name: row["loss"] for name, row in found.items()} == dict.fromkeys("abr", "1.0000") | {"m": "2.0000"}


def test_a_sweep_is_as_old_as_its_latest_trial_and_as_good_as_its_best(runs):
    sweep(runs, "s", x=80.0, y=85.0, z=81.0)
    found = sweep_summary(read_sweep(runs / "s"))
    assert (found["best"], found["accuracy"], found["rmse"]) == ("y", 85.0, None)
    assert found["created"] == "2026-11-20T10:02:00+00:00"
    (runs / "s" / "z" / "meta.json").write_text("{")
    assert sweep_summary(read_sweep(runs / "s"))["created"] == "2026-11-20T10:01:00+00:00"


def test_a_sweep_of_regressions_has_the_error_of_its_best(runs, capsys):
    sweep(runs, "s", REGRESSION, x="", y="")
    (runs / "s" / "y" / "metrics.csv").write_text(f"{HEADER}\n0,100,0.001,2.0,,,0.125,,10.0,1.0,6000.0,11.0\n")
    found = sweep_summary(read_sweep(runs / "s"))
    assert (found["best"], found["accuracy"], found["rmse"]) == ("y", None, pytest.approx(0.125**0.5))
    (line,) = (line for line in shown(capsys, "list").splitlines() if line.startswith("s "))
    assert "0.353553" in line


def test_a_folder_that_is_named_twice_is_removed_once(runs, capsys):
    assert shown(capsys, "rm", "a", "a", str(runs / "a"), "latest", "--yes").count("removed the run") == 2
    assert list(runs.iterdir()) == []


def test_a_sweep_is_named_with_its_runs_before_it_is_removed(runs, capsys):
    sweep(runs, "s", x=80.0, y=85.0)
    (runs / "s" / "table.csv").touch()
    assert shown(capsys, "rm", "s", "--yes") == "removed the sweep s with 2 runs\n"


def test_tags_and_a_note_are_shown_and_stay(runs, capsys):
    shown(capsys, "tag", "a", "keep", "old")
    shown(capsys, "note", "a", "the first")
    before = (runs / "a" / "meta.json").read_bytes()
    assert shown(capsys, "tag", "a") == "a has 2 tags: keep, old\n"
    assert shown(capsys, "note", "a") == "a: the first\n"
    assert (runs / "a" / "meta.json").read_bytes() == before
    assert "required: RUN" in refusal(capsys, "runs", "note")
