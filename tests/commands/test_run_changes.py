"""`jitnet runs rm, rename, tag and note`: they change what is named and nothing else, never a run in training."""

import io
import json
import os
import sys

import pytest
from commands import refusal, settle
from run_folders import write_run

from jitnet.cli import main
from jitnet.run.lock import Lock

CHANGES = (("rm", "{}", "--yes"), ("rename", "{}", "other"), ("tag", "{}", "keep"), ("note", "{}", "a sentence"))


@pytest.fixture
def runs(tmp_path, monkeypatch):
    settle(monkeypatch, tmp_path)
    folder = tmp_path / "runs"
    write_run(folder, "a", [90.0], created="2026-11-20T11:00:00+00:00")
    write_run(folder, "b", [95.0], created="2026-11-20T12:00:00+00:00")
    sweep = folder / "sweep-cnn"
    write_run(sweep, "lr-1", [80.0])
    write_run(sweep, "lr-2", [85.0])
    trials = [{"name": name, "group": name, "varied": {}} for name in ("lr-1", "lr-2", "lr-3")]
    (sweep / "sweep.json").write_text(
        json.dumps({"schema": 1, "kind": "sweep", "title": "sweep cnn", "trials": trials})
    )
    return folder


def files(folder):
    return {path.relative_to(folder): path.stat().st_size for path in folder.rglob("*") if path.name != ".lock"}


def said(capsys, *words):
    capsys.readouterr()
    assert main(["runs", *words]) == 0
    return capsys.readouterr().out


def words_of(change, name):
    return ["runs", *(word.format(name) for word in change)]


def test_a_run_and_a_sweep_are_removed_whole(runs, capsys):
    assert "removed the run a: done, 1 of 1 epoch, accuracy 90.00 %" in said(capsys, "rm", "a", "sweep-cnn", "--yes")
    assert sorted(os.listdir(runs)) == ["b"]


@pytest.mark.parametrize(
    ("answer", "left"), [("y\n", False), ("yes\n", False), ("n\n", True), ("\n", True), ("", True)]
)
def test_it_asks_before_it_removes(runs, capsys, monkeypatch, answer, left):
    class Terminal:
        isatty = staticmethod(lambda: True)
        readline = staticmethod(lambda: answer)

    monkeypatch.setattr(sys, "stdin", Terminal)
    assert main(["runs", "rm", "a"]) == int(left)
    assert (runs / "a").exists() == left
    assert "remove the run a" in capsys.readouterr().out


def test_nobody_to_ask_means_no(runs, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    before = files(runs)
    assert "add --yes" in refusal(capsys, "runs", "rm", "a")
    assert files(runs) == before


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change[0])
def test_a_run_in_training_is_left_alone(runs, capsys, change):
    before = files(runs)
    held = Lock(runs / "a")
    try:
        assert "is being trained by process" in refusal(capsys, *words_of(change, "a"))
    finally:
        held.release()
    assert files(runs) == before


@pytest.mark.parametrize("place", ["", "lr-1"])
def test_a_sweep_of_which_a_trial_is_in_training_is_not_removed(runs, capsys, place):
    held = Lock(runs / "sweep-cnn" / place)
    try:
        assert "is being trained" in refusal(capsys, "runs", "rm", "sweep-cnn", "--yes")
    finally:
        held.release()
    assert (runs / "sweep-cnn" / "lr-2" / "meta.json").exists()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change[0])
@pytest.mark.parametrize("place", ["elsewhere/x", "runs/../elsewhere/x", "runs/sweep-cnn/lr-1", "runs/link"])
def test_nothing_outside_of_the_folder_of_runs_is_changed(runs, capsys, change, place):
    write_run(runs.parent / "elsewhere", "x", [90.0])
    (runs / "link").symlink_to(runs.parent / "elsewhere" / "x")
    before = files(runs.parent)
    assert "is not directly in runs" in refusal(capsys, *words_of(change, place))
    assert files(runs.parent) == before


def test_the_network_that_comes_with_jitnet_is_not_changed(runs, capsys):
    for change in CHANGES:
        assert "expected" in refusal(capsys, *words_of(change, "reference-cnn"))
    assert "comes with jitnet and is not changed" in refusal(capsys, "resume", "reference-cnn", "--epochs", "12")


@pytest.mark.parametrize("name", ["../up", "latest", "", "-x", ".hidden", "a b", "x" * 65, "b"])
def test_names_that_are_refused(runs, capsys, name):
    before = files(runs)
    assert "expected" in refusal(capsys, "runs", "rename", "a", "--", name) or name == "b"
    assert files(runs) == before


def test_a_run_is_renamed(runs, capsys):
    assert said(capsys, "rename", "a", "good") == "runs/a is now runs/good\n"
    assert {run["name"] for run in json.loads(said(capsys, "list", "--json")) if run["kind"] == "run"} == {"good", "b"}


def test_tags_and_a_note_are_kept_listed_and_removed(runs, capsys):
    assert said(capsys, "tag", "a", "keep", "for-paper") == "a has 2 tags: keep, for-paper\n"
    assert said(capsys, "tag", "a", "keep", "--remove", "for-paper") == "a has 1 tag: keep\n"
    assert said(capsys, "note", "a", "the first that works") == "a: the first that works\n"
    (line,) = (line for line in said(capsys, "list").splitlines() if line.startswith("a "))
    assert line.rstrip().endswith("keep")
    assert "the first that works" in said(capsys, "show", "a")
    assert '"tags": "keep"' in said(capsys, "list", "--json", "--filter", "tags=keep")
    assert said(capsys, "note", "a", "") == "a has no note\n"
    assert said(capsys, "tag", "a", "--remove", "keep") == "a has 0 tags\n"
    assert not {"tags", "note"} & set(json.loads((runs / "a" / "meta.json").read_text()))
    for tag in ("", "two words", "-x", "../x", "x" * 33):
        assert "a tag cannot be" in refusal(capsys, "runs", "tag", "a", "--", tag)
    assert "expected at most 500" in refusal(capsys, "runs", "note", "a", "x" * 501)


def test_a_list_has_sweeps_and_what_differs(runs, capsys):
    write_run(runs, "c", [91.0], "lr = 0.5\nbatch_size = 64")
    text = said(capsys, "list")
    head = text.splitlines()[0].split()
    assert "lr" in head and "batch-size" in head and "optimizer" not in head
    (line,) = (line for line in text.splitlines() if line.startswith("sweep-cnn"))
    assert line.split()[:6] == ["sweep-cnn", "2/3", "done", "lr-2", "85.00", "%"]
    (record,) = (each for each in json.loads(said(capsys, "list", "--json")) if each["kind"] == "sweep")
    assert (record["trials"], record["done"], record["best"], record["accuracy"]) == (3, 2, "lr-2", 85.0)
    assert len([line for line in said(capsys, "list", "--limit", "1").splitlines() if "done" in line]) == 2


@pytest.mark.parametrize("words", ["runs show latest", "runs compare latest a", "resume latest --ui plain"])
def test_latest_says_which_run_and_how_good(runs, capsys, words):
    main(words.split())
    assert "latest is b: done, 1 of 1 epoch, accuracy 95.00 %" in capsys.readouterr().err
