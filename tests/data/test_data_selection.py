"""Which file, which images of it and which of its columns are taken where there is a choice."""

import numpy as np
import pytest
from test_data_inputs import PIXELS, X, Y, csv, load, write_folders

from jitnet.config import Settings
from jitnet.data.labels import _quota
from jitnet.data.readers import regression
from jitnet.data.sources import layouts
from jitnet.data.sources.cache import Cache
from jitnet.data.sources.layouts import Options
from jitnet.data.split import split
from jitnet.errors import InputError


def test_a_label_that_is_named_is_that_of_both_tables(tmp_path):
    other = (Y + 1) % 5  # which is called label, and is not it
    for name, part in (("train.csv", slice(50)), ("test.csv", slice(50, None))):
        rows = csv(X[part], Y[part]).splitlines()
        text = "\n".join([f"label,kind,{PIXELS}", *(f"{also},{row}" for also, row in zip(other[part], rows))])
        (tmp_path / name).write_text(text + "\n")
    for label, wanted in (("kind", Y), ("2", Y), ("label", other)):
        found = layouts.read(tmp_path, Cache(None, pytest.fail), Options(label=label))
        assert found.y_train.tolist() == [str(value) for value in wanted[:50]]
        assert found.y_test.tolist() == [str(value) for value in wanted[50:]]


def test_it_is_measured_on_test_data_where_there_are_validation_data_too(tmp_path):
    parts = {"train": slice(40), "val": slice(40, 50), "test": slice(50, 70)}
    for name, part in parts.items():
        (tmp_path / "tables").mkdir(exist_ok=True)
        (tmp_path / "tables" / f"{name}.csv").write_text(csv(X[part], Y[part], "label," + PIXELS))
        write_folders(tmp_path / "folders" / name, X[part], Y[part])
    for kind in ("tables", "folders"):
        data, _ = load(tmp_path / kind)
        assert len(data.x_train) == 40
        assert {image.tobytes() for image in data.x_test} == {image.tobytes() for image in X[50:]}


def test_images_that_were_read_by_skipping_damaged_ones_are_not_taken_without_that(tmp_path):
    write_folders(tmp_path / "d", X, Y)
    (tmp_path / "d" / "0" / "zz.pgm").write_bytes(b"P5 6 6 255\n123")
    cache = Cache(tmp_path / "cache", pytest.fail)
    skipped = layouts.read(tmp_path / "d", cache, Options(skip_damaged=True))
    assert len(skipped.x_train) + len(skipped.x_test) == 70
    with pytest.raises(InputError, match="1 damaged"):
        layouts.read(tmp_path / "d", cache)


@pytest.mark.parametrize("total", [[10, 10, 10], [50, 30, 21], [7, 2, 91], [5, 5, 1, 1]])
def test_classes_get_the_images_nearest_to_their_shares(total):
    for count in range(2 * len(total), sum(total)):
        exact = np.array(total) * count / sum(total)
        found = _quota(np.array(total), count)
        assert found.sum() == count and (found <= total).all()
        if (exact >= 1).all():
            rest, more = exact - np.floor(exact), found - np.floor(exact)
            assert set(more) <= {0, 1} and rest[more == 1].min(initial=1) >= rest[more == 0].max(initial=0) - 1e-9


def test_a_limit_takes_the_first_images_of_each_class_of_sorted_data(tmp_path):
    order = np.argsort(Y, kind="stable")
    np.savez(tmp_path / "d.npz", x_train=X[order], y_train=Y[order], x_test=X, y_test=Y)
    data, _ = load(tmp_path / "d.npz")
    parts = split(data, Settings(limit=30, val=10))
    for label in range(5):
        first = [image.tobytes() for image in X[order][Y[order] == label]]
        taken = [image.tobytes() for image in parts.train[0][parts.train[1] == label][..., 0]]
        held = [image.tobytes() for image in parts.val[0][parts.val[1] == label][..., 0]]
        assert (taken, held) == (first[:4], first[4:6])


@pytest.mark.parametrize("target", ["1", "2", "3", "-1", "-2", "-3"])
def test_rows_of_the_training_table_are_predicted_without_its_target(tmp_path, target):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in np.random.default_rng(0).normal(size=(21, 3))))
    data = regression.load(str(path), target)
    rows = regression.rows_like(path.read_bytes(), "t.csv", data.facts, target)
    np.testing.assert_array_equal(rows[6::7, ..., 0], data.x_test)
    np.testing.assert_array_equal(np.delete(rows, [6, 13, 20], axis=0)[..., 0], data.x_train)


def test_columns_are_scaled_by_the_rows_that_are_trained_on(tmp_path):
    rows = np.random.default_rng(0).normal(3, 2, (21, 3))
    rows[6::7] += 100  # of the rows to test with
    (tmp_path / "t.csv").write_text("\n".join(",".join(map(str, row)) for row in rows))
    data = regression.load(str(tmp_path / "t.csv"), "2")
    trained = np.delete(rows, [6, 13, 20], axis=0)
    assert data.facts.means == pytest.approx(trained.mean(axis=0)[[0, 2, 1]])
    assert data.facts.deviations == pytest.approx(trained.std(axis=0)[[0, 2, 1]])
    assert data.unit == pytest.approx(trained[:, 1].var())
    parts = split(data, Settings(target="2"))
    assert parts.unit == data.unit


def test_all_images_may_be_asked_for_and_the_held_out_ones_are_of_those(tmp_path):
    np.savez(tmp_path / "d.npz", x_train=X, y_train=Y, x_test=X, y_test=Y)
    data, _ = load(tmp_path / "d.npz")
    assert len(split(data, Settings(limit=len(X), val=0)).train[0]) == len(X)
    with pytest.raises(InputError, match="--limit is 71: expected at most the 70 training images"):
        split(data, Settings(limit=len(X) + 1))
    with pytest.raises(InputError, match="--val is 20: expected fewer than the 20 images"):
        split(data, Settings(limit=20, val=20))
    assert len(split(data, Settings(limit=20, val=19)).train[0]) == 1


@pytest.mark.parametrize("cut", [{"limit": 1}, {"limit": 2}, {"limit": 20, "val": 19}, {}, {"limit": 30}])
def test_classes_that_a_cut_leaves_out_are_counted(tmp_path, cut):
    np.savez(tmp_path / "d.npz", x_train=X, y_train=Y, x_test=X, y_test=Y)
    data, _ = load(tmp_path / "d.npz")
    parts = split(data, Settings(**cut))
    left = len(np.unique(parts.train[1]))
    found = [note for note in parts.notes if f"have {left} of the {data.classes} classes" in note]
    assert len(found) == (left < data.classes)
