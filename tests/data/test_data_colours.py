"""Pictures with colours: predicted as a network was trained, which sees their colours or greys."""

import numpy as np
import pytest
from commands import settle

from jitnet.cli import main
from jitnet.data import load
from jitnet.data.pictures.adapt import adapt
from jitnet.data.pictures.style import AS_IS, measure
from jitnet.data.readers.images import read_levels
from jitnet.data.record import DataRecord
from jitnet.errors import InputError

SIDE = 8
PENS = {"red": (220, 40, 40), "green": (30, 102, 30), "blue": (60, 60, 250)}  # of about one luminance


def squares(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 8, 8, 3) of three classes that differ in their colour alone, and the names of these."""
    rng = np.random.default_rng(0)
    names = np.array(list(PENS))[np.arange(count) % 3]
    x = np.array([PENS[name] for name in names])[:, None, None] + rng.normal(0, 12, (count, SIDE, SIDE, 3))
    return np.clip(x, 0, 255).astype(np.uint8), names


ARRAYS = [  # shape, shape of the network's images, what is read: how many, or words of the refusal
    ((5, 8, 8), (8, 8, 1), 5),
    ((5, 8, 8, 1), (8, 8, 1), 5),
    ((8, 8), (8, 8, 1), 1),
    ((8, 8, 1), (8, 8, 1), 1),
    ((1, 8, 8), (8, 8, 1), 1),
    ((64,), (8, 8, 1), 1),
    ((5, 64), (8, 8, 1), 5),
    ((64, 1), (8, 8, 1), 1),
    ((8, 8, 5), (8, 8, 1), "along the last axis"),
    ((5, 1, 8, 8), (8, 8, 1), "save x[:, 0]"),
    ((8, 8, 3), (8, 8, 1), "colours become grey by"),
    ((5, 8, 8, 4), (8, 8, 1), "colours become grey by"),
    ((5, 8, 8, 3), (8, 8, 3), 5),
    ((8, 8, 3), (8, 8, 3), 1),
    ((192,), (8, 8, 3), 1),
    ((5, 192), (8, 8, 3), 5),
    ((5, 8, 8), (8, 8, 3), "trained on 3 channels"),
    ((8, 8), (8, 8, 3), "trained on 3 channels"),
    ((5, 8, 8, 1), (8, 8, 3), "expected one image (H, W, 3)"),
    ((5, 3, 8, 8), (8, 8, 3), "the channels come last"),
    ((3, 8, 8), (8, 8, 3), "the channels come last"),
    ((5, 8, 8, 4), (8, 8, 3), "expected one image (H, W, 3)"),
    ((5, 64), (8, 8, 3), "rows of 192 numbers"),
]


@pytest.mark.parametrize("case", ARRAYS, ids=str)
def test_arrays_have_the_channels_of_the_training(tmp_path, case):
    shape, image, expected = case
    values = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    np.save(tmp_path / "x.npy", values)
    if isinstance(expected, str):
        with pytest.raises(InputError) as caught:
            read_levels(tmp_path / "x.npy", image)
        assert expected in str(caught.value) and str(shape) in str(caught.value)
        return
    found = [levels for _, levels in read_levels(tmp_path / "x.npy", image)]
    assert len(found) == expected
    assert {levels.shape for levels in found} == {image if image[2] > 1 else image[:2]}
    np.testing.assert_array_equal(np.ravel(found), values.ravel())


def test_greys_in_three_channels_are_greys(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (5, 8, 8)).astype(np.uint8)
    np.save(tmp_path / "x.npy", np.repeat(grey[..., None], 3, axis=3))
    found = [levels for _, levels in read_levels(tmp_path / "x.npy", (8, 8, 1))]
    np.testing.assert_array_equal(found, grey)
    drawn = np.zeros((9, 28, 28), np.uint8)
    drawn[:, 4:24, 8:20] = 200
    assert measure(np.repeat(drawn[..., None], 3, axis=3)) == measure(drawn) and measure(drawn)[0].prepared
    assert measure(drawn[..., None] * np.array([1, 0, 1], np.uint8))[0] == AS_IS


def test_the_channels_of_picture_files(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    grey, colours = np.full((4, 4), 70, np.uint8), squares(1)[0][0]
    clear = np.dstack([colours, np.where(np.arange(SIDE) > 3, 255, 0) * np.ones((SIDE, 1))]).astype(np.uint8)

    def read(array, channels, mode=None):
        image = pillow.fromarray(array)
        (image.convert(mode) if mode else image).save(tmp_path / "x.png")
        return read_levels(tmp_path / "x.png", (*array.shape[:2], channels))[0][1]

    np.testing.assert_array_equal(read(colours, 3), colours)
    np.testing.assert_array_equal(read(grey, 3), np.full((4, 4, 3), 70))
    np.testing.assert_array_equal(read(grey, 4), np.broadcast_to([70, 70, 70, 255], (4, 4, 4)))
    np.testing.assert_array_equal(read(clear, 4), clear)
    np.testing.assert_array_equal(read(clear, 3), np.where(clear[..., 3:] > 0, colours, 255))  # over white
    assert read(colours, 1).shape == (8, 8) and read(clear, 2).shape == (8, 8, 2)
    (tmp_path / "x.pgm").write_bytes(b"P5 4 4 255\n" + grey.tobytes())
    np.testing.assert_array_equal(
        read_levels(tmp_path / "x.pgm", (4, 4, 2))[0][1], np.broadcast_to([70, 255], (4, 4, 2))
    )
    pillow.fromarray(grey.astype(np.uint16) * 200).save(tmp_path / "deep.png")
    with pytest.raises(InputError, match="more than 8 bits"):
        read_levels(tmp_path / "deep.png", (4, 4, 3))


def test_colours_are_resized_as_greys_are():
    large = np.kron(squares(1)[0][0], np.ones((3, 3, 1), np.uint8))
    found = adapt(large, DataRecord(kind="npz", channels=3), SIDE, SIDE, "x", drawn=True)
    np.testing.assert_array_equal(found.image, large[::3, ::3])
    assert found.notes == ["resized from 24 x 24 pixels"]


def test_a_run_on_colours_predicts_pictures_with_colours(tmp_path, monkeypatch, capsys):
    pillow = pytest.importorskip("PIL.Image")
    settle(monkeypatch, tmp_path)
    x, names = squares(84)
    np.savez("squares.npz", x=x, y=names)
    recipe = ("--hidden", "8", "--epochs", "20", "--ui", "quiet")
    assert main(["train", "mlp", *recipe, "--data", "squares.npz", "--name", "run"]) == 0
    capsys.readouterr()
    np.save("new.npy", x[:6])
    for place, image in enumerate(x[:6]):
        pillow.fromarray(image).resize((80, 80)).save(f"{place}.png")
    assert main(["predict", "run", *(f"{place}.png" for place in range(6)), "new.npy", "--show-steps"]) == 0
    out = capsys.readouterr().out
    answers = [line.split(": ")[1].split()[0] for line in out.splitlines() if line.startswith(tuple("012345n"))]
    assert answers == [*names[:6], *names[:6]] and "resized from 80 x 80 pixels" in out


def test_colours_that_become_grey_are_mentioned(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    x, names = squares(42)
    for folder, images in (("colours", x), ("tinted", x.mean(axis=3).astype(np.uint8)[..., None] // 2 + [20, 10, 0])):
        for place, (image, name) in enumerate(zip(images.astype(np.uint8), names)):
            (tmp_path / folder / name).mkdir(parents=True, exist_ok=True)
            pillow.fromarray(image).save(tmp_path / folder / name / f"{place:02}.png")
        said = []
        load(tmp_path / folder, warn=said.append)
        assert any("have colours, which become grey" in each for each in said) == (folder == "colours"), said
