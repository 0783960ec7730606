"""Pictures are prepared as the training pictures were, on any paper and in any light."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitnet.data.labels import are_in_runs, chosen, held_out
from jitnet.data.pictures.adapt import adapt
from jitnet.data.pictures.prepare import centred
from jitnet.data.pictures.resize import resized
from jitnet.data.pictures.style import AS_IS, MNIST, in_style, measure
from jitnet.data.pixels import Scale
from jitnet.data.record import DataRecord
from jitnet.errors import InputError

SIDE = 140
_HALF_A_PIXEL = 12.5  # mean difference of images that are half a pixel apart: a whole one is about 25
YY, XX = np.mgrid[0:SIDE, 0:SIDE] / SIDE


def pen(seed: int = 0) -> np.ndarray:
    """Ink (140, 140) from 0 to 1: a hooked stroke, as a hand draws a 7 or a 2."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(0.25, 0.4), rng.uniform(0.55, 0.75), rng.uniform(0.25, 0.35)
    ink = np.zeros((SIDE, SIDE))
    for t in np.linspace(0, 1, 200):
        x, y = (a + (b - a) * 2 * t, c) if t < 0.5 else (b - (b - a) * (2 * t - 1) * 0.7, c + (2 * t - 1) * 0.45)
        ink = np.maximum(ink, np.clip(1.5 - np.hypot(XX - x, YY - y) / 0.035, 0, 1))
    return ink


def on_paper(ink, dark=30.0, paper=235.0):
    return paper + (dark - paper) * ink


def with_lines(image, every=20, level=150, axis=0):
    image = image.copy()
    image[(slice(None),) * axis + (slice(10, None, every),)] = level
    return image


def framed(image, width, level):
    image = image.copy()
    image[:width], image[-width:], image[:, :width], image[:, -width:] = level, level, level, level
    return image


def shifted(image, paper):
    out = np.full((300, 400), paper)
    out[20:160, 240:380] = image
    return out


WAYS = {
    "white on black": lambda ink: on_paper(ink, 255, 0),
    "grey 140": lambda ink: on_paper(ink, 40, 140),
    "paper 90": lambda ink: on_paper(ink, 20, 90),
    "paper 29": lambda ink: on_paper(ink, 0, 29 + 20),
    "chalk on 140": lambda ink: on_paper(ink, 250, 140),
    "white on pale": lambda ink: on_paper(ink, 255, 205),
    "strong shadow": lambda ink: on_paper(ink) * (1 - 0.49 * XX),
    "corner shadow": lambda ink: on_paper(ink) * (1 - 0.5 * np.clip((XX + YY - 1.1) * 2, 0, 1)),
    "edge of a shadow": lambda ink: on_paper(ink) * np.where(XX + 0.3 * YY > 0.6, 0.6, 1),
    "vignette": lambda ink: on_paper(ink) * (1 - 0.8 * ((XX - 0.5) ** 2 + (YY - 0.5) ** 2)),
    "ruled": lambda ink: np.minimum(on_paper(ink), with_lines(np.full_like(ink, 240.0))),
    "squared": lambda ink: np.minimum(
        on_paper(ink), np.minimum(*(with_lines(np.full_like(ink, 240.0), 14, 170, axis) for axis in (0, 1)))
    ),
    "dark frame": lambda ink: framed(on_paper(ink), 5, 10),
    "thick frame": lambda ink: framed(on_paper(ink), 12, 10),
    "light frame": lambda ink: framed(on_paper(ink, 230, 40), 5, 250),
    "off-centre": lambda ink: shifted(on_paper(ink, 50, 220), 220.0),
    "large": lambda ink: np.kron(on_paper(ink), np.ones((4, 4))),
}


@pytest.mark.parametrize("noise", [0, 3])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_bring_a_drawing_gives_the_same_image(way, noise):
    ink = pen()
    expected = centred(on_paper(ink).round(), 28, 28).image.astype(int)
    grey = WAYS[way](ink) + np.random.default_rng(0).normal(0, noise, WAYS[way](ink).shape)
    found = centred(np.clip(np.rint(grey), 0, 255).astype(np.uint8), 28, 28).image
    assert np.abs(found - expected).mean() < _HALF_A_PIXEL, way


@pytest.mark.parametrize("seed", range(4))
def test_a_blank_sheet_is_blank_whatever_light_falls_on_it(seed):
    rng = np.random.default_rng(seed)
    for sheet in (np.full((SIDE, SIDE), 200.0), 235 * (1 - 0.4 * XX), 120 * (1 - 0.2 * YY)):
        with pytest.raises(InputError, match="blank"):
            centred(np.rint(sheet + rng.normal(0, 3, sheet.shape)).astype(np.uint8), 28, 28)


def test_what_makes_an_answer_doubtful():
    two = np.concatenate([pen(), pen(1)], axis=1)
    assert "several shapes" in centred(on_paper(two), 28, 28).notes[0]
    assert "almost no contrast" in centred(on_paper(pen(), 195, 230), 28, 28).notes[0]
    assert centred(on_paper(pen()), 28, 28).notes == []
    assert [name for name, _ in centred(on_paper(pen()), 28, 28).steps][-1] == "as the network sees it"


def training_images(count: int = 60, light: bool = True) -> np.ndarray:
    images = np.stack([centred(on_paper(pen(seed)), 28, 28).image for seed in range(count)])
    return images if light else 255 - images


@pytest.mark.parametrize("light", [True, False])
def test_the_pictures_of_the_training_are_taken_as_they_are(light):
    images = training_images(light=light)
    style, polarity = measure(images)
    assert style.prepared and style.light is light and style.side == 20 and style.by_mass
    assert polarity == ("light on dark" if light else "dark on light")
    record = DataRecord(kind="class folders", style=style, image=(28, 28))
    for image in images:
        np.testing.assert_array_equal(adapt(image, record, 28, 28, "p", True).image, image)
    photograph = np.clip(np.rint(on_paper(pen(100), 40, 200)), 0, 255).astype(np.uint8)
    found = adapt(photograph, record, 28, 28, "p", True).image
    assert in_style(found, dataclasses.replace(style, shortest=19, longest=21)) is not None


def test_other_pictures_are_taken_as_they_are_or_resized():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 24, 24)).astype(np.uint8)
    style, _ = measure(images)
    assert style == AS_IS
    record = DataRecord(kind="class folders", image=(24, 24))
    np.testing.assert_array_equal(adapt(images[0], record, 24, 24, "p", True).image, images[0])
    larger = adapt(np.kron(images[0], np.ones((2, 2), np.uint8)), record, 24, 24, "p", True)
    np.testing.assert_array_equal(larger.image, images[0])
    assert larger.notes == ["resized from 48 x 48 pixels"]
    with pytest.raises(InputError, match="or their proportion"):
        adapt(images[0][:, :12], record, 24, 24, "p", True)


def test_the_other_polarity_is_doubtful_where_pictures_are_taken_as_they_are():
    image = training_images(1)[0]
    record = DataRecord(kind="IDX", polarity="light on dark")
    assert adapt(image, record, 28, 28, "p", True).notes == []
    assert adapt(255 - image, record, 28, 28, "p", True).notes == [
        "it is dark on light, and the training pictures were light on dark"
    ]


def test_what_cannot_be_a_drawing_is_refused_for_what_it_is():
    for shape in ((1, 500), (500, 3)):
        with pytest.raises(InputError, match="expected at least 4 each way"):
            centred(np.random.default_rng(0).integers(0, 256, shape), 28, 28)
    with pytest.raises(InputError, match="nothing stands out from its paper"):
        centred(np.random.default_rng(0).integers(0, 256, (90, 90)), 28, 28)
    bits = (training_images(1)[0] > 99).astype(np.uint8)
    with pytest.raises(InputError, match="whole numbers from 0 to 1: divided by 255 as in training"):
        adapt(bits, DataRecord(kind="IDX", style=MNIST), 28, 28, "p", False)


def test_off_centre_and_full_size_images_of_the_right_size_are_centred():
    image = training_images(1)[0]
    record = DataRecord(kind="IDX", style=MNIST)
    np.testing.assert_array_equal(adapt(image, record, 28, 28, "p", True).image, image)
    for each in training_images(6):
        assert not each[:3].any() and not each[:, :3].any()  # room to move it: none of it comes round the edge
        moved = adapt(np.roll(each, (-3, -3), (0, 1)), record, 28, 28, "p", True).image
        np.testing.assert_array_equal(moved, each)
        top, left = (min(int(np.flatnonzero(each.any(axis=axis))[0]), 8) for axis in (1, 0))
        full = np.rint(resized(each[top : top + 20, left : left + 20], 28, 28)).astype(np.uint8)  # all of its ink
        assert np.abs(adapt(full, record, 28, 28, "p", True).image.astype(int) - each).mean() < _HALF_A_PIXEL


def test_arrays_follow_the_scale_of_the_training():
    record = DataRecord(kind="CSV", scale=Scale(16.0, 0, 16))
    values = np.arange(64).reshape(8, 8) % 17
    found = adapt(values, record, 8, 8, "p", False).image
    np.testing.assert_array_equal(found, np.rint(values * 255 / 16).astype(int))
    with pytest.raises(InputError, match="expected 0 to 16, as in the data"):
        adapt(values * 15, record, 8, 8, "p", False)
    np.testing.assert_array_equal(adapt(values / 16, record, 8, 8, "p", False).image, found)


def test_a_record_is_kept_as_json_and_an_older_one_reads():
    record = DataRecord(kind="CSV", class_names=("a", "b"), style=MNIST, scale=Scale(16.0, 0, 16), notes=("x",))
    assert DataRecord.from_dict(json.loads(json.dumps(record.as_dict()))) == record
    for old in (None, {}, {"kind": "CSV", "later": 1}, {"style": {"colour": 1}}):
        assert isinstance(DataRecord.from_dict(old), DataRecord)


@pytest.mark.parametrize("names", [("--5", "--6"), ("-", "1"), ("\u00b2", "\u00b3"), ("9" * 18, "9" * 19), ("", "1")])
def test_names_that_only_look_like_whole_numbers_are_texts(names):
    assert DataRecord(numbers=names).labels.tolist() == list(names)
    assert DataRecord(numbers=("-1", "02")).labels.tolist() == [-1, 2]


@pytest.mark.parametrize(
    "damaged",
    [
        "text",
        {"kind": 5},
        {"class_names": [["a"]]},
        {"class_names": "ab"},
        {"numbers": [1]},
        {"means": ["a"], "deviations": [1.0]},
        {"means": [1.0]},
        {"columns": ["a"], "means": [1.0], "deviations": [1.0]},
        {"means": [10**400], "deviations": [1.0]},
        {"columns": [], "means": [1.0], "deviations": [0.0]},
        {"image": [-1, 6]},
        {"channels": 1 << 17},
        {"style": []},
        {"style": {"side": 0}},
        {"style": {"side": True}},
        {"style": {"farthest": math.inf}},
        {"scale": {"full": 0}},
        {"scale": {"dtype": None}},
    ],
)
def test_a_record_of_other_types_is_damaged(damaged):
    with pytest.raises(ValueError, match="record"):
        DataRecord.from_dict(damaged)


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 10), st.integers(40, 400), st.floats(0.05, 0.9), st.booleans(), st.booleans(), st.integers(0, 99))
def test_no_class_is_on_one_side_only(classes, count, share, ordered, last, seed):
    labels = np.random.default_rng(seed).permutation(np.arange(count) % classes).astype(np.uint8)
    labels = np.sort(labels) if ordered else labels
    wanted = round(share * count)
    places, moved = chosen(labels, wanted, last)
    assert len(places) == wanted == len(set(places.tolist()))
    if wanted >= 2 * classes and count - wanted >= 2 * classes:
        rest = np.delete(labels, places)
        assert set(labels[places].tolist()) == set(rest.tolist()) == set(range(classes))
    if not moved:
        np.testing.assert_array_equal(places, np.arange(count)[-wanted:] if last else np.arange(wanted))


def test_a_mixed_order_is_left_as_it_is_and_a_sorted_one_is_seen():
    labels = np.random.default_rng(0).integers(0, 10, 5000).astype(np.uint8)
    assert not chosen(labels, 600, True)[1] and not are_in_runs(labels)
    assert chosen(np.sort(labels), 600, True)[1] and are_in_runs(np.sort(labels))
    test = held_out(np.sort(labels), [str(i) for i in range(10)], "f")
    assert np.abs(np.bincount(np.sort(labels)[test]) / np.bincount(labels) - 1 / 7).max() < 0.01


def test_one_picture_of_another_size_does_not_change_the_usual_one():
    images = training_images(40)
    images[:2] = 0
    images[:2, 13:15, 13:15] = 255  # specks
    style, _ = measure(images)
    assert style.prepared and style.side == 20 and (style.shortest, style.longest) == (2, 20)


def test_a_picture_no_farther_from_the_middle_than_one_of_the_training_is_not_moved():
    images = training_images(40)
    images[:2] = np.roll(images[:2], 2, axis=2)
    style, _ = measure(images)
    assert style.prepared
    for image in images:
        np.testing.assert_array_equal(in_style(image, style), image)
    farther = np.roll(images[0], 1, axis=1)
    assert not np.array_equal(in_style(farther, style), farther)


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("level", [0, 120])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_a_band_along_a_side_is_the_edge_of_a_scan(turn, level, share):
    """A wide one is cut off, as no stroke is so wide; both are mentioned. It may not decide what is ink."""
    paper = on_paper(pen()).astype(np.uint8)
    deep = round(share * SIDE)
    scan = np.pad(paper, ((0, deep), (0, 0)), constant_values=level)
    found, plain = (centred(np.ascontiguousarray(np.rot90(each, turn)), 28, 28) for each in (scan, paper))
    assert ("may be the edge of a scan" if share < 0.25 else "is taken for the edge of a scan") in found.notes[0]
    assert np.abs(found.image.astype(int) - plain.image).mean() < 2 and not plain.notes


def test_a_stroke_along_a_side_is_not_cut_off():
    tight = np.full((100, 76), 235, np.uint8)
    tight[:, :14] = tight[40:54] = 30  # two strokes of an F that fills its picture
    found = centred(tight, 28, 28)
    assert extents(found.image) == (20, 13) and "may be the edge of a scan" in found.notes[0]


def extents(image):
    return tuple(int(np.ptp(np.flatnonzero(image.any(axis=axis)))) + 1 for axis in (1, 0))


@pytest.mark.parametrize("turn", range(4))
def test_a_ruled_line_at_the_border_is_no_band(turn):
    paper = on_paper(pen()).astype(np.uint8)
    paper[::20] = 120
    assert not centred(np.ascontiguousarray(np.rot90(paper, turn)), 28, 28).notes
