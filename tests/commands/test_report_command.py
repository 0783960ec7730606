"""`jitnet report`: on which data and checkpoint a page is measured, where it is written, and when it is opened."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.data.readers import regression
from jitnet.run.trained import open_trained


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two runs on two sets of data, a regression, and a sweep of one of the runs."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        digits(settle(patch, folder))
        digits(folder / "other", test=40)
        run = train("run", "--val", "20")
        shutil.copy(run / "previous.safetensors", run / "best.safetensors")
        train("second", "--data", "other/digits", "--val", "20", epochs=1)
        x = np.random.default_rng(0).normal(5, 2, (140, 2))
        Path("t.csv").write_text("\n".join(["a,b,price", *(f"{a},{b},{1000 + 30 * a}" for a, b in x)]) + "\n")
        words = "mlp --hidden 4 --data t.csv --target price --epochs 1 --ui quiet --name numbers"
        assert main(["train", *words.split()]) == 0
        shutil.copytree(run, folder / "runs" / "sweep" / "run")
        record = {"schema": 1, "title": "s", "trials": [{"name": "run", "group": ""}]}
        (folder / "runs" / "sweep" / "sweep.json").write_text(json.dumps(record))
    return folder


@pytest.fixture
def opened(made, monkeypatch):
    """The pages that are shown in a browser, by their files."""
    settle(monkeypatch, made)
    shown = []
    monkeypatch.setattr("webbrowser.open", lambda address: shown.append(Path(address.removeprefix("file://"))) or True)
    return shown


@pytest.fixture
def subjects(opened, monkeypatch):
    """What the page is about."""
    found = []
    monkeypatch.setattr("jitnet.commands.report.page", lambda subjects, *rest: found.extend(subjects) or "")
    return found


@pytest.mark.parametrize(
    ("words", "page"),
    [("run", "runs/run/report.html"), ("run --film", "runs/run/film.html"), ("sweep", "runs/sweep/report.html"),
     ("second run", "runs/second/report.html")],
)  # fmt: skip
def test_a_page_is_written_where_it_is_wanted_and_opened_if_it_is_to_be(made, opened, capsys, words, page):
    for path in (made / page, made / "page.html"):
        path.unlink(missing_ok=True)
    capsys.readouterr()
    assert main(["report", *words.split(), "--out", "page.html", "--open"]) == 0
    assert opened == [made / "page.html"] and opened[0].is_file() and not (made / page).exists()
    assert capsys.readouterr().out.startswith("written: page.html (")
    assert main(["report", *words.split()]) == 0
    assert len(opened) == 1 and (made / page).is_file()


def test_each_run_is_measured_on_its_own_data_by_the_checkpoint_that_is_named(subjects):
    for words, kind in (([], "last"), (["--best"], "best")):
        subjects.clear()
        assert main(["report", "run", "second", *words]) == 0
        for each, name, images in zip(subjects, ("run", "second"), (60, 40), strict=True):
            assert (each.measured.data, each.measured.confusion.sum()) == ("digits", images) and not each.missing
            tensors = open_trained(f"runs/{name}/{kind}.safetensors").network.tensors()
            assert all(np.array_equal(each.tensors[name], array) for name, array in tensors.items())


def test_predictions_of_a_regression_are_in_the_unit_of_its_table(subjects):
    assert main(["report", "numbers"]) == 0
    table = np.loadtxt("t.csv", delimiter=",", skiprows=1)
    data, measured = regression.load("t.csv", "price"), subjects[0].measured
    assert len(measured.true) == 20 and all(np.abs(table[:, 2] - true).min() < 0.01 for true in measured.true)
    outputs = open_trained("numbers").network.logits(data.x_test[..., None])[:, 0].astype(np.float64)
    expected = outputs * data.facts.deviations[-1] + data.facts.means[-1]
    np.testing.assert_allclose(measured.predicted, expected, rtol=1e-5)


def test_data_that_changed_are_not_measured(made, subjects, monkeypatch, capsys):
    shutil.move(made / "digits", made / "kept")
    digits(made, train=199)
    capsys.readouterr()
    try:
        assert main(["report", "run"]) == 0
    finally:
        shutil.rmtree(made / "digits")
        shutil.move(made / "kept", made / "digits")
    assert subjects[0].measured is None and "the run's data (digits) is not here" in subjects[0].missing
    assert "run is reported without measurements: the run's data" in capsys.readouterr().err


def test_a_run_that_states_no_hash_of_its_data_is_measured(made, subjects):
    shutil.rmtree(made / "runs" / "plain", ignore_errors=True)
    file = Path(shutil.copytree("runs/run", "runs/plain")) / "meta.json"
    file.write_text(json.dumps({name: x for name, x in json.loads(file.read_text()).items() if name != "data_sha256"}))
    assert main(["report", "plain", "run"]) == 0
    assert subjects[0].measured.loss == subjects[1].measured.loss and not subjects[0].missing


@pytest.mark.parametrize("option", ["--film", "--best"])
def test_what_the_page_of_a_sweep_does_not_show_is_refused(opened, capsys, option):
    assert f"{option} is given with a sweep" in refusal(capsys, "report", "sweep", option)


def test_the_page_of_play_is_linked_from_its_own_folder_alone(made, subjects):
    (made / "runs" / "run" / "play.html").touch()
    for words, link in ((["run"], "play.html"), (["run", "--out", "page.html"], ""), (["run", "second"], "")):
        subjects.clear()
        assert main(["report", *words]) == 0
        assert [each.play for each in subjects] == [link] + [""] * (len(subjects) - 1)


def test_the_classes_have_their_names(made, subjects):
    shutil.rmtree(made / "runs" / "named", ignore_errors=True)
    file = Path(shutil.copytree("runs/run", "runs/named")) / "meta.json"
    meta = json.loads(file.read_text())
    meta["record"]["class_names"] = ["ant", "bee", "cat"]
    file.write_text(json.dumps(meta))
    assert main(["report", "named"]) == 0
    assert subjects[0].measured.names == ("ant", "bee", "cat")
