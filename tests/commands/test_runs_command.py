"""`jitnet runs`: what it shows, what they refuse, and that old runs still read."""

import csv
import importlib.util
import io
import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
from commands import ROOT, environment, refusal
from run_folders import HEADER, write_run

from jitnet.cli import main
from jitnet.display.live.frame import ASCII, UNICODE
from jitnet.display.overlay import overlay
from jitnet.history import read_run
from jitnet.history.curves import Curve
from jitnet.run.lock import Lock


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Three runs, by age b, a, c; c the best."""
    for name in ("COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "runs"
    write_run(folder, "b", [90.0, 95.0], "lr = 0.01\nbatch_size = 16", created="2026-11-20T12:00:00+00:00")
    write_run(folder, "a", [80.0, 91.0], "lr = 0.02", created="2026-11-20T11:00:00+00:00")
    write_run(folder, "c", [97.5, 98.5], 'network = "mlp"', data="synthetic", status="diverged")
    monkeypatch.chdir(tmp_path)
    return folder


def shown(capsys, *words: str) -> str:
    capsys.readouterr()
    assert main(["runs", *words]) == 0
    return capsys.readouterr().out


def names(capsys, *words: str) -> list[str]:
    return [run["name"] for run in json.loads(shown(capsys, "list", "--json", *words))]


def test_a_list_has_a_line_for_each_run_the_newest_first(runs, capsys):
    lines = shown(capsys, "list").splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["b", "a", "c"]
    cells = [cell.strip() for cell in lines[1].split("  ") if cell.strip()]
    assert cells[1:9] == ["done", "cnn", "mnist", "2/2", "95.00 %", "95.00 %", "1.0000", "22 s"]
    assert lines[3].split()[1:4] == ["diverged", "mlp", "synthetic"] and lines[4] == "3 runs in runs"


def test_a_regression_shows_its_error_and_classifications_no_column_for_it(runs, capsys):
    assert "rmse" not in shown(capsys, "list")
    write_run(
        runs, "r", ["", ""], 'network = "mlp"\narchitecture = "dense4"\ntarget = "price"', classes=1, image=[1, 3, 1]
    )
    lines = {line.split()[0]: line.split() for line in shown(capsys, "list").splitlines()}
    assert "rmse" in lines["run"] and "0.707107" in lines["r"] and "0.707107" not in lines["a"]
    assert {"accuracy,", "rmse"} <= set(lines["run"]) and "91.00" in lines["a"]
    assert json.loads(shown(capsys, "list", "--json", "--sort", "rmse"))[0]["rmse"] == pytest.approx(0.5**0.5)
    assert "0.707107" in shown(capsys, "show", "r") and "0.707107" in shown(capsys, "compare", "r", "a", "--csv")


def test_a_list_has_no_columns_for_what_the_recipes_set(runs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    write_run(runs, "m", [99.0], 'recipe = "modern"\nseed = 4')
    head = shown(capsys, "list").splitlines()[0].split()
    assert {"recipe", "lr", "batch-size", "seed"} <= set(head)  # b has another batch size than its recipe
    assert not {"init", "optimizer", "schedule", "shuffle"} & set(head)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--sort accuracy", "cba"),
        ("--sort accuracy --reverse", "abc"),
        ("--sort name", "abc"),
        ("--sort lr", "abc"),
        ("--sort val", "bac"),  # nobody has one: the order stays
        ("--filter network=cnn", "ba"),
        ("--filter accuracy>=95", "bc"),
        ("--filter batch_size!=16", "ac"),
        ("--filter name=[ab] --filter status=done --filter lr<0.02", "b"),
        ("--filter val>0", ""),
        ("--filter name>a", "bc"),
        ("--filter name<=b", "ba"),
        ("--filter shuffle=false", "bac"),
    ],
)
def test_sorted_and_filtered(runs, capsys, words, expected):
    assert "".join(names(capsys, *words.split())) == expected


def test_what_is_refused(runs, capsys):
    assert "which no run has: expected one of" in refusal(capsys, "runs", "list", "--sort", "beauty")
    assert "--filter is 'accuracy'" in refusal(capsys, "runs", "list", "--filter", "accuracy")
    assert "instead of 'high'" in refusal(capsys, "runs", "list", "--filter", "accuracy>high")
    assert "no folder nowhere" in refusal(capsys, "runs", "list", "--runs-dir", "nowhere")
    assert "no run 'x'" in refusal(capsys, "runs", "show", "x")
    assert "expected two or more" in refusal(capsys, "runs", "compare", "a")
    assert "--accuracy is 101" in refusal(capsys, "runs", "compare", "a", "b", "--accuracy", "101")
    assert "--metric is 'beauty'" in refusal(capsys, "runs", "plot", "a", "--metric", "beauty")
    assert "no val_loss in a" in refusal(capsys, "runs", "plot", "a", "--metric", "val_loss")
    assert "ends in .svg or .png" in refusal(capsys, "runs", "plot", "a", "--out", "a.gif")


def test_a_dead_running_is_crashed_and_a_living_one_is_not(runs, capsys):
    here = socket.gethostname()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_run(runs, "dead", [50.0], status="running", pid=gone.pid, host=here)
    write_run(runs, "reused", [50.0], status="running", pid=os.getpid(), host=here)
    write_run(runs, "alive", [50.0], status="running", pid=os.getpid(), host=here)
    held = Lock(runs / "alive")
    try:
        found = {run["name"]: run["status"] for run in json.loads(shown(capsys, "list", "--json"))}
    finally:
        held.release()
    assert found["dead"] == found["reused"] == "crashed" and found["alive"] == "running"
    assert "jitnet resume" in shown(capsys, "show", "dead")


def test_a_damaged_run_is_mentioned_and_the_others_are_listed(runs, capsys):
    (runs / "b" / "meta.json").write_text("{")
    assert main(["runs", "list"]) == 0
    out, err = capsys.readouterr()
    assert "3 runs" in out and "meta.json is damaged" in err
    (line,) = (line for line in out.splitlines() if line.startswith("b "))
    assert line.split()[1] == "damaged"
    assert main(["runs", "list", "--filter", "status!=damaged", "--sort", "lr", "--json"]) == 0
    assert {run["name"] for run in json.loads(capsys.readouterr().out)} == {"a", "c"}
    assert main(["runs", "compare", "b", "c", "a"]) == 0
    out, err = capsys.readouterr()
    assert "meta.json is damaged" in err and "results" in out
    assert "meta.json is damaged" in refusal(capsys, "runs", "show", "b")
    assert main(["runs", "plot", "b", "a"]) == 0
    assert "meta.json is damaged" in refusal(capsys, "runs", "plot", "b")


def test_runs_of_an_older_schema_still_read(runs, capsys):
    """Before schema 1: no schema, no image, no classes, no versions, fewer settings, fewer columns."""
    old = write_run(runs, "old", [], schema=None, image=None, classes=None, versions=None, pid=None, argv=None)
    (old / "config.toml").unlink()
    (old / "metrics.csv").write_text("epoch,train_loss,test_accuracy\n0,0.5,88.0\n1,0.25,89.0\n2,0.1")
    run = read_run("old", runs)
    assert run.last("test_accuracy") == 89.0 and len(run.epochs) == 2  # the torn line is dropped
    assert run.settings["network"] == "cnn" and run.settings["batch_size"] == 1
    for words in (["list"], ["show", "old"], ["compare", "old", "a"], ["compare", "a", "old"], ["plot", "old"]):
        assert "old" in shown(capsys, *words)
    assert "89.00" in shown(capsys, "list", "--filter", "name=old")
    newer = write_run(runs, "newer", [1.0], schema=99)
    assert "schema 99" in refusal(capsys, "runs", "show", newer.name)


def test_show_has_settings_epochs_files_and_commands(runs, capsys):
    shutil.copytree(ROOT / "runs" / "reference-cnn", runs / "reference-cnn")
    accuracy = read_run("reference-cnn", runs).last("test_accuracy")
    parts = (
        "359,846",
        "seed 0",
        "2 threads (omp)",
        f"{accuracy:.2f}",
        "last.safetensors",
        "jitnet report",
        "--epochs 12",
    )
    text = shown(capsys, "show", "reference-cnn")
    for part in parts:
        assert part in text
    record = json.loads(shown(capsys, "show", "reference-cnn", "--json"))
    assert record["metrics"][8]["test_accuracy"] == accuracy > 99 and record["settings"]["lr"] == 0.001
    kept = "".join(path.read_text() for path in (runs / "reference-cnn").glob("*.json*"))
    assert '"data_source": "mnist"' in kept and '"source": "mnist"' in kept  # no folder of the machine that made it


def test_a_comparison_has_only_what_differs(runs, capsys):
    text = shown(capsys, "compare", "a", "b", "--accuracy", "91", "--accuracy", "99")
    assert "0.02  0.01" in text and "batch_size" in text and "schedule" not in text and "\nuntil" not in text
    lines = {line.split("  ")[0].strip(): line.split() for line in reversed(text.splitlines()) if line.strip()}
    assert lines["test accuracy"][-3:] == ["95.00", "%", "(+4.00)"]
    assert lines["time in all"] == ["time", "in", "all", "22", "s", "22", "s", "(+0", "s)"]
    assert lines["91 %"][-2:] == ["22.0", "22.0"] and lines["99 %"][-2:] == ["-", "-"]
    assert "A" in text and "B" in text and "test accuracy %" in text
    markdown = shown(capsys, "compare", "a", "b", "--markdown")
    assert "|  | a | b |\n|---|---:|---:|\n| batch_size | 1 | 16 |" in markdown
    table = list(csv.reader(io.StringIO(shown(capsys, "compare", "a", "b", "c", "--csv"))))
    assert table[0] == ["table", "row", "a", "b", "c"] and {len(row) for row in table} == {5}
    assert ["surroundings that differ", "data", "mnist", "mnist", "synthetic"] in table
    for row in (  # numbers in the unit that the row names, without separators, signs and differences
        ["results", "parameters", "7850", "7850", "7850"],
        ["results", "test accuracy %", "91.00", "95.00", "98.50"],
        ["results", "images/s", "6000", "6000", "6000"],
        ["results", "seconds an epoch", "10.00", "10.00", "10.00"],
        ["results", "minutes in all", "0.37", "0.37", "0.37"],
    ):
        assert row in table, row


def test_a_run_without_epochs_is_compared_too(runs, capsys):
    write_run(runs, "new", [])
    write_run(runs, "newer", [], "seed = 3")
    assert "seed" in shown(capsys, "compare", "new", "newer")
    assert "epochs" in shown(capsys, "show", "new")


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_curves_are_told_apart_by_letters(glyphs):
    curves = [("first", ((1.0, 90.0), (2.0, 99.0))), ("second", ((1.0, 50.0), (3.0, 98.0)))]
    frame = overlay(curves, "test accuracy %", "epochs", 60, 10, glyphs)
    lines = ["".join(text for text, _ in line) for line in frame.lines]
    plot = [line[10:] for line in lines[1:11]]
    assert {len(line) for line in lines} == {60}
    assert sum(line.count("A") for line in plot) == 2 and sum(line.count("B") for line in plot) == 2
    assert plot[0].index("A") == 24 and plot[-1].startswith("B")  # 99 at half of the way, 50 lowest
    assert lines[-2].startswith("  A first  99") and lines[-1].startswith("  B second  98")
    assert "".join(lines).isascii() == (glyphs is ASCII)


def test_plots_over_time_and_steps(runs, capsys):
    assert "33 seconds" not in shown(capsys, "plot", "a", "--x", "time")
    assert "22 seconds of training" in shown(capsys, "plot", "a", "--x", "time")
    assert "200 steps" in shown(capsys, "plot", "a", "b", "--x", "step", "--metric", "train_loss")
    (runs / "a" / "steps.jsonl").write_text('{"epoch": 0, "step": 50, "loss": 2.0, "t": 5.0}\n{"epoch": 0, "st')
    assert "0.5 epochs" in shown(capsys, "plot", "a", "--metric", "step_loss")
    write_run(runs, "r", ["", ""], 'network = "mlp"\narchitecture = "dense4"\ntarget = "price"', classes=1)
    assert "test RMSE" in shown(capsys, "plot", "r") and "test accuracy %" in shown(capsys, "plot", "a", "r")


def test_a_figure_needs_the_extra_and_says_so(runs, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    assert "pip install 'jitnet[plot]'" in refusal(capsys, "runs", "plot", "a", "--out", "a.svg")


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib, the extra `plot`, is not here")
@pytest.mark.filterwarnings("default")
def test_a_figure_is_drawn(runs, capsys):
    from jitnet.history.figure import save_figure

    for name, head in (("a.svg", b"<?xml"), ("a.png", b"\x89PNG")):
        assert main(["runs", "plot", "a", "b", "--out", name, "--metric", "train_loss"]) == 0
        assert (runs.parent / name).read_bytes().startswith(head)
    assert "cannot write" in refusal(capsys, "runs", "plot", "a", "--out", "nowhere/a.png")
    save_figure(runs / "b.svg", [Curve("none", ())], "lr", "step")


def test_help_and_lists_do_not_wait_for_numba(runs):
    code = "import sys\nfrom jitnet.cli import main\nmain(sys.argv[1:])\nassert 'numba' not in sys.modules"
    for words in (["list"], ["show", "a"], ["compare", "a", "b"], ["plot", "a"]):
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code, "runs", *words],
            check=True, cwd=runs.parent, env=environment(runs.parent), capture_output=True,
        )  # fmt: skip


def test_a_narrow_list_leaves_out_columns_and_cuts_no_number(runs, capsys, monkeypatch):
    write_run(runs, "20261121-070137-cnn-7ca3", [90.0] * 9)
    shown_at_160 = ""
    for width in (160, 100, 80, 60, 40):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = shown(capsys, "list").splitlines()
        shown_at_160 = lines[0] if width == 160 else shown_at_160
        assert "…" not in "".join(lines) and max(map(len, lines)) <= width
        assert any(line.startswith("20261121-070137-cnn-7ca3 ") for line in lines)
        assert "accuracy" in lines[0] and ("status" in lines[0]) == (width > 40)
    assert "images/s" in shown_at_160 and "images/s" not in lines[0]


def test_the_hand_written_table_is_todays():
    assert (ROOT / "runs" / "reference-cnn" / "metrics.csv").read_text().startswith(HEADER + "\n")
