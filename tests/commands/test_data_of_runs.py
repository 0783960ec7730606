"""What commands say of the data of a run: names, changed data, other data, tables, folders, bad pictures."""

import csv
import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from commands import settle

from jitnet.cli import main
from jitnet.commands.support.trained_run import _files
from jitnet.data.readers.kinds import is_parquet, is_table, kind_of
from jitnet.errors import InputError

SIDE = 8
NAMES = ("ant", "bee", "cat")


def pictures(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images (count, 8, 8) of three easy classes, and labels (count,)."""
    rng = np.random.default_rng(seed)
    drawn = np.random.default_rng(9).integers(0, 256, (3, SIDE, SIDE))
    labels = np.arange(count) % 3
    return np.clip(drawn[labels] + rng.normal(0, 30, (count, SIDE, SIDE)), 0, 255).astype(np.uint8), labels


def write_folders(root: Path, x, y, names=NAMES) -> None:
    for place, (image, label) in enumerate(zip(x, y)):
        (root / names[label]).mkdir(parents=True, exist_ok=True)
        (root / names[label] / f"{place:03}.pgm").write_bytes(b"P5 8 8 255\n" + image.tobytes())


def write_csv(path: Path, x, y, names=NAMES) -> None:
    head = ",".join(f"p{i}" for i in range(SIDE * SIDE)) + ",label"
    rows = [",".join(map(str, [*image.ravel().tolist(), names[label]])) for image, label in zip(x, y)]
    path.write_text("\n".join([head, *rows]) + "\n")


RECIPE = ("--recipe", "documents", "--hidden", "8", "--init", "he", "--lr", "0.05", "--schedule", "constant",
          "--epochs", "3", "--ui", "quiet")  # fmt: skip


@pytest.fixture
def trained(tmp_path, monkeypatch, capsys):
    settle(monkeypatch, tmp_path)
    x, y = pictures(84)
    write_folders(tmp_path / "pets", x, y)
    write_csv(tmp_path / "pets.csv", x, y)
    assert main(["train", "mlp", *RECIPE, "--data", "pets", "--name", "run"]) == 0
    capsys.readouterr()
    return tmp_path


def read(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text().splitlines()))


def said(capsys, *words: str, code: int = 0) -> tuple[str, str]:
    assert main(list(words)) == code
    return capsys.readouterr()


def test_names_are_shown_and_predict_agrees_with_eval_on_training_pictures(trained, capsys):
    record = json.loads(Path("runs/run/meta.json").read_text())["record"]
    assert record["class_names"] == list(NAMES) and record["kind"] == "class folders"
    out, _ = said(capsys, "predict", "run", "pets")
    lines = [line for line in out.splitlines() if line.startswith("pets/")]
    right = [line.split("/")[1] == line.split(": ")[1].split()[0] for line in lines]
    assert len(lines) == 84 and all(right) and "by runs/run after 3 epochs, trained on pets" in out
    assert "accuracy = 100.00" in said(capsys, "eval", "run")[0]
    shown = said(capsys, "runs", "show", "run")[0]
    assert "ant" in shown and "every seventh image of each class" in shown and "assumed" in shown


def test_one_bad_picture_costs_only_its_own_answer(trained, capsys):
    Path("bad.pgm").write_bytes(b"P5 8 8 255\n123")
    Path("blank.pgm").write_bytes(b"P5 8 8 255\n" + bytes(64))
    out, _ = said(capsys, "predict", "run", "bad.pgm", "pets/ant/000.pgm", "blank.pgm", "none.pgm", code=1)
    assert "pets/ant/000.pgm: ant" in out and "bad.pgm: no answer:" in out and "none.pgm: no answer:" in out
    assert "blank.pgm: no answer: the image is blank" in out and "3 of 4 have no answer" in out


def test_folders_say_what_in_them_is_not_read(trained, capsys):
    Path("pets/notes.txt").write_text("x")
    assert "1 file of pets is not of a kind that is read: notes.txt" in said(capsys, "predict", "run", "pets")[1]
    Path("empty").mkdir()
    assert "empty has no files of pictures at all" in said(capsys, "predict", "run", "empty", code=2)[1]
    np.save("empty/x.npy", np.zeros((8, 8)))
    assert "no files of pictures but x.npy" in said(capsys, "predict", "run", "empty", code=2)[1]


def test_data_of_the_other_polarity_are_named(trained, capsys):
    x = np.zeros((42, 16, 16), np.uint8)
    for place, image in enumerate(x):
        image[3 + 4 * (place % 3) : 6 + 4 * (place % 3), 3:13] = 200 + place
    for name, images in (("light", x), ("dark", 255 - x)):
        np.savez(f"{name}.npz", x=images, y=np.arange(42) % 3)
    assert main(["train", "mlp", *RECIPE, "--data", "light.npz", "--name", "light"]) == 0
    capsys.readouterr()
    assert "dark are dark on light, and those that" in said(capsys, "eval", "light", "--data", "dark.npz")[1]
    assert "dark on light" not in said(capsys, "eval", "light", "--data", "light.npz")[1]


def test_the_content_tells_a_table(trained, capsys):
    text = Path("pets.csv").read_bytes()
    for name, content in {
        "rows": text,
        "rows.gz": gzip.compress(text),
        "r.txt": text.decode().encode("utf-16"),
    }.items():
        Path(name).write_bytes(content)
        assert "1,ant," in said(capsys, "predict", "run", name)[0]
    for name, content in (
        ("page.png", "<html>404</html>"),
        ("scan.pdf", "%PDF-1.4"),
        ("a.json", "[1]"),
        ("a.txt", "hi"),
    ):
        Path(name).write_text(content)
        assert f"{name} is not an image" in said(capsys, "predict", "run", name, code=1)[0]


def test_labels_of_other_data_are_matched_by_name(trained, capsys):
    x, y = pictures(42, seed=1)
    write_csv(Path("other.csv"), x, 2 - y, tuple(reversed(NAMES)))  # the same names, in another order
    out, _ = said(capsys, "eval", "run", "--data", "other.csv")
    assert "on 42 test images" in out and "accuracy = 100.00" in out
    write_csv(Path("strange.csv"), x, y, ("ant", "bee", "dog"))
    _, errors = said(capsys, "eval", "run", "--data", "strange.csv", code=2)
    assert "has the class 'dog', which" in errors and "was not trained on: expected ant, bee, cat" in errors


def test_data_that_changed_are_named(trained, capsys):
    x, y = pictures(84)
    write_folders(Path("pets"), 255 - x[:1], y[:1])
    for command in ("eval", "errors", "trace"):
        out, errors = said(capsys, command, "run")
        assert "is not what runs/run was trained on" in errors and "not the data it was trained on" in out
    _, errors = said(capsys, "resume", "run", "--epochs", "4", "--ui", "quiet", code=2)
    assert "was trained on other data" in errors


def test_a_run_is_found_from_another_folder(trained, capsys, monkeypatch):
    (trained / "elsewhere").mkdir()
    monkeypatch.chdir(trained / "elsewhere")
    assert "accuracy = 100.00" in said(capsys, "eval", "../runs/run")[0]
    (trained / "pets").rename(trained / "gone")
    assert f"(the run was started in {trained})" in said(capsys, "eval", "../runs/run", code=2)[1]


def test_a_table_is_answered_row_by_row(trained, capsys):
    assert main(["train", "mlp", *RECIPE, "--data", "pets.csv", "--name", "table"]) == 0
    out, _ = said(capsys, "predict", "table", "--csv", "pets.csv", "--out", "answers.csv")
    rows = read("answers.csv")
    assert [row["predicted"] for row in rows] == [NAMES[i % 3] for i in range(84)] and "84 rows" in out
    without = [line.rsplit(",", 1)[0] for line in Path("pets.csv").read_text().splitlines()]
    Path("unlabelled.csv").write_text("\n".join(without) + "\n")
    said(capsys, "predict", "table", "unlabelled.csv", "--out", "again.csv")
    assert Path("again.csv").read_text() == Path("answers.csv").read_text()
    said(capsys, "predict", "table", "--csv", "pets.csv", "--out", "kaggle.csv", "--submission")
    lines = Path("kaggle.csv").read_text().splitlines()
    assert lines == ["ImageId,Label", *(f"{i + 1},{NAMES[i % 3]}" for i in range(84))]
    assert "without --out" in said(capsys, "predict", "table", "--csv", "pets.csv", "--submission", code=2)[1]
    said(capsys, "predict", "table", "--csv", "none.csv", code=2)
    assert "nothing is given" in said(capsys, "predict", "table", code=2)[1]


def test_a_regression_predicts_numbers(trained, capsys):
    rng = np.random.default_rng(0)
    inputs = rng.random((140, 2)) * [100, 5]
    prices = inputs @ [2, 30]
    rows = [f"{i},{a:.4f},{b:.4f},{p:.4f}" for i, ((a, b), p) in enumerate(zip(inputs, prices))]
    Path("houses.csv").write_text("\n".join([",size,rooms,price", *rows]) + "\n")
    recipe = ("--hidden", "16", "--init", "he", "--lr", "0.01", "--epochs", "30", "--ui", "quiet")
    assert main(["train", "mlp", *recipe, "--data", "houses.csv", "--target", "price", "--name", "houses"]) == 0
    said(capsys, "predict", "houses", "--csv", "houses.csv", "--out", "prices.csv")
    predicted = [float(row["predicted price"]) for row in read("prices.csv")]
    assert np.sqrt(np.mean((np.array(predicted) - prices) ** 2)) < 0.2 * prices.std()
    swapped = [f"{b:.4f},{a:.4f}" for a, b in inputs]
    Path("new.csv").write_text("\n".join(["rooms,size", *swapped]) + "\n")
    said(capsys, "predict", "houses", "--csv", "new.csv", "--out", "new-prices.csv")
    assert Path("new-prices.csv").read_text() == Path("prices.csv").read_text()


def test_a_training_that_learns_nothing_says_so(trained, capsys):
    words = ("train", "mlp", "--data", "pets", "--hidden", "8", "--lr", "1e-9", "--epochs", "1", "--ui", "plain")
    out, errors = said(capsys, *words)
    (advice,) = (line for line in out.splitlines() if line.startswith("advice: "))
    assert "the network has learnt nothing" in advice and "lr 1e-09, is too low: try lr 0.002" in advice
    assert "learnt nothing" not in errors  # nothing went wrong


def test_sorted_data_are_warned_of(trained, capsys):
    x, y = pictures(84)
    order = np.argsort(y, kind="stable")
    write_csv(Path("sorted.csv"), x[order], y[order])
    words = ("train", "mlp", *RECIPE[:-2], "--data", "sorted.csv", "--val", "12", "--ui", "plain")
    out, errors = said(capsys, *words)
    assert "the last of each class are taken in proportion, 12 in all" in errors and "train with --shuffle" in errors
    assert "12 validation" in out


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes in folders there")
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path):
    for name in ("pipe.csv", "pipe.npz", "pipe.png"):
        os.mkfifo(tmp_path / name)
        for read in (kind_of, is_table, is_parquet):
            with pytest.raises(InputError, match="is not a file"):
                read(tmp_path / name)


def test_a_folder_of_pictures_is_read_once_although_links_lead_back_to_it(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.pgm").write_bytes(b"P5 1 1 255\n0")
    for name in "bcd":
        (tmp_path / "a" / name).symlink_to(tmp_path)
    assert _files(str(tmp_path)) == [str(tmp_path / "a" / "1.pgm")]


def test_a_run_of_an_earlier_version_on_columns_out_of_order_takes_rows_without_names_alone(trained, capsys):
    """It did not sort them, and its record has the beginning of the header alone."""
    meta = json.loads(Path("runs/run/meta.json").read_text())
    names = sorted(f"p{place}" for place in range(SIDE * SIDE))
    for header, refused in ((",".join(["label", *names])[:200], True), ("label,p0,p1,p2,p3,p", False), ("", False)):
        Path("runs/run/meta.json").write_text(json.dumps(meta | {"record": meta["record"] | {"header": header}}))
        for words in (["predict", "run", "--csv", "pets.csv"], ["eval", "run", "--data", "pets.csv"]):
            told = said(capsys, *words, code=2 * refused)[1]
            assert ("expected rows without names, in that order" in told) == refused
    x, _ = pictures(3)
    Path("bare.csv").write_text("\n".join(",".join(map(str, image.ravel().tolist())) for image in x))
    said(capsys, "predict", "run", "--csv", "bare.csv")
