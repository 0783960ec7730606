"""The filters of a network's convolutions, and the maps that they make of one test image."""

import numpy as np

from jitnet.display.format import count
from jitnet.display.png import signed
from jitnet.model.architecture import Conv, Shape
from jitnet.model.reference import forward
from jitnet.report.html import Markup, element
from jitnet.report.pictures import image_bytes, picture, tiles
from jitnet.report.subject import Subject

_COLUMNS = 16  # of a sheet of small pictures
_WIDEST = 1032  # CSS pixels


def convolutions(subject: Subject) -> Markup:
    """Return a sheet of filters for each convolution, and its maps if a test image is here."""
    sheets = []
    for shape in subject.network:
        if isinstance(shape.layer, Conv):
            weight = subject.tensors[f"{shape.name}.weight"]
            first = shape.inputs[-1] == 1
            pictures = [
                weight[..., 0, o] if first else np.abs(weight[..., o]).mean(axis=-1) for o in range(weight.shape[-1])
            ]
            most = max(float(np.abs(each).max()) for each in pictures)
            sheet = tiles([signed(each, most) for each in pictures], _COLUMNS)
            what = "its weights: orange above 0, blue below" if first else "mean size of its weights over the inputs"
            title = f"{shape.name}: {count(len(pictures), 'filter')} 3x3"
            sheets.append(_sheet(title, what, sheet, 12 if first else 8))
    if len(subject.images):
        sheets.append(_sheet("an image of the test set", "what the maps below see", image_bytes(subject.images[0]), 4))
        for name, activation, maps in feature_maps(subject.network, subject.tensors, subject.images[0]):
            most = float(np.abs(maps).max())
            both = maps.min() < 0  # tanh and linear
            pictures = [
                signed(each, most) if both else (each * (255 / (most or 1.0))).astype(np.uint8)
                for each in np.moveaxis(maps, -1, 0)
            ]
            colours = "orange above 0, blue below" if both else "white is most"
            size = f"{maps.shape[0]}x{maps.shape[1]}"
            what = f"{count(len(pictures), 'map')} of {size} after the activation {activation}: {colours}"
            sheets.append(_sheet(f"{name}: what it sees", what, tiles(pictures, _COLUMNS), max(2, 56 // maps.shape[1])))
    return element("div", sheets, class_="sheets")


def feature_maps(
    network: tuple[Shape, ...], tensors: dict[str, np.ndarray], image: np.ndarray
) -> list[tuple[str, str, np.ndarray]]:
    """Return (name, activation, maps (H, W, C) float64) of each convolution; `image` is (H, W, C) uint8 or floats."""
    steps = forward(network, tensors, image)
    return [(s.shape.name, s.shape.layer.activation, s.out) for s in steps if isinstance(s.shape.layer, Conv)]


def _sheet(title: str, what: str, sheet: np.ndarray, scale: int) -> Markup:
    caption = element("figcaption", element("strong", title), element("span", what, class_="note"))
    return element("figure", caption, picture(sheet, f"{title}, {what}", min(scale * sheet.shape[1], _WIDEST)))
