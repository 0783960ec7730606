"""Ink and paper the other way round: warned of wherever images meet a network or another part of their data set."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import settle
from test_data_inputs import load

from jitnet.cli import main

SIDE = 16
LABELS = np.arange(42) % 3


def bars(dark: bool) -> np.ndarray:
    """Bars (42, 16, 16) in three places."""
    x = np.zeros((42, SIDE, SIDE), np.uint8)
    for place, image in enumerate(x):
        image[3 + 4 * (place % 3) : 6 + 4 * (place % 3), 3:13] = 200 + place
    return 255 - x if dark else x


def table(path: Path, x, labels=True, divided=1) -> None:
    head = [",".join(["label"] * labels + [f"p{i}" for i in range(SIDE * SIDE)])]
    rows = [[*([label] * labels), *row] for row, label in zip((x / divided).reshape(len(x), -1).tolist(), LABELS)]
    path.write_text("\n".join([*head, *(",".join(f"{value:g}" for value in row) for row in rows)]) + "\n")


def npz(folder, train, test):
    np.savez(folder / "t.npz", x_train=train, y_train=LABELS, x_test=test, y_test=LABELS)
    return folder / "t.npz"


def csv(folder, train, test):
    table(folder / "t_train.csv", train)
    table(folder / "t_test.csv", test)
    return folder


def folders(folder, train, test):
    for part, images in (("train", train), ("test", test)):
        for place, (image, label) in enumerate(zip(images, LABELS)):
            (folder / part / f"c{label}").mkdir(parents=True, exist_ok=True)
            (folder / part / f"c{label}" / f"{place}.pgm").write_bytes(b"P5 16 16 255\n" + image.tobytes())
    return folder


def colours(folder, train, test):
    return npz(folder, *(np.repeat(images[..., None], 3, axis=3) for images in (train, test)))


@pytest.mark.parametrize("write", [npz, csv, folders, colours])
@pytest.mark.parametrize("dark", [(False, True), (True, False), (False, False), (True, True)])
def test_the_parts_of_a_data_set_are_compared(tmp_path, write, dark):
    data, said = load(write(tmp_path, *map(bars, dark)))
    noted = [each for each in said if "invert one part" in each]
    names = ["dark on light" if each else "light on dark" for each in dark]
    assert len(noted) == (dark[0] != dark[1]) and all(f"are {names[1]}, and its training" in each for each in noted)
    assert data.record.polarity == names[0] and set(noted) <= set(data.facts.notes)


@pytest.fixture
def trained(tmp_path, monkeypatch, capsys):
    settle(monkeypatch, tmp_path)
    np.savez("light.npz", x=bars(False), y=LABELS)
    words = ("--hidden", "8", "--epochs", "1", "--ui", "quiet", "--data", "light.npz", "--name", "run")
    assert main(["train", "mlp", *words]) == 0
    capsys.readouterr()
    return json.loads(Path("runs/run/meta.json").read_text())


@pytest.mark.parametrize("divided", [1, 255])
@pytest.mark.parametrize("given", [False, True])
def test_rows_of_the_other_polarity_are_warned_of(trained, capsys, divided, given):
    if given:  # as `fit` of fractions describes them
        scale = trained["record"]["scale"] | {"full": 1.0, "whole": False, "dtype": "float64"}
        record = trained["record"] | {"kind": "arrays", "scale": scale}
        Path("runs/run/meta.json").write_text(json.dumps(trained | {"record": record}))
    for dark in (False, True):
        table(Path("t.csv"), bars(dark), labels=False, divided=divided)
        if given and divided == 1:
            continue
        assert main(["predict", "run", "--csv", "t.csv"]) == 0
        said = capsys.readouterr().err
        assert ("the rows of t.csv are dark on light, and the training images were light on dark" in said) == dark
