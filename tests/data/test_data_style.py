"""How the pictures of a data set were drawn and placed, and that others are drawn and placed so."""

import dataclasses
import json

import numpy as np
import pytest

from jitnet.data.pictures.adapt import adapt
from jitnet.data.pictures.prepare import centred
from jitnet.data.pictures.shapes import drawing, pieces
from jitnet.data.pictures.style import AS_IS, MNIST, in_style, measure, placement, presumed
from jitnet.data.record import DataRecord

RNG = np.random.default_rng(0)


def flags(count: int = 40, tall: int = 20, wide: int = 12, side: int = 28, top: int | None = None) -> np.ndarray:
    """Images (count, side, side) of an L as tall and wide, its box in the middle, its mass at the left and below."""
    images = np.zeros((count, side, side), np.uint8)
    top, left = (side - tall) // 2 if top is None else top, (side - wide) // 2
    images[:, top : top + tall, left : left + 3] = 255
    images[:, top + tall - 3 : top + tall, left : left + wide] = 255
    return images


def box(image: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = (np.flatnonzero((image > 64).any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def photograph(light: bool) -> np.ndarray:
    large = np.kron(flags(1, 20, 12)[0, :, 6:22], np.ones((8, 8), np.uint8))
    large = np.pad(large, ((0, 40), (0, 100)))
    return large if light else 255 - large


@pytest.mark.parametrize("light", [True, False])
@pytest.mark.parametrize("tall", [14, 18, 22])
def test_pictures_become_as_large_as_those_of_the_training_and_their_boxes_are_in_the_middle(light, tall):
    images = flags(tall=tall)
    style, polarity = measure(images if light else 255 - images)
    assert style.prepared and not style.by_mass and style.light is light
    assert (style.side, style.shortest, style.longest) == (tall, tall, tall)
    assert style.text == f"ink {tall} pixels long, centred by its box" and polarity
    record = DataRecord(kind="npz", style=style, image=(28, 28))
    found = adapt(photograph(True), record, 28, 28, "p", True).image
    top, left, bottom, right = box(found if light else 255 - found)
    assert bottom - top == tall and abs(top + bottom - 28) <= 1 and abs(left + right - 28) <= 1


def test_the_mass_or_the_box_is_in_the_middle():
    images = np.roll(flags(), (-3, 3), (1, 2))  # the mass, not the box
    sides, places, boxes = placement(images, True)
    assert sides.tolist() == [20] * 40 and places.max() < boxes.min() == 3
    assert measure(images)[0].by_mass and MNIST.text == "ink 20 pixels long, centred by mass"
    assert placement(flags(), True)[2].max() == 0


def test_a_blank_image_has_no_size_and_is_in_its_place():
    images = flags()
    images[3] = 0
    assert [each[3] for each in placement(images, True)] == [0, 0, 0]
    style, _ = measure(images)
    assert style.prepared and (style.shortest, style.side, style.longest) == (0, 20, 20)


def test_a_wide_character_is_as_long_as_it_is_wide():
    assert measure(flags().swapaxes(1, 2))[0].side == 20


@pytest.mark.parametrize(("share", "prepared"), [(0.05, True), (0.2, False)])
def test_few_pictures_may_have_another_size_or_place(share, prepared):
    other = round(40 * share)
    sizes, places = flags(), flags()
    sizes[:other] = flags(other, tall=12)
    places[:other] = flags(other, top=0)
    assert [measure(images)[0].prepared for images in (sizes, places)] == [prepared] * 2


@pytest.mark.parametrize("other", [1, 6])
def test_paper_is_plain_in_almost_all_pictures(other):
    images = np.maximum(flags(100), np.where(np.arange(100) < other, 40, 0).astype(np.uint8)[:, None, None])
    assert measure(images)[0].prepared is (other == 1)


@pytest.mark.parametrize(("lighter", "polarity"), [(95, "light on dark"), (80, ""), (5, "")])
def test_the_polarity_is_that_of_nine_in_ten_pictures(lighter, polarity):
    images = np.full((100, 28, 28), 100, np.uint8)
    images[:, 10:18, 10:18] = np.where(np.arange(100) < lighter, 200, 0)[:, None, None]
    assert measure(images)[1] == polarity
    assert measure(255 - images)[1] == ("dark on light" if polarity else "")


def test_pictures_without_room_around_them_are_taken_as_they_are():
    assert measure(flags(tall=25))[0].prepared and measure(flags(tall=26))[0] == AS_IS


def test_pictures_of_an_old_run_are_as_mnist_has_them_unless_they_are_small():
    assert presumed(16, 16) == presumed(28, 28) == MNIST and presumed(28, 15) == presumed(8, 28) == AS_IS


def test_a_picture_is_taken_as_it_is_only_if_paper_size_and_place_agree():
    image = flags(1)[0]
    style = dataclasses.replace(MNIST, by_mass=False, farthest=5.0)
    np.testing.assert_array_equal(in_style(image, style), image)
    assert in_style(255 - image, style) is None
    assert in_style(np.maximum(image, 17), style) is None
    assert in_style(flags(1, 21)[0], style) is None
    assert in_style(image, dataclasses.replace(style, farthest=1.0)) is None  # only by mass is it moved
    assert in_style(image, dataclasses.replace(style, light=False)) is None
    np.testing.assert_array_equal(in_style(255 - image, dataclasses.replace(style, light=False)), 255 - image)


@pytest.mark.parametrize("light", [True, False])
def test_the_faint_edge_of_ink_moves_with_it(light):
    image = np.zeros((28, 28), np.uint8)
    image[6:23, 10:19] = 255  # the middle is pixel 14 both ways
    image[5, 10:19] = image[23, 10:19] = 40
    style = dataclasses.replace(MNIST, light=light)
    placed, moved = (each if light else 255 - each for each in (image, np.roll(image, (4, -5), (0, 1))))
    np.testing.assert_array_equal(in_style(moved, style), placed)


def test_ink_that_fills_the_picture_is_doubtful():
    for wide, doubtful in ((15, False), (17, True)):  # a plus with so wide arms, of almost half of the area
        grey = np.zeros((100, 100), np.uint8)
        grey[5:95, 50 - wide : 50 + wide] = grey[50 - wide : 50 + wide, 5:95] = 255
        assert centred(grey, 28, 28).notes == ["the ink fills the picture"] * doubtful


@pytest.mark.parametrize(("height", "width"), [(28, 28), (28, 56), (56, 28), (42, 28)])
def test_a_drawing_has_the_share_of_the_smaller_side_that_mnists_have(height, width):
    top, left, bottom, right = box(centred(photograph(True), height, width).image)
    assert max(bottom - top, right - left) == round(min(height, width) * 20 / 28)


def test_a_thin_line_becomes_as_thick_as_a_pen():
    grey = np.zeros((140, 140), np.uint8)
    grey[20:120, [20, 119]] = grey[[20, 119], 20:120] = 255
    assert centred(grey, 28, 28).image.sum() / 255 > 80 * 1.2  # pixels of a square of 20 on 20


def ink(*squares: tuple[int, int, int]) -> np.ndarray:
    """Strength (40, 40) of squares, each by top, left and side."""
    strength = np.zeros((40, 40), np.float32)
    for top, left, side in squares:
        strength[top : top + side, left : left + side] = 200
    return strength


def test_pieces_meet_at_corners_and_the_heaviest_is_first():
    found = pieces(ink((5, 5, 4), (9, 9, 6), (30, 30, 5)), 100)
    assert [int(each.sum()) for each in found] == [16 + 36, 25]
    found = pieces(ink((5, 5, 4), (9, 10, 6)), 100)
    assert [int(each.sum()) for each in found] == [36, 16]


def test_dust_and_what_crosses_the_border_are_no_part_of_a_drawing():
    main = (10, 10, 20)
    for other, kept in (((5, 5, 3), False), ((3, 3, 5), True), ((0, 30, 8), False), ((33, 30, 7), False)):
        mask, several = drawing(ink(main, other), 100)
        assert bool(mask[other[0] + 1, other[1] + 1]) is kept and mask[20, 20] and not several


def test_a_drawing_may_touch_the_border_itself():
    mask, _ = drawing(ink((0, 10, 20), (30, 0, 8)), 100)
    assert mask[0, 10] and mask[31, 1]


def test_several_drawings_stand_apart_and_are_alike_in_height_and_weight():
    seconds = {(10, 25, 12): True, (10, 21, 12): True, (10, 18, 12): False, (10, 25, 5): False}
    for second, several in seconds.items():
        assert drawing(ink((10, 5, 12), second), 100)[1] is several, second
    line = ink((10, 5, 12))
    line[14:18, 20:39] = 200  # heavy, and not as tall as a character
    assert not drawing(line, 100)[1]


@pytest.mark.parametrize("light", [True, False])
@pytest.mark.parametrize("top", [5, 23, 40, 63, 64, 70, 100, 127, 128, 255])
def test_images_of_any_strength_have_a_record_that_reads_back(light, top):
    """Pale ink is not measured: a tenth of a stroke would be taken for the drawing."""
    images = flags() // 255 * np.uint8(top)
    style, polarity = measure(images if light else 255 - images)
    assert style.prepared == (top >= 128) and polarity == ("light on dark" if light else "dark on light")
    record = DataRecord(kind="npz", style=style, image=(28, 28))
    assert DataRecord.from_dict(json.loads(json.dumps(record.as_dict()))) == record


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_the_depth_of_a_pictures_format_is_no_reason_for_doubt(depth):
    record = DataRecord(kind="npz", style=measure(flags())[0], image=(28, 28))
    most = np.iinfo(depth).max
    found = adapt((photograph(False).astype(depth) * (most // 255)), record, 28, 28, "p", True)
    assert not found.notes
