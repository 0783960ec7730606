"""Can everybody read it? The palettes of the page and of the screen by WCAG's contrast ratios, without a browser."""

import re

import pytest

from jitnet.display.classes import _grey, _heat
from jitnet.display.live.frame import TONES, style_of
from jitnet.display.network import _CALM, _MOVING
from jitnet.report.style import _DARK, _LIGHT

TEXT, GRAPHIC = 4.5, 3.0  # WCAG 2.2: 1.4.3 for text, 1.4.11 for what must be seen to understand


def light(colour: str) -> float:
    """Return the relative luminance of "#rrggbb"."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str) -> float:
    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mixed(over: str, under: str, share: float) -> str:
    pairs = ((int(over[i : i + 2], 16), int(under[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def test_the_ratio_is_that_of_the_standard():
    assert ratio("#000000", "#ffffff") == pytest.approx(21) and ratio("#777777", "#777777") == 1
    assert ratio("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # known as the lightest grey that passes


@pytest.mark.parametrize("sheet", [_LIGHT, _DARK], ids=["light", "dark"])
def test_the_page(sheet):
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", sheet))
    heat = "#" + "".join(f"{int(n):02x}" for n in re.search(r"--heat: (\d+) (\d+) (\d+)", sheet).groups())  # type: ignore[union-attr]
    for name in ("ink", "soft", "accent", "good", "bad"):
        for ground in ("bg", "panel"):
            assert ratio(colours[name], colours[ground]) >= TEXT, (name, ground)
    for name in [name for name in colours if name.startswith("curve")]:
        assert ratio(colours[name], colours["bg"]) >= GRAPHIC, name
    assert len({name for name in colours if name.startswith("curve")}) == 6
    assert ratio(colours["ink"], mixed(heat, colours["bg"], 0.45)) >= TEXT  # the hottest of the confusion matrix


@pytest.mark.parametrize("background", ["#000000", "#1e1e1e", "#ffffff"])
def test_tones_on_the_screen_read_on_dark_and_on_light_terminals(background):
    """A terminal's background is not known, so tones are in the middle: each is above 2.5 on black and on white."""
    for name in TONES:
        style = style_of(name)
        if style.color is None:
            continue
        ink, ground = (
            style.color.get_truecolor().hex,
            style.bgcolor.get_truecolor().hex if style.bgcolor else background,
        )
        assert ratio(ink, ground) >= (TEXT if style.bgcolor else 2.5), name
    assert ratio(_CALM, background) >= 2.5 and ratio(_MOVING, background) >= 2.5


def test_digits_and_heat_have_backgrounds_of_their_own():
    for wrong in (False, True):
        assert ratio(_grey(15, wrong), _grey(0, wrong)) >= TEXT
    for count in (1, 5, 10):
        style = style_of(_heat(count, 10))
        assert style.color and style.bgcolor
        assert ratio(style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex) >= TEXT
