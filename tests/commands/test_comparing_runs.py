"""What differs between runs, how it is written, and what a sweep's tables show of its trials."""

import json

import numpy as np
import pytest
from commands import refusal
from run_folders import write_run

from jitnet.cli import main
from jitnet.errors import InputError
from jitnet.history import read_run, select
from jitnet.history.compare import compare
from jitnet.history.read import Run, summary
from jitnet.history.statistics import describe, summarise
from jitnet.history.sweep_record import Sweep, expand, list_sweeps, read_sweep
from jitnet.history.tables import Cell, Name, statistics_tables, trials_table, without_empty
from jitnet.report.measure import measure, reliability
from jitnet.report.section import _confusion, _lead
from jitnet.report.subject import Subject, _confused


def run_of(folder, name, settings="", accuracies=(90.0,), **meta):
    write_run(folder, name, list(accuracies), settings, **meta)
    return read_run(name, folder)


def rows(tables, title):
    """Return the rows of the table with this title by their names, {} if there is none."""
    found = {table.title: table for table in tables}
    return {line[0]: list(line[1:]) for line in found[title].rows} if title in found else {}


def test_settings_that_differ_are_written_as_they_are_typed(tmp_path):
    first = run_of(tmp_path, "a", "lr = 0.001\nshuffle = true\nuntil = 1")
    second = run_of(tmp_path, "b", "lr = 0.1\nshuffle = false", accuracies=[90.0] * 3)
    found = rows(compare([first, second]), "settings that differ")
    assert found == {"lr": ["0.001", "0.1"], "shuffle": ["true", "false"], "epochs": ["1", "3"]}


def test_an_end_that_only_repeats_the_epochs_is_no_difference(tmp_path):
    first, second = run_of(tmp_path, "a", "until = 1"), run_of(tmp_path, "b", "until = 5")
    assert rows(compare([first, second]), "settings that differ") == {"until": [Cell(None, "number"), "5"]}


def test_surroundings_are_those_that_may_change_a_result(tmp_path):
    first = run_of(tmp_path, "a", versions={"jitnet": "1", "numpy": "2"}, data_sha256="ab" * 32)
    second = run_of(tmp_path, "b", versions={"jitnet": "1", "numpy": "3"}, data_sha256="cd" * 32, host="h", pid=9)
    found = rows(compare([first, second]), "surroundings that differ")
    assert found == {"data_sha256": ["ab" * 6, "cd" * 6], "numpy": ["2", "3"]}


def test_the_best_epoch_is_the_first_of_equal_ones_and_an_accuracy_is_reached_by_it(tmp_path):
    run = run_of(tmp_path, "a", accuracies=[95.0, 97.0, 97.0])
    assert run.best("test_accuracy")["epoch"] == 1
    assert run.seconds_to(95.0) == 11.0 and run.seconds_to(97.0) == 22.0 and run.seconds_to(97.1) is None


def test_a_list_tells_of_a_run_what_its_folder_says(tmp_path):
    run = run_of(tmp_path, "a", "until = 7", tags=["old", "good"], note="n", stop_reason="s")
    found = summary(run)
    assert (found["planned"], found["tags"], found["note"], found["stop_reason"]) == (7, "old good", "n", "s")
    assert found["epochs"] == 1 and select.fields(run)["epochs"] == 1  # that are done, not those asked for
    damaged = Run(tmp_path / "x", {}, {}, (), damage="it is cut short")
    assert damaged.status == summary(damaged)["status"] == "damaged"
    assert summary(damaged)["stop_reason"] == "it is cut short"


def test_a_run_without_an_architecture_in_its_settings_has_none(tmp_path):
    assert run_of(tmp_path, "a").settings["architecture"] == ""
    assert run_of(tmp_path, "b", 'architecture = "dense9"').settings["architecture"] == "dense9"


def test_damage_of_a_log_is_told_once(tmp_path):
    path = write_run(tmp_path, "a", [90.0])
    (path / "events.jsonl").write_text('{"event": "Warned", "message": "m"}\n{"event"\n{"event": "Warned"}\n')
    run = read_run("a", tmp_path)
    assert [len(run.events("Warned")) for _ in range(3)] == [1, 1, 1] and len(run.notices) == 1


def test_texts_are_compared_with_a_pattern_in_their_own_case(tmp_path):
    runs = [run_of(tmp_path, name) for name in ("old-cnn-1", "new-cnn-2", "new-CNN-3")]
    for text, kept in (("name=*-cnn-*", [0, 1]), ("name!=new*", [0]), ("name=old-cnn-1", [0]), ("name=cnn", [])):
        assert select.keep(runs, [text]) == [runs[place] for place in kept], text
    with pytest.raises(InputError, match="compares a number"):
        select.keep(runs, ["accuracy>high"])


def test_an_interval_ends_where_no_figure_can_be():
    assert (describe(0, "test_accuracy", [99.0, 100.0]).high, describe(0, "test_loss", [0.0, 1.0]).low) == (100.0, 0.0)
    assert describe(0, "test_loss", [99.0, 101.0]).high > 101
    low, high = describe(0, "test_accuracy", [50.0, 51.0, 52.0])[-2:]
    assert (low + high) / 2 == pytest.approx(51) and high - 51 == pytest.approx(4.302653 / 3**0.5)


def test_an_epoch_has_the_statistics_of_the_runs_that_have_it():
    long, short = [{"test_loss": 1.0}, {"test_loss": 2.0}], [{"test_loss": 3.0}]
    assert [(row.epoch, row.n, row.mean) for row in summarise([short, long])] == [(0, 2, 2.0), (1, 1, 2.0)]


def test_an_interval_is_shown_with_both_of_its_ends():
    row = describe(0, "val_accuracy", [50.0, 51.0, 52.0])
    (table,) = statistics_tables({"": [row]})
    cells = table.rows[0]
    assert [cell.value for cell in cells[3:7]] == [row.mean, row.sd, row.min, row.max]
    assert (cells[-1].value, cells[-1].end) == (row.low, row.high) and {cell.unit for cell in cells[3:]} == {"accuracy"}


def test_configurations_are_told_by_the_epochs_they_have_done():
    (table,) = statistics_tables({"a": [describe(epoch, "test_loss", [1.0]) for epoch in range(3)], "b": []})
    assert [[cell.value for cell in line[1:3]] for line in table.rows] == [[3, 1], [0, 0]]


def test_a_row_is_left_out_if_nothing_in_it_is_known():
    kept = ("a", Cell(None, "loss"), Cell(1.0, "loss"))
    assert without_empty([kept, (Name("b", "b"), Cell(None, "loss"), Cell(None, "loss"))]) == (kept,)


def test_the_trials_of_a_sweep_are_shown_without_what_only_jitnet_needs(tmp_path):
    line = {"trial": "a", "status": "done", "lr": "0.1", "test_accuracy": "90.0", "seconds": "3.0"}
    lines = (line | {"weights": "ab", "host": "h", "attempts": "1", "message": ""}, line | {"test_accuracy": "91.0"})
    table = trials_table(Sweep(tmp_path, "t", {}, lines, {}))
    assert table.head == ("", "status", "lr", "test accuracy")
    assert [each[-1] for each in table.rows] == [Cell(91.0, "accuracy"), Cell(90.0, "accuracy")]


def write_sweep(path, **more):
    path.mkdir(parents=True, exist_ok=True)
    record = {"schema": 1, "title": "t", "trials": [{"name": "a", "group": ""}]} | more
    (path / "sweep.json").write_text(json.dumps(record))


def test_sweeps_are_listed_and_read_if_this_version_knows_them(tmp_path):
    write_sweep(tmp_path / "s")
    write_sweep(tmp_path / ".hidden")
    assert list_sweeps(tmp_path) == [tmp_path / "s"] and read_sweep(tmp_path / "s").title == "t"
    write_sweep(tmp_path / "s", schema=2)
    with pytest.raises(InputError, match="has schema 2, this jitnet reads 1: update jitnet"):
        read_sweep(tmp_path / "s")


def test_damaged_runs_of_a_sweep_are_not_passed_over(tmp_path):
    write_sweep(tmp_path / "s", trials=[{"name": name, "group": ""} for name in "abc"])
    for name, status in (("a", "done"), ("b", "stopped"), ("c", "done")):
        write_run(tmp_path / "s", name, [90.0], status=status)
    (tmp_path / "s" / "c" / "config.toml").write_text("epochs = [")
    assert [run.name for run in expand(["s"], tmp_path, done=True)] == ["a", "c"]
    assert [run.name for run in expand(["s"], tmp_path)] == ["a", "b", "c"]


def test_errors_of_calibration_count_by_their_images():
    _, error = reliability(np.array([0.85] * 9 + [0.35]), np.array([True] * 9 + [False]))
    assert error == pytest.approx(0.9 * 0.15 + 0.1 * 0.35)


def test_colours_of_a_matrix_are_shares_of_its_commonest_error():
    scores = np.eye(3)[[0] * 50 + [1] * 4 + [2] * 2]
    drawn = _confusion(measure("d", scores, np.array([0] * 56)))
    assert drawn.count("--share:0.450") == 1 and drawn.count("--share:0.225") == 1 and drawn.count("--share") == 2


@pytest.mark.parametrize(("errors", "told"), [(1, ""), (2, ", most often ant taken for bee (2)")])
def test_classes_are_said_to_be_confused_from_two_images_on(errors, told):
    found = measure("d", np.eye(2)[[0] * 5 + [1] * errors], np.array([0] * (5 + errors)), names=("ant", "bee"))
    assert _confused(found) == told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("batch_size = 0", "all images a step"),
        ("batch_size = 1", "one image a step"),
        ("batch_size = 8", "batches of 8"),
    ],
)
def test_a_page_tells_how_many_images_a_step_has(tmp_path, settings, told):
    assert f", {told}, " in _lead(run_of(tmp_path, "a", settings))


def test_a_page_tells_what_became_of_a_run(tmp_path):
    run = run_of(tmp_path, "a", status="stopped", stop_reason="SIGINT")
    subject = Subject(run, (), {}, None, np.zeros((0, 1, 1, 1), np.uint8))
    assert subject.sentence == "Stopped after 1 epoch in 11 s, the network had a test accuracy of 90.00 %."


@pytest.mark.parametrize("targets", [["91"], ["0.5", "100"]])
def test_each_accuracy_that_can_be_reached_has_its_time(tmp_path, monkeypatch, capsys, targets):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        write_run(tmp_path / "runs", name, [50.0, 91.0, 100.0])
    options = [word for target in targets for word in ("--accuracy", target)]
    assert main(["runs", "compare", "a", "b", "--csv", *options]) == 0
    lines = [line.split(",") for line in capsys.readouterr().out.splitlines() if "until a test accuracy" in line]
    assert sorted(line[1] for line in lines) == [f"{target} %" for target in targets]
    for value in ("0", "-1", "100.5", "nan"):
        shown = refusal(capsys, "runs", "compare", "a", "b", *options, f"--accuracy={value}")
        assert f"--accuracy is {value}: expected a percentage above 0" in shown
