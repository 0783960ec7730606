"""Data in Parquet files and Hugging Face's data sets, where their packages are installed."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from jitnet.data import load
from jitnet.data.readers import parquet as reader
from jitnet.data.readers.parquet import as_csv
from jitnet.errors import InputError
from jitnet.integrations.datasets import to_arrays

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.integers(0, 256, (60, 5, 4), dtype=np.uint8), np.arange(60) % 3
NAMES = ["cat", "dog", "emu"]


def png(image):
    content = io.BytesIO()
    pytest.importorskip("PIL.Image").fromarray(image).save(content, "PNG")
    return content.getvalue()


def write(path, images, labels, **more):
    """Write a file as Hugging Face does: a structure of bytes and path, names of the classes in the metadata."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [{"bytes": png(image), "path": None} for image in images]
    table = arrow.table({"image": rows, "label": [int(label) for label in labels]} | more)
    features = {"info": {"features": {"label": {"names": NAMES, "_type": "ClassLabel"}}}}
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), path)


def test_pictures_in_rows_with_the_names_of_their_classes(tmp_path):
    write(tmp_path / "train-00000-of-00001.parquet", IMAGES[:40], LABELS[:40])
    write(tmp_path / "test-00000-of-00001.parquet", IMAGES[40:], LABELS[40:])
    for path in (tmp_path, tmp_path / "train-00000-of-00001.parquet"):
        data = load(path, offline=True, warn=lambda message: None)
        assert (data.x_train == IMAGES[:40]).all() and (data.x_test == IMAGES[40:]).all()
        assert data.class_names == tuple(NAMES) and (data.y_test == LABELS[40:]).all()
        assert data.facts.kind == "Parquet" and data.facts.label_column == "label"


@pytest.mark.parametrize("place", [0, 7, 59])
def test_a_picture_with_colours_is_found_in_any_row(tmp_path, place):
    images = [np.repeat(image[..., None], 3, axis=2) for image in IMAGES]
    images[place] = images[place] * [1, 0, 0] | [200, 0, 0]
    write(tmp_path / "t.parquet", [image.astype(np.uint8) for image in images], LABELS)
    said: list[str] = []
    load(tmp_path / "t.parquet", offline=True, warn=said.append)
    assert any(f"become grey (1 of them, first {tmp_path / 't.parquet'}, row {place + 1})" in each for each in said)


def test_a_table_of_pixels_is_read_as_its_csv_would_be(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    images = RNG.integers(0, 256, (60, 5, 5), dtype=np.uint8)
    columns = {"label": LABELS} | {f"pixel{n}": column for n, column in enumerate(images.reshape(60, 25).T)}
    parquet.write_table(arrow.table(columns), tmp_path / "digits.parquet")
    lines = [",".join(columns), *(",".join(map(str, (n, *i.ravel()))) for n, i in zip(LABELS, images))]
    (tmp_path / "digits.csv").write_text("\n".join(lines))
    (tmp_path / "digits.parquet").rename(tmp_path / "digits.bin")  # the content tells its kind
    ours, csv = (load(tmp_path / f"digits.{end}", offline=True, warn=lambda m: None) for end in ("bin", "csv"))
    assert ours.sha256 == csv.sha256 and ours.facts.kind == "Parquet"
    rows = [line.replace('"', "") for line in as_csv(tmp_path / "digits.bin").decode().splitlines()]
    assert rows == lines


def test_what_cannot_be_read_is_said(tmp_path, monkeypatch):
    path = tmp_path / "x.parquet"
    write(path, IMAGES, LABELS, fine_label=[0] * 60)
    with pytest.raises(InputError, match=r"columns .label. and .fine_label.: .* --label COLUMN"):
        load(path, offline=True)
    with pytest.raises(InputError, match="has pictures in the column 'image': expected a table"):
        as_csv(path)
    assert load(path, offline=True, label="label", warn=lambda message: None).classes == 3
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="is not a usable Parquet file"):
        load(path, offline=True)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"needs pyarrow: pip install 'jitnet\[parquet\]', or export it as CSV"):
        load(path, offline=True)


def test_a_parquet_file_without_pyarrow_is_named(tmp_path, monkeypatch):
    (tmp_path / "x.parquet").write_bytes(b"PAR1" + bytes(99))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="needs pyarrow"):
        load(tmp_path / "x.parquet", offline=True)


@pytest.mark.filterwarnings("ignore")
def test_a_data_set_of_hugging_face_becomes_arrays(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)})
    rows = {"image": [{"bytes": png(image), "path": None} for image in IMAGES], "label": LABELS.tolist()}
    made = datasets.Dataset.from_dict(rows, features=features)
    x, y = to_arrays(made)
    assert (x == IMAGES).all() and y.tolist() == [NAMES[label] for label in LABELS]
    with pytest.raises(InputError, match="no column 'digit': expected one of image, label"):
        to_arrays(made, label="digit")
    with pytest.raises(InputError, match="has the splits train"):
        to_arrays(datasets.DatasetDict({"train": made}))


class Columns(dict):
    """What the reader needs of pyarrow's table: columns by name, of which `image` holds pictures."""

    class Schema(list):
        @property
        def metadata(self):
            return {b"huggingface": json.dumps({"info": {"features": {"label": {"names": NAMES}}}}).encode()}

    class Structure(SimpleNamespace):
        num_fields = 2

        def __str__(self):
            return "struct<bytes: binary, path: string>"

        def field(self, place):
            return SimpleNamespace(name=("bytes", "path")[place])

    @property
    def column_names(self):
        return list(self)

    @property
    def schema(self):
        kinds = {name: self.Structure() if name == "image" else "int64" for name in self}
        return self.Schema(SimpleNamespace(name=name, type=kind) for name, kind in kinds.items())

    def column(self, name):
        return SimpleNamespace(to_pylist=lambda: self[name])


def pgm(image):
    return {"bytes": b"P5 %d %d 255\n" % image.shape[::-1] + image.tobytes(), "path": None}


@pytest.mark.parametrize("unknown", [-1, 3, None])
def test_a_row_without_a_class_is_not_of_the_last_one(tmp_path, monkeypatch, unknown):
    """Hugging Face's data sets have -1 where the class is not known."""
    labels = [0, 2, 1, unknown, 0]
    table = Columns(image=[pgm(image) for image in IMAGES[:5]], label=labels)
    monkeypatch.setattr(reader, "_table", lambda path: table)
    with pytest.raises(InputError, match=f"has the label {unknown} in row 4: expected one from 0 to"):
        reader.read_path(tmp_path / "x.parquet")
    rows = SimpleNamespace(column_names=["image", "label"], features={"label": SimpleNamespace(names=NAMES)})
    rows.with_format = lambda kind: {"image": IMAGES[:5], "label": labels}
    with pytest.raises(InputError, match=f"has the label {unknown} in row 4"):
        to_arrays(rows)
    labels[3] = 1
    assert reader.read_path(tmp_path / "x.parquet").labels.tolist() == ["cat", "emu", "dog", "dog", "cat"]
    assert to_arrays(rows)[1].tolist() == ["cat", "emu", "dog", "dog", "cat"]


@pytest.mark.parametrize("unknown", [-1, None])
def test_pictures_of_which_no_class_is_known_have_no_labels(tmp_path, monkeypatch, unknown):
    table = Columns(image=[pgm(image) for image in IMAGES[:5]], label=[unknown] * 5)
    monkeypatch.setattr(reader, "_table", lambda path: table)
    found = reader.read_path(tmp_path / "x.parquet")
    assert found.labels is None and (found.pixels == IMAGES[:5]).all()


def test_a_row_without_a_picture_is_named(tmp_path, monkeypatch):
    table = Columns(image=[pgm(IMAGES[0]), None, {"bytes": None, "path": "a.png"}], label=[0, 1, 2])
    monkeypatch.setattr(reader, "_table", lambda path: table)
    for row in (2, 3):
        with pytest.raises(InputError, match=f"x.parquet, row {row} "):
            reader.read_path(tmp_path / "x.parquet")
        table["image"][1] = pgm(IMAGES[1])
