"""The film of a run as one animated SVG without a script, for a README: digits, confusions, filters, accuracy."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jitnet.display.png import png
from jitnet.events import EpochDone, RunStarted
from jitnet.report.html import Markup, element

_EPOCH_S, _REST_S = 0.9, 2.5  # of each epoch, and of the last one more
_WIDTH, _HEIGHT = 780, 300
_GROUND, _INK, _SOFT, _GOOD, _BAD = "#14181c", "#e7eaec", "#a7b1ba", "#6fd0a2", "#ff8f80"


def animation(run: RunStarted, epochs: Sequence[EpochDone]) -> str:
    """Return the picture of a run that classifies; where nothing moves, the last epoch is shown.

    Its digits are those that the events hold, 10 x 10 pixels each.
    """
    times = [place * _EPOCH_S for place in range(len(epochs))]
    total = len(epochs) * _EPOCH_S + _REST_S
    keys = ";".join(f"{time / total:.4f}" for time in times)

    def animated(attribute: str, values: list[str]) -> Markup | None:
        if len(set(values)) == 1:
            return None
        return element(
            "animate", attributeName=attribute, values=";".join(values), keyTimes=keys, dur=f"{total:.1f}s",
            calcMode="discrete", repeatCount="indefinite",
        )  # fmt: skip

    def text(x: float, y: float, values: list[str], size: int, fill: str, weight: int = 400) -> list[Markup]:
        """Return a text for each of the values, of which one is seen at a time."""
        made = []
        for value in dict.fromkeys(values):
            seen = ["1" if each == value else "0" for each in values]
            made.append(
                element("text", value, animated("opacity", seen), x=x, y=y, font_size=size, fill=fill,
                        opacity=seen[-1], font_weight=weight)
            )  # fmt: skip
        return made

    parts = [element("rect", width=_WIDTH, height=_HEIGHT, rx=10, fill=_GROUND)]
    accuracies = [f"{row.test_accuracy or 0:.2f} %" for row in epochs]
    parts += text(24, 46, accuracies, 30, _INK, 700)
    parts += text(190, 46, [f"epoch {row.epoch + 1} of {run.epochs}" for row in epochs], 16, _SOFT)
    parts += _digits(run, epochs, animated, text)
    parts += _confusions(epochs, animated)
    parts += _filters(epochs, animated)
    what = f"{run.title} on {run.data}: test accuracy from {accuracies[0]} to {accuracies[-1]}"
    return element(
        "svg", element("title", what), parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", xmlns="http://www.w3.org/2000/svg",
        font_family="system-ui, sans-serif", width=_WIDTH, height=_HEIGHT,
    )  # fmt: skip


_Animated = Callable[[str, list[str]], Markup | None]


def _digits(run: RunStarted, epochs: Sequence[EpochDone], animated: _Animated, text: Any) -> list[Markup]:
    """Return twelve test images, each in a frame that is green where it is right, with the answer below."""
    parts: list[Markup] = []
    names = run.class_names or tuple(map(str, range(run.classes)))
    for place, (pixels, label) in enumerate(zip(run.sample[:12], run.sample_labels)):
        x, y = 24 + place % 4 * 64, 64 + place // 4 * 76
        grey = np.array([int(digit, 16) * 17 for digit in pixels], np.uint8).reshape(10, 10).repeat(4, 0).repeat(4, 1)
        data = base64.b64encode(png(grey)).decode()
        tones = [_GOOD if row.sample_predictions[place] == label else _BAD for row in epochs]
        parts.append(element("image", href=f"data:image/png;base64,{data}", x=x, y=y, width=48, height=48))
        parts.append(
            element("rect", animated("stroke", tones), x=x - 2, y=y - 2, width=52, height=52, rx=5, fill="none",
                    stroke=tones[-1], stroke_width=3)
        )  # fmt: skip
        parts += text(x + 18, y + 66, [names[row.sample_predictions[place]] for row in epochs], 15, _INK)
    return parts


def _confusions(epochs: Sequence[EpochDone], animated: _Animated) -> list[Markup]:
    """Return the matrix of confusions: right on the diagonal, wrong next to it, each as a share of its class."""
    classes = len(epochs[-1].confusion)
    side = 200 / classes
    parts = [element("text", "confusions", x=310, y=58, font_size=14, fill=_SOFT)]
    for true in range(classes):
        for taken in range(classes):
            shares = []
            for row in epochs:
                share = row.confusion[true][taken] / max(1, sum(row.confusion[true]))
                shares.append(f"{share if true == taken else min(1.0, 6 * share):.2f}")
            parts.append(
                element("rect", animated("fill-opacity", shares), x=310 + taken * side, y=72 + true * side,
                        width=side - 1, height=side - 1, fill=_GOOD if true == taken else _BAD,
                        fill_opacity=shares[-1])
            )  # fmt: skip
    return parts


def _filters(epochs: Sequence[EpochDone], animated: _Animated) -> list[Markup]:
    """Return the filters of the first layer; none of a run that did not keep them."""
    if not all(row.filters for row in epochs):
        return []
    parts = [element("text", "filters of the first layer", x=548, y=58, font_size=14, fill=_SOFT)]
    for place in range(min(16, len(epochs[-1].filters))):
        cells = len(epochs[-1].filters[place])
        across = round(cells**0.5)
        side = 45 / across
        left, top = 548 + place % 4 * 52, 72 + place // 4 * 52
        for cell in range(cells):
            colours = [_colour(int(row.filters[place][cell], 16)) for row in epochs]
            parts.append(
                element("rect", animated("fill", colours), x=left + cell % across * side,
                        y=top + cell // across * side, width=side, height=side, fill=colours[-1])
            )  # fmt: skip
    return parts


def _colour(digit: int) -> str:
    """Return blue below 7.5 and orange above, white in the middle."""
    share = (digit - 7.5) / 7.5
    end = (217, 95, 2) if share > 0 else (31, 97, 180)
    return "#" + "".join(f"{round(255 + abs(share) * (each - 255)):02x}" for each in end)
