"""Names in other Unicode forms are the same names: é as one character or as e and an accent."""

import unicodedata
from types import SimpleNamespace

import numpy as np
import pytest
from test_data_inputs import PIXELS, X, Y, csv, load, refused

from jitnet.commands.support.trained_run import matched
from jitnet.data.readers import regression
from jitnet.data.record import DataRecord

NAMES = ["émeu", "über", "chó", "が", "cat"]
FORMS = [[unicodedata.normalize(form, name) for name in NAMES] for form in ("NFC", "NFD")]


def folders(root, names, part=slice(None)):
    for place, (image, label) in enumerate(zip(X[part], Y[part])):
        (root / names[label]).mkdir(parents=True, exist_ok=True)
        (root / names[label] / f"{place:02}.pgm").write_bytes(b"P5 6 6 255\n" + image.tobytes())


def as_folders(root, train, test):
    folders(root / "train", train, slice(0, 50))
    folders(root / "test", test, slice(50, None))


def as_tables(root, train, test):
    for name, part, names in (("train", slice(0, 50), train), ("test", slice(50, None), test)):
        (root / f"{name}.csv").write_text(csv(X[part], [names[label] for label in Y[part]], "label," + PIXELS))


def as_arrays(root, train, test):
    labels = [
        np.array([names[label] for label in Y[part]])
        for part, names in ((slice(0, 50), train), (slice(50, None), test))
    ]
    np.savez(root / "d.npz", x_train=X[:50], y_train=labels[0], x_test=X[50:], y_test=labels[1])


@pytest.mark.parametrize("write", [as_folders, as_tables, as_arrays])
@pytest.mark.parametrize(("train", "test"), [(0, 1), (1, 0), (1, 1)])
def test_classes_are_the_same_in_either_form(tmp_path, write, train, test):
    (tmp_path / "d").mkdir()
    write(tmp_path / "d", FORMS[train], FORMS[test])
    data, said = load(tmp_path / "d")
    assert set(data.class_names) == set(FORMS[0])
    assert not any("to test with" in each or "to train on" in each for each in said)
    plain = tmp_path / "plain"
    plain.mkdir()
    write(plain, FORMS[0], FORMS[0])
    assert load(plain)[0].sha256 == data.sha256


def test_two_folders_of_one_class_are_refused(tmp_path):
    folders(tmp_path, FORMS[0])
    folders(tmp_path, FORMS[1])
    if len(list(tmp_path.iterdir())) == len(NAMES):
        pytest.skip("the file system takes both forms for one")
    assert "has two folders of the class" in refused(tmp_path)


@pytest.mark.parametrize(("header", "given"), [(0, 1), (1, 0), (1, 1)])
def test_columns_are_found_in_either_form(tmp_path, header, given):
    (tmp_path / "t.csv").write_text(csv(X, Y, f"{FORMS[header][0]},{PIXELS}"))
    assert load(tmp_path / "t.csv", label=FORMS[given][0])[0].facts.label_column == NAMES[0]
    rows = np.random.default_rng(0).normal(size=(21, 2))
    text = [",".join(FORMS[header][:2]), *(",".join(map(str, row)) for row in rows.tolist())]
    (tmp_path / "r.csv").write_text("\n".join(text))
    facts = regression.load(str(tmp_path / "r.csv"), FORMS[given][0]).facts
    assert facts.columns == (NAMES[1],)
    old = DataRecord(columns=(FORMS[given][1],), means=facts.means, deviations=facts.deviations, header="h")
    assert len(regression.rows_like((tmp_path / "r.csv").read_bytes(), "r.csv", old, NAMES[0])) == 21


def test_classes_of_an_older_run_are_matched_in_either_form():
    data = SimpleNamespace(
        name="d", class_names=tuple(FORMS[0]), facts=DataRecord(numbers=tuple(FORMS[0])), y_test=np.arange(5)
    )
    record = DataRecord(class_names=tuple(FORMS[1][::-1]), numbers=tuple(FORMS[1][::-1]))
    assert matched(data, record, "runs/a").tolist() == [4, 3, 2, 1, 0]
