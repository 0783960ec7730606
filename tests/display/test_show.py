"""What a notebook shows: images with captions, and curves as SVG."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from jitnet import MLP, show
from jitnet.display.notebook import Notebook
from jitnet.display.plot import plot
from jitnet.errors import InputError

GREYS = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def pictures(shown) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', shown._repr_html_())
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in found]


@pytest.mark.parametrize("images", [GREYS, GREYS[..., None]])
def test_bytes_are_shown_as_they_are(images):
    np.testing.assert_array_equal(pictures(show(images)), GREYS)


def test_numbers_are_scaled_together_and_negative_ones_coloured():
    np.testing.assert_array_equal(pictures(show(np.array([[[0.0, 1.0]], [[2.0, 4.0]]]))), [[[0, 64]], [[128, 255]]])
    (one,) = pictures(show(np.array([[-1.0, 0.0, 1.0]])))
    assert one[0].tolist() == [[31, 97, 180], [255, 255, 255], [217, 95, 2]]
    rgb = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3), np.uint8)
    np.testing.assert_array_equal(pictures(show(rgb)), rgb)


def test_captions_are_escaped():
    html = show(GREYS, ["<b>", 7])._repr_html_()
    assert "&lt;b&gt;" in html and "<b>" not in html and ">7<" in html


@pytest.mark.parametrize(
    ("images", "captions", "said"),
    [
        (np.zeros(4), None, r"shape \(4,\)"),
        (np.zeros((0, 3, 3)), None, "1 to 200"),
        (np.zeros((201, 1, 1)), None, "1 to 200"),
        (np.zeros((2, 3, 3, 2)), None, "1 or 3 channels"),
        (GREYS, ["a"], "1 captions"),
    ],
)
def test_what_cannot_be_shown_is_refused(images, captions, said):
    with pytest.raises(InputError, match=said):
        show(images, captions)


def test_a_plot_is_an_element_whose_curves_stay_inside():
    curves = {"training": [(0.1, 90.0), (1, 97.0), (2, 99.0)], "validation": [(1, 95.0), (2, 96.5)], "test": []}
    root = ElementTree.fromstring(plot("accuracy %", curves))
    lines = [each for each in root.iter() if each.tag == "polyline"]
    assert len(lines) == 2
    for line in lines:
        places = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        assert all(40 < x < 440 and 10 < y < 160 for x, y in places)
        assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)  # better is higher
    assert "validation 96.50" in "".join(root.itertext())


def test_one_point_or_none_is_no_plot():
    assert plot("loss", {}) == plot("loss", {"training": [(1, 0.5)], "test": []}) == ""


def test_the_notebooks_view_and_card_have_plots():
    html: list[str] = []

    def display(thing, display_id=False):
        html.append(thing._repr_html_())
        return type("Handle", (), {"update": lambda _, thing: html.append(thing._repr_html_())})()

    x = np.random.default_rng(0).integers(0, 256, (40, 4, 4), np.uint8)
    model = MLP((4,), epochs=3, val=0.25, on_event=Notebook(display)).fit(x, x[:, 0, 0] > 99)
    assert html[-1].count("<svg") == 2 == model._repr_html_().count("<svg")
    assert "training loss" in html[-1] and "accuracy %" in html[-1]
