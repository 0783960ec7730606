"""`jitnet play`: the page of a run, of a regression, of a file; what it refuses; and a file that the page saved."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, rows, settle, train
from data_files import arrays, write_idx

from jitnet.cli import main
from jitnet.commands import play
from jitnet.data import load
from jitnet.play.page import source
from jitnet.play.subject import spread
from jitnet.run.names import KEPT, REFERENCE
from jitnet.run.trained import open_trained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = settle(patch, tmp_path_factory.mktemp("play"))
        digits(folder)
        train("small")
        yield folder


def data(page: str) -> dict:
    """Return what a page knows of its run."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_of_a_run_carries_its_images_and_its_weights(folder, capsys):
    assert main(["play", "small", "--out", "page.html"]) == 0
    assert re.match(r"written: page.html \(\d+ kB\)", capsys.readouterr().out)
    found = data((folder / "page.html").read_text(encoding="utf-8"))
    assert found["title"] == "small" and found["spec"]["image"] == [6, 6, 1]
    assert [layer["name"] for layer in found["spec"]["layers"]] == ["conv1", "pool1", "dense1", "dense2"]
    assert found["train"]["count"] == 200 and found["test"]["count"] == 60 and found["source"] == "images of digits"
    assert found["label"] == "after 2 epochs" and found["metadata"]["architecture"] == "conv2 pool dense4"


def test_without_out_the_page_is_in_the_run_and_the_browser_opens(folder, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    assert main(["play", "small"]) == 0
    page = folder / "runs" / "small" / "play.html"
    assert opened == [page.absolute().as_uri()] and page.is_file()
    assert main(["report", "small"]) == 0
    report = (folder / "runs" / "small" / "report.html").read_text()
    assert 'href="play.html"' in report and "jitnet play" in report
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    capsys.readouterr()
    assert main(["play", "small"]) == 0
    assert "no browser was found" in capsys.readouterr().err


def test_a_regression_has_its_columns_and_scales(folder):
    rng = np.random.default_rng(0)
    table = rng.uniform(-1, 1, (70, 3))
    np.savetxt("table.csv", table, delimiter=",", header="a,b,y", comments="")
    words = ["--arch", "dense4:tanh", "--data", "table.csv", "--target", "y", "--epochs", "1", "--ui", "quiet"]
    assert main(["train", "mlp", *words, "--name", "numbers"]) == 0
    assert main(["play", "numbers", "--out", "numbers.html"]) == 0
    found = data((folder / "numbers.html").read_text(encoding="utf-8"))
    assert found["spec"]["loss"] == "numbers" and found["columns"] == ["a", "b"] and found["target"] == "y"
    assert found["train"]["count"] == 60 and len(found["means"]) == len(found["deviations"]) == 3


def test_refusals(folder, capsys):
    assert "expected a file in a folder" in refusal(capsys, "play", "small", "--out", "nowhere/page.html")
    assert "there is no run 'smal'" in refusal(capsys, "play", "smal", "--out", "page.html")
    assert "has images of" in refusal(capsys, "play", "small", "--data", "synthetic", "--out", "page.html")


def test_the_page_without_its_data_says_so(folder, capsys):
    (folder / "digits").rename(folder / "away")
    try:
        assert main(["play", "small", "--out", "page.html"]) == 0
    finally:
        (folder / "away").rename(folder / "digits")
    assert "no images to train on" in capsys.readouterr().err
    assert data((folder / "page.html").read_text(encoding="utf-8"))["train"]["count"] == 0


def test_the_marks_of_the_template_are_filled():
    assert set(re.findall(r"@(\w+)@", source("page.html"))) == {"title", "made", "style", "data", "scripts"}


@pytest.fixture
def subjects(folder, monkeypatch):
    """What the page is about."""
    found = []
    monkeypatch.setattr(play, "page", lambda subject, made: found.append(subject) or "")
    return found


def test_images_come_from_all_of_the_data_each_with_its_own_label(subjects, monkeypatch):
    monkeypatch.setattr(play, "TRAINED_ON", 7)
    monkeypatch.setattr(play, "MEASURED_ON", 5)
    assert main(["play", "small", "--out", "page.html"]) == 0
    (found,), given = subjects, load("digits")
    for images, targets, x, y in (
        (found.train, found.train_targets, given.x_train, given.y_train),
        (found.test, found.test_targets, given.x_test, given.y_test),
    ):
        places = spread(len(images), len(x))
        assert places[-1] > len(x) // 2 and list(y[places]) != list(y[: len(places)])
        assert np.array_equal(images, x[places][..., None]) and np.array_equal(targets, y[places])
    assert (len(found.train), len(found.test), found.digits) == (7, 5, False)  # three classes are not the ten digits


def test_other_data_have_the_labels_of_the_runs_classes(subjects):
    """Of these the other data have two, which are its classes 0 and 1."""
    rng, names = np.random.default_rng(0), {}
    for name, labels in (("pets", ("ant", "bee", "cat")), ("others", ("bee", "cat"))):
        x = rng.integers(0, 256, (70, 36))
        lines = [",".join(map(str, [*row, labels[place % len(labels)]])) for place, row in enumerate(x)]
        names |= {bytes(row.tolist()): labels[place % len(labels)] for place, row in enumerate(x)}
        Path(f"{name}.csv").write_text("\n".join([",".join(f"p{n}" for n in range(36)) + ",label", *lines]) + "\n")
    train("pets", "--arch", "dense4", "--data", "pets.csv", network="mlp", epochs=1)
    assert main(["play", "pets", "--data", "others.csv", "--out", "page.html"]) == 0
    (found,) = subjects
    assert found.class_names == ("ant", "bee", "cat") and len(found.train) and len(found.test)
    for images, targets in ((found.train, found.train_targets), (found.test, found.test_targets)):
        assert [found.class_names[label] for label in targets] == [names[image.tobytes()] for image in images]
    assert found.data == "images of others"


@pytest.mark.parametrize(("words", "epoch", "others"), [([], 3, [1, 2]), (["--best"], 1, [2, 3])])
def test_a_checkpoint_has_its_figures_and_the_others_beside_it(subjects, words, epoch, others):
    if not Path("runs/long").exists():
        recipe = ("--val", "20", "--lr", "0.01", "--schedule", "constant")
        train("long", *recipe, epochs=3)
        shutil.copy(train("short", *recipe, epochs=1) / "last.safetensors", "runs/long/best.safetensors")
    assert main(["play", "long", "--out", "page.html", *words]) == 0
    (found,), kinds = subjects, {1: "best", 2: "previous", 3: "last"}
    ended = f"{epoch} epoch{'s' * (epoch > 1)}"
    assert (found.epoch, found.label) == (epoch, f"after {ended}")
    accuracies = [float(row["test_accuracy"]) for row in rows(Path("runs/long"))]
    assert len(set(accuracies)) == 3  # else it would not matter which one is shown
    assert dict(found.facts)["trained"] == f"{ended} of digits"
    assert dict(found.facts)["right on its test images"] == f"{accuracies[epoch - 1]:.2f} %"
    assert [each.epoch for each in found.snapshots] == others
    for at, tensors in ((epoch, found.network.tensors()), *((each.epoch, each.tensors) for each in found.snapshots)):
        wanted = open_trained("long", "runs", kinds[at]).network.tensors()
        assert all(np.array_equal(tensors[name], array) for name, array in wanted.items()), at


@pytest.mark.parametrize(
    ("fits", "classes", "names"), [(True, 10, ()), (False, 9, ()), (False, 10, tuple("abcdefghij"))]
)
def test_without_its_data_a_network_of_digits_has_the_built_in_ones(
    subjects, folder, monkeypatch, capsys, fits, classes, names
):
    name = f"ten-{classes}-{len(names)}"
    given = arrays()
    write_idx(folder / name, given | {part: given[part] % classes for part in ("y_train", "y_test")})
    words = ["--arch", "dense4", "--data", name, "--limit", "40"]
    run = train(name, *words, network="mlp", epochs=1)
    if names:
        meta = json.loads((run / "meta.json").read_text())
        meta["record"]["class_names"] = names
        (run / "meta.json").write_text(json.dumps(meta))
    given_data, built_in = play.trained_run.load_data, load(name)  # in place of 70,000 that would have to be drawn

    def load_data(wanted, *rest, **more):
        return built_in if wanted.data == "synthetic" else given_data(wanted, *rest, **more)

    monkeypatch.setattr(play.trained_run, "load_data", load_data)
    shutil.rmtree(folder / name)
    assert main(["play", name, "--out", "page.html"]) == 0
    assert ("built-in" in subjects[0].data) == (len(subjects[0].train) > 0) == fits
    assert ("no images to train on" in capsys.readouterr().err) != fits
    assert "no data set 'nowhere'" in refusal(capsys, "play", name, "--data", "nowhere", "--out", "page.html")


def test_a_page_that_is_only_to_be_opened_is_not_put_where_nothing_is_to_be_written(folder, monkeypatch):
    def place(path):
        return play._place(type("Trained", (), {"path": path}))

    assert place(folder / "runs" / "small") == folder / "runs" / "small" / "play.html"
    for path in (KEPT / REFERENCE, folder / "runs" / "small" / "last.safetensors"):
        found = place(path)
        assert found.name == "play.html" and found.parent.is_dir() and path not in (found.parent, found.parent.parent)
        found.parent.rmdir()
