"""Pictures as greys or channels: luminance, transparency, pages, what a file's kind says, and what is resized."""

import numpy as np
import pytest
from image_files import read_images
from test_data_images import GREY, saved

from jitnet.data.pictures.adapt import adapt
from jitnet.data.pictures.resize import enlarged
from jitnet.data.pixels import Scale
from jitnet.data.readers import idx, images, levels, npy, pgm
from jitnet.data.record import DataRecord
from jitnet.errors import InputError

FOLDERS = DataRecord(kind="class folders", image=(8, 12))


def rgba(colours, opacity=255) -> np.ndarray:
    return np.concatenate([np.broadcast_to(colours, (4, 4, 3)), np.full((4, 4, 1), opacity)], axis=2).astype(np.uint8)


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (9, 200, 130)])
def test_a_grey_is_the_luminance_of_its_colour(colour):
    """ITU-R 601, to the nearest."""
    expected = round(float(np.dot(colour, (0.299, 0.587, 0.114))))
    assert (levels.grey(rgba(colour)) == expected).all()
    assert (levels.channels(rgba(colour), 2, "f") == (expected, 255)).all()


@pytest.mark.parametrize("opacity", [0, 1, 100, 254, 255])
def test_what_is_half_transparent_is_mixed_with_white_paper(opacity):
    picture = rgba((30, 100, 200), opacity)
    expected = np.rint(255 + (np.array([30, 100, 200]) - 255) * opacity / 255)
    assert (levels.channels(picture, 3, "f") == expected).all()
    assert (levels.channels(picture, 4, "f") == picture).all()
    assert (levels.channels(picture, 2, "f")[..., 1] == opacity).all()


def test_white_ink_on_nothing_is_seen_on_black():
    for ink, seen in ((255, 255), (240, 240), (225, 30), (0, 255)):  # what shows on white is laid over white
        picture = rgba((ink,) * 3, 0)
        picture[1, 1, 3] = 255
        assert int(np.ptp(levels.grey(picture))) == (seen if ink > 230 else 255 - ink)


def test_colours_of_one_luminance_are_told_apart():
    picture = rgba((200, 0, 0))
    picture[1, 1, :3] = (0, 102, 0)
    assert int(np.ptp(levels.grey(picture))) > 90


def test_the_preview_in_a_photograph_is_no_picture(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    large, small = (pillow.fromarray(np.kron(GREY, np.ones((side, side), np.uint8))) for side in (8, 4))
    path = saved(tmp_path, large, "MPO", save_all=True, append_images=[small])
    [(name, image)] = images.read_levels(path)
    assert name == str(path) and image.shape == (48, 40)


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_is_turned_as_it_says(tmp_path, turn):
    pillow = pytest.importorskip("PIL.Image")
    exif = pillow.Exif()
    exif[0x0112] = turn
    path = saved(tmp_path, pillow.fromarray(GREY), "PNG", exif=exif)
    swapped = GREY.T if turn > 4 else GREY
    rows, columns = (slice(None, None, -1 if turn in turns else 1) for turns in ((3, 4, 7, 8), (2, 3, 6, 7)))
    np.testing.assert_array_equal(images.read_levels(path)[0][1], swapped[rows, columns])


def test_a_grey_that_is_transparent_is_paper(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    path = saved(tmp_path, pillow.fromarray(GREY), "PNG", transparency=int(GREY[2, 2]))
    expected = GREY.copy()
    expected[2, 2] = 255
    np.testing.assert_array_equal(images.read_levels(path)[0][1], expected)


def test_pages_have_together_no_more_pixels_than_a_few_photographs(tmp_path, monkeypatch):
    pillow = pytest.importorskip("PIL.Image")
    monkeypatch.setattr(levels, "LARGEST", 30)
    pages = [pillow.fromarray(GREY[:, :5] + place) for place in range(6)]  # of 30 pixels each
    assert len(images.read_levels(saved(tmp_path, pages[0], "TIFF", save_all=True, append_images=pages[1:5]))) == 5
    with pytest.raises(InputError, match="holds 6 pictures of 5 x 6 pixels: expected at most 150 pixels in all"):
        images.read_levels(saved(tmp_path, pages[0], "TIFF", save_all=True, append_images=pages[1:]))


def test_pgm_levels_become_the_nearest_byte():
    assert pgm.decode(b"P2 4 1 7\n0 1 3 7", "f").tolist() == [[0, 36, 109, 255]]  # 1/7 is 36.4, 3/7 is 109.3
    assert pgm.decode(b"P2 3 1 15\n1 8 15", "f").tolist() == [[17, 136, 255]]
    assert pgm.decode(b"P2 2 1 4\n1 3", "f").tolist() == [[64, 191]]


def test_images_of_one_file_have_one_scale(tmp_path):
    values = np.stack([np.full((4, 4), 16), np.full((4, 4), 400)]).astype(np.uint16)
    np.save(tmp_path / "x.npy", values)
    found = [int(image[0, 0]) for _, image in read_images(tmp_path / "x.npy")]
    assert found == [round(16 / 1023 * 255), round(400 / 1023 * 255)]


def test_images_with_colours_may_be_idx_and_npy_of_any_version(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3)).astype(np.uint8)
    header = bytes((0, 0, 8, 4)) + np.array(colours.shape, ">u4").tobytes()
    np.testing.assert_array_equal(idx.decode(header + colours.tobytes(), "f"), colours)
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array(file, colours, version=(2, 0))
    np.testing.assert_array_equal(npy.read_path(tmp_path / "x.npy"), colours)


def coloured(share: float, tint: int) -> np.ndarray:
    """A picture (10, 100, 3) of greys, of which a share has a channel that much above the others."""
    picture = np.full((1000, 3), 100, np.uint8)
    picture[: round(share * 1000), 0] += tint
    return picture.reshape(10, 100, 3)


@pytest.mark.parametrize(("share", "tint", "said"), [(0.03, 60, True), (0.01, 155, False), (1.0, 40, False)])
def test_colours_are_said_from_a_fiftieth_of_the_pixels_on(tmp_path, share, tint, said):
    pillow = pytest.importorskip("PIL.Image")
    grey, colours = (saved(tmp_path, pillow.fromarray(coloured(of, tint)), "PNG").read_bytes() for of in (0, share))
    found: list[str] = []
    for name, content in (("a", grey), ("b", colours), ("c", grey)):
        images.decode(content, name, coloured=found)
    assert found == ["b"] * said and len(images.colour_note(found, "f")) == said


def test_a_picture_of_another_size_keeps_its_proportion():
    image = np.random.default_rng(0).integers(0, 256, (8, 12)).astype(np.uint8)
    large = np.kron(image, np.ones((3, 3), np.uint8))
    found = adapt(large, FOLDERS, 8, 12, "p", True)
    np.testing.assert_array_equal(found.image, image)
    assert found.notes == ["resized from 36 x 24 pixels"]
    assert adapt(large[:22], FOLDERS, 8, 12, "p", True).image.shape == (8, 12)
    for cut in (large[:20], large[:, :30], large[:, :24]):
        with pytest.raises(InputError, match=f"has {cut.shape[1]} x {cut.shape[0]} pixels: expected 12 x 8"):
            adapt(cut, FOLDERS, 8, 12, "p", True)


@pytest.mark.parametrize("level", [0, 77, 255])
@pytest.mark.parametrize("size", [(8, 12), (16, 24)])
def test_a_blank_picture_is_no_picture_of_anything(level, size):
    with pytest.raises(InputError, match=f"blank .all grey levels are {level}."):
        adapt(np.full(size, level, np.uint8), FOLDERS, 8, 12, "p", True)


def test_resized_levels_are_the_nearest():
    image = np.zeros((16, 24), np.uint8)
    image[::2, ::2] = 7  # a mean of 1.75
    image[:2, :2] = 255
    assert adapt(image, FOLDERS, 8, 12, "p", True).image[4, 4] == 2


def test_a_deep_picture_follows_the_scale_of_the_folders_that_it_is_like():
    levels = np.arange(96).reshape(8, 12).astype(np.uint16) * 10
    deep = Scale(4095.0, 0, 4000, True, "uint16")
    found = adapt(levels, DataRecord(kind="class folders", scale=deep), 8, 12, "p", True)
    np.testing.assert_array_equal(found.image, np.rint(levels * (255 / 4095)))
    found = adapt(levels, DataRecord(kind="CSV", scale=deep), 8, 12, "p", True)
    np.testing.assert_array_equal(found.image, np.rint(levels * (255 / 1023)))
    assert any("divided by 1023" in note for note in found.notes)


def test_a_picture_does_not_say_what_numbers_of_a_program_it_is():
    for scale in (Scale(1.0, -1, 1, False, "float64"), Scale(9.0, 0, 9, False, "float64")):
        with pytest.raises(InputError, match="a picture does not say how its pixels become such numbers"):
            adapt(GREY, DataRecord(kind="arrays", scale=scale), 6, 5, "p", True)


def test_an_enlarged_image_keeps_its_ends_and_its_middle():
    small = np.array([[0.0, 10.0], [20.0, 30.0]], np.float32)
    large = enlarged(small, 8, 6)
    assert (large[0, 0], large[0, -1], large[-1, 0], large[-1, -1]) == (0, 10, 20, 30)
    np.testing.assert_allclose(large + large[::-1, ::-1], 30, atol=1e-5)
