"""`--json`: one object that docs/json.md describes, and nothing else on standard output."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import ROOT, digits, environment, refusal, settle, train

from jitnet.cli import main
from jitnet.commands.support.json_answer import print_json
from jitnet.data import load
from jitnet.model.scores import probabilities
from jitnet.run.trained import open_trained

FIGURES = {"loss", "accuracy", "rmse"}
EVALUATED = FIGURES | {"model", "data", "calibration_error", "tta"}
MODEL = {"path", "epochs", "weights", "data", "target"}
ANSWERS = {  # command: the fields of its object, and one part of it with its fields
    "eval run": (EVALUATED, "model", MODEL),
    "eval run --data digits": (EVALUATED, "data", {"name", "size", "note"}),
    "errors run": ({"model", "data", "errors", "accuracy", "mistakes"}, "model", MODEL),
    "ensemble run other": ({"data", "members", "mean", "best", "ensemble"}, "ensemble", FIGURES),
    "summary cnn": ({"network", "architecture", "layers", "parameters", "macs"}, "", set()),
    "predict run digits/t10k-images-idx3-ubyte": ({"model", "answers"}, "model", MODEL),
    "predict run rows.csv": ({"model", "answers"}, "model", MODEL),
    "predict table numbers.csv": ({"model", "answers"}, "model", MODEL),
    "eval table": (EVALUATED, "model", MODEL),
    "eval table --data numbers.csv": (EVALUATED, "model", MODEL),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("json")
    with pytest.MonkeyPatch.context() as patch:
        digits(settle(patch, folder))
        train("run")
        train("other", "--seed", "1")
        rows = np.random.default_rng(0).integers(0, 256, (5, 36))
        Path("rows.csv").write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
        lines = [f"{x / 40},{x * x / 1600}" for x in range(40)]
        Path("numbers.csv").write_text("\n".join(["x,price", *lines]) + "\n")
        words = "mlp --hidden 4 --data numbers.csv --target price --epochs 2 --batch-size 4 --ui quiet --name table"
        assert main(["train", *words.split()]) == 0
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    settle(monkeypatch, folder)


def answer(capsys, *words):
    capsys.readouterr()
    code = main([*words, "--json"])
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail), code


@pytest.mark.parametrize("words", ANSWERS)
def test_an_answer_has_the_fields_that_are_documented(capsys, words):
    fields, part, inner = ANSWERS[words]
    found, code = answer(capsys, *words.split())
    assert code == 0 and set(found) == fields | {"command", "schema"}
    assert found["command"] == words.split()[0] and found["schema"] == 1
    if part:
        assert set(found[part]) == inner
    documented = (ROOT / "docs" / "json.md").read_text().split("## `--json`")[1]
    assert all(f"`{name}`" in documented for name in fields | inner)


def test_predictions_of_images_are_those_of_the_text(capsys):
    found, _ = answer(capsys, "predict", "run", "digits/t10k-images-idx3-ubyte")
    assert main(["predict", "run", "digits/t10k-images-idx3-ubyte"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("digits/")]
    assert len(lines) == len(found["answers"]) == 60
    for line, given in zip(lines, found["answers"]):
        assert line.startswith(f"{given['name']}: {given['class']} ")
        chances = given["probabilities"]
        assert max(chances, key=chances.get) == given["class"] and abs(sum(chances.values()) - 1) < 1e-9
        assert chances[given["class"]] == given["probability"]


def test_figures_are_those_of_the_text(capsys):
    found, _ = answer(capsys, "eval", "run")
    assert main(["eval", "run"]) == 0
    assert f"loss = {found['loss']:.6f} accuracy = {found['accuracy']:.2f} %" in capsys.readouterr().out
    regression, _ = answer(capsys, "eval", "table")
    assert regression["accuracy"] is None and regression["rmse"] == pytest.approx(regression["loss"] ** 0.5)
    assert main(["eval", "table"]) == 0
    assert f"loss = {regression['loss']:.6f} rmse = {regression['rmse']:.6g}" in capsys.readouterr().out
    errors, _ = answer(capsys, "errors", "run", "--count", "3")
    assert errors["accuracy"] == found["accuracy"] and len(errors["mistakes"]) == min(3, errors["errors"])
    assert all(mistake["true"] != mistake["class"] for mistake in errors["mistakes"])


@pytest.mark.parametrize("most", [2, 1000])
def test_mistakes_are_those_of_the_network_the_worst_first(capsys, monkeypatch, most):
    found, _ = answer(capsys, "errors", "run", "--count", str(most))
    data = load("digits")
    chances = probabilities(open_trained("run").network.logits(data.x_test[..., None]))
    true = chances[np.arange(len(chances)), data.y_test]
    wrong = [int(place) for place in np.argsort(true) if chances[place].argmax() != data.y_test[place]]
    assert found["errors"] == len(wrong) > 2  # those that are not shown too
    assert [each["image"] for each in found["mistakes"]] == wrong[:most]
    for each, place in zip(found["mistakes"], wrong):
        names = (str(data.y_test[place]), str(chances[place].argmax()))
        assert (each["true"], each["class"]) == names and each["loss"] == pytest.approx(-np.log(true[place]))
        assert list(each["probabilities"].values()) == pytest.approx(chances[place].tolist())
    drawn = []
    monkeypatch.setattr("jitnet.commands.errors.print_prediction", lambda out, *given: drawn.append(given[:3]))
    assert main(["errors", "run", "--count", str(most)]) == 0
    for (image, shares, label), place in zip(drawn, wrong[:most], strict=True):
        assert np.array_equal(image, data.x_test[place][..., None]) and label == data.y_test[place]
        assert np.allclose(shares, chances[place])


@pytest.mark.parametrize("words", ["eval run", "errors run", "ensemble run other"])
def test_what_must_be_known_of_the_data_is_a_note(capsys, folder, words):
    assert answer(capsys, *words.split())[0]["data"] == {"name": "digits", "size": 60, "note": None}
    digits(folder / "more", test=40)  # other data are no news to who names them
    found, _ = answer(capsys, *words.split(), "--data", "more/digits")
    assert found["data"] == {"name": "digits", "size": 40, "note": None}
    meta = folder / "runs" / "run" / "meta.json"
    before = meta.read_text()
    meta.write_text(json.dumps(json.loads(before) | {"data": "synthetic"}))
    try:
        found, _ = answer(capsys, *words.split(), "--data", "digits")
        assert main([*words.split(), "--data", "digits"]) == 0
    finally:
        meta.write_text(before)
    assert found["data"] == {"name": "digits", "size": 60, "note": "trained on synthetic digits"}
    assert "digits (trained on synthetic digits)" in capsys.readouterr().out


def test_rows_of_a_table_and_a_regression_have_their_numbers(capsys):
    found, _ = answer(capsys, "predict", "run", "--csv", "rows.csv")
    assert [each["row"] for each in found["answers"]] == [1, 2, 3, 4, 5]
    values, _ = answer(capsys, "predict", "table", "--csv", "numbers.csv")
    assert len(values["answers"]) == 40 and all(isinstance(each["value"], float) for each in values["answers"])


def test_a_picture_without_an_answer_is_in_the_answers_too(capsys, folder):
    (folder / "broken.png").write_bytes(b"\x89PNG broken")
    found, code = answer(capsys, "predict", "run", "broken.png", "digits/t10k-images-idx3-ubyte")
    assert code == 1 and found["answers"][0]["class"] is None and found["answers"][0]["error"]
    assert len(found["answers"]) == 61


def test_numbers_of_any_kind_are_those_of_json_and_what_is_none_is_null(capsys):
    bad = float("nan"), np.float32("inf"), -np.inf
    print_json("x", bad=bad, array=np.array([[1.5, np.nan]]), inner={1: np.int64(3), "n": (np.uint8(4), None, True)})
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found == {
        "command": "x", "schema": 1, "bad": [None] * 3, "array": [[1.5, None]], "inner": {"1": 3, "n": [4, None, True]}
    }  # fmt: skip


def test_what_goes_with_json_and_what_does_not(capsys):
    assert "--out is given with --json" in refusal(
        capsys, "predict", "run", "--csv", "rows.csv", "--out", "x.csv", "--json"
    )
    assert "--json is given with --kernels" in refusal(capsys, "summary", "cnn", "--kernels", "--json")


@pytest.mark.parametrize("kind", ["image", "npy", "table", "--csv"])
def test_standard_input_is_an_image_or_rows(capsys, monkeypatch, folder, kind):
    from PIL import Image

    pixels = np.random.default_rng(1).integers(0, 256, (6, 6), np.uint8)
    content = io.BytesIO()
    if kind == "image":
        Image.fromarray(pixels).save(content, "PNG")
    elif kind == "npy":
        np.save(content, pixels)
    else:
        content.write((",".join(map(str, pixels.ravel())) + "\n").encode())
    words = ["--csv", "-"] if kind == "--csv" else ["-"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.getvalue())))
    found, code = answer(capsys, "predict", "run", *words)
    assert code == 0 and len(found["answers"]) == 1
    assert found["answers"][0].get("name", "stdin") == "stdin" and found["answers"][0]["class"] in {"0", "1", "2"}
    if kind == "image":
        (folder / "one.png").write_bytes(content.getvalue())
        same, _ = answer(capsys, "predict", "run", "one.png")
        assert same["answers"][0]["probabilities"] == found["answers"][0]["probabilities"]


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (b"\0\0\0\0", "stdin"), (b"hello\n", "stdin")])
def test_what_standard_input_is_refused_for(capsys, monkeypatch, content, said):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code = main(["predict", "run", "-"])
    shown = capsys.readouterr()
    assert code in (1, 2) and said in shown.out + shown.err and not re.search(r"/jitnet-", shown.out + shown.err)


def test_the_pipe_of_a_shell(folder):
    command = f"{sys.executable} -m jitnet predict run - --json < rows.csv"
    done = subprocess.run(command, shell=True, cwd=folder, env=environment(folder), capture_output=True, text=True)
    assert len(json.loads(done.stdout)["answers"]) == 5, done.stderr
