"""`jitnet ensemble`: its figures are those of the mean of its members' probabilities, and who can be a member."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.data import load
from jitnet.data.readers import regression
from jitnet.display.tables import cell_text
from jitnet.history.tables import Cell
from jitnet.model.scores import probabilities
from jitnet.run.trained import open_trained


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Runs of one, two and three epochs whose best checkpoint is an earlier one, and two regressions."""
    folder = tmp_path_factory.mktemp("ensemble")
    with pytest.MonkeyPatch.context() as patch:
        digits(settle(patch, folder))
        digits(folder / "other", test=40)
        for seed, name in enumerate("abc"):
            run = train(name, "--seed", str(seed), "--lr", "0.02", "--val", "20", epochs=seed + 2)
            shutil.copy(run / "previous.safetensors", run / "best.safetensors")
        x = np.random.default_rng(0).normal(5, 2, (140, 2))
        lines = [f"{a},{b},{1000 + 300 * a - 200 * b}" for a, b in x]
        Path("t.csv").write_text("\n".join(["a,b,price", *lines]) + "\n")
        words = "mlp --hidden 6 --data t.csv --target price --init he --lr 0.01 --epochs 2 --ui quiet --name"
        for seed, name in enumerate("pq"):
            assert main(["train", *words.split(), name, "--seed", str(seed)]) == 0
    return folder


@pytest.fixture(autouse=True)
def here(made, monkeypatch):
    settle(monkeypatch, made)


def answers(capsys, *words: str) -> tuple[dict, str]:
    """Return the JSON object and the text of a command."""
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert main([*words]) == 0
    return found, capsys.readouterr().out


def check(found: dict, text: str, names: str, epochs: list[int], expected: list[tuple], last: tuple[str, str]) -> None:
    """Compare the JSON object and the text with the (loss, other figure) of members, mean, best and ensemble."""
    figure, unit = last
    members = found["members"]
    given = [*members, found["mean"], found["best"], found["ensemble"]]
    assert [(Path(each["path"]).name, each["epochs"]) for each in members] == list(zip(names, epochs))
    np.testing.assert_allclose([(each["loss"], each[figure]) for each in given], expected, rtol=1e-6)
    shown = [line.split("  ") for line in text.splitlines()]
    shown = [[cell.strip() for cell in line if cell.strip()] for line in shown]
    heads = [*names, "mean of the members", "best member", f"ensemble of {len(names)}"]
    for head, (loss, other), epoch in zip(heads, expected, [*epochs, None, None, None]):
        cells = [head, *([] if epoch is None else [str(epoch)])]
        assert [*cells, cell_text(Cell(loss, "loss")), cell_text(Cell(other, unit))] in shown, head


@pytest.mark.parametrize(
    ("words", "kind", "data"),
    [((), None, "digits"), (("--best",), "best", "digits"), (("--data", "other/digits"), None, "other/digits")],
)
def test_the_figures_are_those_of_the_mean_probabilities_and_of_each_member(capsys, words, kind, data):
    given = load(data)
    loaded = [open_trained(name, "runs", kind) for name in "abc"]
    chances = [probabilities(each.network.logits(given.x_test[..., None])) for each in loaded]
    places = np.arange(len(given.y_test))

    def figures(p):
        return -np.log(p[places, given.y_test]).mean(), 100 * np.mean(p.argmax(axis=1) == given.y_test)

    each = [figures(p) for p in chances]
    best = max(each, key=lambda pair: pair[1])
    assert best != min(each, key=lambda pair: pair[1])  # else it would not matter which one is named
    expected = [*each, tuple(np.mean(each, axis=0)), best, figures(sum(chances) / 3)]
    found, text = answers(capsys, "ensemble", "a", "b", "c", *words)
    check(found, text, "abc", [each.position.epoch for each in loaded], expected, ("accuracy", "accuracy"))
    assert f"{len(places)} test images of digits" in text and found["data"]["size"] == len(places)


def test_regressions_are_averaged_in_the_unit_of_the_target(capsys):
    table = regression.load("t.csv", "price")
    outputs = [open_trained(name).network.logits(table.x_test[..., None])[:, 0].astype(float) for name in "pq"]
    losses = [np.mean((each - table.y_test[:, 0]) ** 2) * table.unit for each in outputs]
    mean = np.mean((sum(outputs) / 2 - table.y_test[:, 0]) ** 2) * table.unit
    every = [*losses, sum(losses) / 2, min(losses), mean]
    found, text = answers(capsys, "ensemble", "p", "q")
    check(found, text, "pq", [2, 2], [(loss, loss**0.5) for loss in every], ("rmse", "number"))
    assert "RMSE" in text and "20 test rows of t" in text and "accuracy" not in text


def copied(name: str, change=lambda meta: None, of: str = "a") -> str:
    """Make a copy of a run with its meta.json changed, and return its path."""
    path = Path("copies", name)
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(Path("runs", of), path)
    meta = json.loads((path / "meta.json").read_text())
    change(meta)
    (path / "meta.json").write_text(json.dumps(meta))
    return str(path)


def test_each_run_is_a_member_once_and_of_a_sweep_those_that_are_done(capsys, made):
    link = made / "runs" / "link"
    link.symlink_to("a")
    assert "1 run given: expected two or more" in refusal(capsys, "ensemble", "a", "runs/a", "link")
    link.unlink()
    trials = [{"name": name, "group": ""} for name in "xyz"]
    for name, of, status in (("x", "a", "done"), ("y", "b", "stopped"), ("z", "c", "done")):
        copied(f"sweep/{name}", lambda meta, status=status: meta.update(status=status), of)
    (made / "copies" / "sweep" / "sweep.json").write_text(json.dumps({"schema": 1, "title": "s", "trials": trials}))
    found, _ = answers(capsys, "ensemble", "copies/sweep")
    assert [Path(each["path"]).name for each in found["members"]] == ["x", "z"]


def test_a_member_without_a_checkpoint_is_left_out_and_two_are_needed(capsys):
    path = copied("hollow")
    for kind in ("last", "previous", "best"):
        Path(path, f"{kind}.safetensors").unlink()
    found, _ = answers(capsys, "ensemble", "a", path, "b")
    assert [Path(each["path"]).name for each in found["members"]] == ["a", "b"]
    assert main(["ensemble", "a", path]) == 2
    assert "1 of 2 runs can be read" in capsys.readouterr().err


def test_what_does_not_fit_the_first_run_is_no_member(capsys, made):
    other = copied("named", lambda meta: meta["record"].update(class_names=["0", "1", "x"]))
    assert "has the classes 0, 1, x: expected 0, 1, 2" in refusal(capsys, "ensemble", "a", other)
    digits(made / "wide", side=8)
    wide, mse = train("wide", "--data", "wide/digits"), train("mse", "--loss", "mse")
    assert "for images of (8, 8, 1)" in refusal(capsys, "ensemble", "a", str(wide))
    assert "by mse: expected (6, 6, 1) in 3 by cross-entropy" in refusal(capsys, "ensemble", "a", str(mse))
    assert "expected" in refusal(capsys, "ensemble", "a", "p")


def test_regressions_of_other_columns_or_units_are_not_averaged(capsys):
    """Each would be given rows that were scaled for the first run, and its answers be taken for that run's numbers."""
    x = np.random.default_rng(1).normal(50, 2, (140, 2))
    Path("far.csv").write_text("\n".join(["a,b,price", *(f"{a},{b},{a + b}" for a, b in x)]) + "\n")
    for name, data, target in (("far", "far.csv", "price"), ("size", "t.csv", "b")):
        words = f"train mlp --hidden 6 --data {data} --target {target} --epochs 1 --ui quiet --name {name}"
        assert main(words.split()) == 0
        shown = refusal(capsys, "ensemble", "p", name)
        assert f"runs/{name} approximates {target!r} from other columns or in other units: expected 'price'" in shown
