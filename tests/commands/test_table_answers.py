"""What `predict` answers to tables and to standard input: which labels, which columns, how many rows, which way up."""

import csv
import dataclasses
import io
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.commands.support import standard_input, trained_run
from jitnet.commands.support.json_answer import data_fields
from jitnet.data.pictures.style import Style
from jitnet.data.record import DataRecord
from jitnet.data.sources.known import FASHION
from jitnet.errors import InputError

NAMES, NUMBERS = ("ant", "bee", "cat"), ("5", "6", "7")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run on images of 6 x 6 pixels in three classes, and twelve rows of such images."""
    folder = tmp_path_factory.mktemp("tables")
    with pytest.MonkeyPatch.context() as patch:
        digits(settle(patch, folder))
        train("run", "--ema", "0.5")
        write_rows("rows.csv", images())
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    settle(monkeypatch, folder)


def images():
    return np.random.default_rng(0).integers(0, 256, (12, 6, 6))


def write_rows(name, pixels, head=""):
    Path(name).write_text(head + "".join(",".join(map(str, image.ravel())) + "\n" for image in pixels))


def described(name, **record):
    """Make a copy of the run with another description of its data."""
    copy = Path("runs", name)
    copy.mkdir()
    for file in Path("runs/run").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    meta = json.loads((copy / "meta.json").read_text())
    (copy / "meta.json").write_text(json.dumps(meta | {"record": meta["record"] | record}))


def answers(capsys, *words):
    capsys.readouterr()
    assert main(["predict", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["answers"]


def written(*words):
    assert main(["predict", *words, "--out", "out.csv"]) == 0
    return list(csv.reader(io.StringIO(Path("out.csv").read_text())))


def test_a_table_has_the_names_with_their_probability_and_a_submission_the_labels_of_the_files(capsys):
    described("named", class_names=NAMES, numbers=NUMBERS)
    found = answers(capsys, "named", "--csv", "rows.csv")
    assert {each["class"] for each in found} <= set(NAMES)
    head, *rows = written("named", "--csv", "rows.csv")
    assert head == ["row", "predicted", "probability"]
    assert rows == [[str(each["row"]), each["class"], f"{each['probability']:.4f}"] for each in found]
    head, *rows = written("named", "--csv", "rows.csv", "--submission")
    assert head == ["ImageId", "Label"]
    assert rows == [[str(each["row"]), NUMBERS[NAMES.index(each["class"])]] for each in found]


def test_rows_are_turned_as_those_of_the_training_were(capsys):
    described("turned", orientation="turned upright")
    write_rows("turned.csv", images().swapaxes(1, 2))
    found = answers(capsys, "turned", "--csv", "turned.csv")
    assert found == answers(capsys, "run", "--csv", "rows.csv")
    assert main(["predict", "turned", "--csv", "turned.csv"]) == 0
    assert "are taken for images on their side" in capsys.readouterr().err


def test_a_column_that_is_named_is_no_input(capsys):
    expected = answers(capsys, "run", "--csv", "rows.csv")
    rows = Path("rows.csv").read_text().splitlines()
    names = [f"p{place}" for place in range(36)]
    Path("more.csv").write_text("\n".join([",".join([*names, "truth"]), *(f"{row},1" for row in rows)]) + "\n")
    for column in ("truth", "37"):
        assert answers(capsys, "run", "--csv", "more.csv", "--label", column) == expected


@pytest.mark.parametrize(("count", "more"), [(9, ""), (10, ""), (11, "... 1 more"), (12, "... 2 more")])
def test_ten_rows_are_printed_and_the_others_counted(capsys, count, more):
    write_rows("some.csv", images()[:count])
    capsys.readouterr()
    assert main(["predict", "run", "--csv", "some.csv"]) == 0
    head, *lines, by = capsys.readouterr().out.splitlines()
    assert head == "row,predicted,probability" and by.startswith("by runs/run after 2 epochs, averaged weights")
    assert sum(line[0].isdigit() for line in lines) == min(count, 10)
    assert [line.partition(":")[0] for line in lines if line.startswith("...")] == [more] * bool(more)


def test_answers_say_which_weights_after_how_many_epochs(capsys):
    for words, weights in (((), "averaged"), (("--weights", "raw"), "raw"), (("--weights", "averaged"), "averaged")):
        capsys.readouterr()
        assert main(["eval", "run", "--json", *words]) == 0
        model = json.loads(capsys.readouterr().out)["model"]
        assert model == {"path": "runs/run", "epochs": 2, "weights": weights, "data": "digits", "target": None}
        assert main(["eval", "run", *words]) == 0
        assert f"runs/run after 2 epochs, {weights} weights, on 60 " in capsys.readouterr().out


class Terminal(io.StringIO):
    buffer = io.BytesIO(b"1,2\n")

    def isatty(self):
        return True


def test_nobody_is_waited_for_on_a_terminal(capsys, monkeypatch):
    for stdin, what in ((Terminal(), "a terminal"), (None, "closed")):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert f"standard input is {what}" in refusal(capsys, "predict", "run", "-")


@pytest.mark.parametrize(("content", "taken"), [(b"1234", True), (b"12345", False)])
def test_standard_input_is_taken_up_to_its_bound(monkeypatch, content, taken):
    monkeypatch.setattr(standard_input, "LARGEST", 4)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    if taken:
        with standard_input.spooled() as file:
            assert file.read_bytes() == content
        assert not file.exists()
    else:
        with pytest.raises(InputError, match="more than 4 bytes"), standard_input.spooled():
            pass


def trained(record=None, meta=None, **settings):
    """Return what stands for a run in the descriptions of its data."""
    settings = SimpleNamespace(**{"target": "", "data": "digits"} | settings)
    described = SimpleNamespace(record=record or DataRecord(), labels=np.arange(10))
    return SimpleNamespace(path="runs/a", settings=settings, description=described, meta=meta or {})


@pytest.mark.parametrize(
    ("synthetic", "meta", "spec", "mark"),
    [
        (False, {"data_sha256": "ab"}, None, ""),
        (False, {}, None, ""),  # of a run that did not keep it
        (False, {"data_sha256": "cd"}, None, " (not the data it was trained on)"),
        (False, {"data_sha256": "cd"}, "other", ""),  # others are given on purpose
        (False, {"data": "synthetic", "data_sha256": "cd"}, "other", " (trained on synthetic digits)"),
        (True, {"data": "synthetic", "data_sha256": "ab"}, None, " (synthetic digits)"),
        (True, {"data": "mnist", "data_sha256": "cd"}, "synthetic", " (synthetic digits)"),
    ],
)
def test_a_result_is_marked_where_its_data_are_not_what_one_expects(synthetic, meta, spec, mark):
    data = SimpleNamespace(name="d", synthetic=synthetic, sha256="ab")
    assert trained_run.mark(data, trained(meta=meta), spec) == mark
    assert data_fields(data, 3, mark)["note"] == (mark.strip(" ()") or None)


@pytest.mark.parametrize(
    ("data", "names"),
    [("fashion", FASHION.class_names), ("mnist", tuple("0123456789")), ("x.csv", tuple("0123456789"))],
)
def test_an_old_run_has_the_names_of_a_known_set(data, names):
    found = trained_run.record_of(trained(meta={"data": data}))
    assert (found.class_names, found.numbers) == (names, tuple("0123456789"))
    kept = DataRecord(class_names=NAMES)
    assert trained_run.record_of(trained(kept, {"data": data})) is kept


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        (NAMES, [0, 2, 1]),
        (NAMES[::-1], [2, 0, 1]),
        (("bee", "ant", "cat", "dog"), [1, 2, 0]),  # of which the last is not used
        (NUMBERS, [0, 2, 1]),  # a set whose names are known, as files have it
        (("7", "5", "6"), [2, 1, 0]),
        (("5", "x", "6"), None),
        (("dog", "ant", "bee"), None),
    ],
)
def test_labels_of_other_data_are_those_of_the_run_by_name_or_by_number(given, labels):
    record = DataRecord(class_names=NAMES, numbers=NUMBERS)
    data = SimpleNamespace(
        name="d", class_names=given, y_test=np.array([0, 2, 1], np.uint8), facts=DataRecord(numbers=given)
    )
    if labels is None:
        with pytest.raises(InputError, match=r"has the class '(5|dog)', which runs/a was not trained on"):
            trained_run.matched(data, record, "runs/a")
    else:
        assert trained_run.matched(data, record, "runs/a").tolist() == labels


@pytest.mark.parametrize(
    ("record", "channels"),
    [
        (DataRecord(kind="IDX", style=Style(prepared=True)), 1),  # its greys stand in three channels
        (DataRecord(kind="class folders"), 3),
        (DataRecord(style=Style(prepared=True)), 3),  # an old run does not say
    ],
)
def test_pictures_are_read_in_the_colours_that_the_training_had(monkeypatch, record, channels):
    asked = []
    monkeypatch.setattr(trained_run, "read_levels", lambda path, like: asked.append(like) or [])
    assert list(trained_run.pictures(["rows.csv"], record, (6, 5, 3))) == [] and asked == [(6, 5, channels)]


@pytest.mark.parametrize(("sha256", "taken"), [("ab", True), ("cd", False)])
def test_an_old_regression_is_scaled_by_its_own_table_alone(monkeypatch, sha256, taken):
    facts = DataRecord(means=(1.0, 2.0), deviations=(1.0, 3.0), columns=("x",))
    data = SimpleNamespace(source="t.csv", sha256="ab", facts=facts)
    monkeypatch.setattr(trained_run, "load_data_of", lambda run, offline: data)
    run = trained(meta={"data_sha256": sha256}, target="y")
    if taken:
        assert trained_run.regression_record(run) is facts
    else:
        with pytest.raises(InputError, match=r"t\.csv is not what runs/a was trained on"):
            trained_run.regression_record(run)
    assert trained_run.regression_record(trained(dataclasses.replace(facts, kind="CSV"), target="y")).kind == "CSV"


@pytest.mark.parametrize(
    "names", [[f"pixel{place}" for place in range(36)], [f"{'xyz'[n % 3]}_{n}" for n in range(36)]]
)
def test_the_names_of_the_columns_tell_the_pixels_of_a_table(capsys, names):
    Path("straight.csv").write_text(",".join(names) + "\n" + Path("rows.csv").read_text())
    order = sorted(range(36), key=lambda place: names[place])
    write_rows("sorted.csv", images().reshape(12, 36)[:, order], ",".join(names[place] for place in order) + "\n")
    shutil.rmtree("runs/columns", ignore_errors=True)
    described("columns", pixel_columns=names)
    found = answers(capsys, "columns", "--csv", "straight.csv")
    assert answers(capsys, "columns", "--csv", "sorted.csv") == found
    assert main(["predict", "columns", "--csv", "sorted.csv"]) == 0
    assert "warning: the pixel columns of sorted.csv are " in capsys.readouterr().err
    labels = [str(n % 3) for n in range(12)]
    rows = Path("sorted.csv").read_text().splitlines()
    table = [f"{row},{label}" for row, label in zip(rows, ["label", *labels])]
    Path("labelled.csv").write_text("\n".join(table) + "\n")
    table = [f"{row},{label}" for row, label in zip(Path("straight.csv").read_text().splitlines(), ["label", *labels])]
    Path("plain.csv").write_text("\n".join(table) + "\n")
    measured = []
    for file in ("labelled.csv", "plain.csv"):
        capsys.readouterr()
        assert main(["eval", "columns", "--data", file, "--json"]) == 0
        measured.append(json.loads(capsys.readouterr().out)["loss"])
    assert measured[0] == measured[1]


@pytest.mark.parametrize("line", ["", "  ", "\t"])
@pytest.mark.parametrize("header", [False, True])
def test_a_table_with_a_blank_line_between_its_rows_is_refused_by_the_number_of_the_line(capsys, header, line):
    rows = [",".join(f"p{place}" for place in range(36))] * header + Path("rows.csv").read_text().splitlines()
    Path("blank.csv").write_text("\n".join([*rows[:5], line, *rows[5:]]))
    assert "blank.csv has nothing in line 6, between its rows" in refusal(
        capsys, "predict", "run", "--csv", "blank.csv"
    )
    Path("blank.csv").write_text("\n".join([line, "# by me", line, *rows, line, line]))
    assert answers(capsys, "run", "--csv", "blank.csv") == answers(capsys, "run", "--csv", "rows.csv")


@pytest.mark.parametrize("row", ["7", "7,", "", " "])
def test_a_row_of_its_label_alone_is_refused_by_the_number_of_its_line(capsys, row):
    rows = [f"7,{each}" for each in Path("rows.csv").read_text().splitlines()]
    Path("short.csv").write_text("\n".join([*rows[:5], row, *rows[5:]]))
    assert " in line 6" in refusal(capsys, "predict", "run", "--csv", "short.csv", "--label", "1")


@pytest.mark.parametrize("name", ["p{n}", "{letter}{n}"])
def test_a_model_of_a_table_that_fit_took_knows_the_order_of_its_columns(capsys, name):
    names = [name.format(n=n, letter="xyz"[n % 3]) for n in range(36)]
    order = sorted(range(36), key=lambda place: names[place])  # as words: so `fit` took them
    shutil.rmtree("runs/fitted", ignore_errors=True)
    described("fitted", kind="arrays", columns=[names[place] for place in order])
    pixels = images().reshape(12, 36)
    write_rows("as_fit.csv", pixels, ",".join(names[place] for place in order) + "\n")
    write_rows("by_number.csv", pixels[:, np.argsort(order)], ",".join(names) + "\n")
    expected = answers(capsys, "fitted", "--csv", "rows.csv")  # without names, by their place
    for file in ("as_fit.csv", "by_number.csv"):
        assert answers(capsys, "fitted", "--csv", file) == expected
