"""The page of a run: right numbers, nothing from outside, and what a real browser makes of it."""

import itertools
import json
import math
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, MISSING, browse, printed
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.display.format import class_figures, class_rows
from jitnet.display.png import png, signed
from jitnet.history.curves import Curve
from jitnet.model.architecture import ACTIVATIONS, Conv, Dense, parse
from jitnet.model.network import Network
from jitnet.report.chart import chart
from jitnet.report.convolutions import feature_maps
from jitnet.report.html import element, join
from jitnet.report.measure import measure, reliability
from jitnet.report.pictures import tiles

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Two trained runs; their folder, the page of the first and that of both."""
    with pytest.MonkeyPatch.context() as patch:
        folder = settle(patch, tmp_path_factory.mktemp("report"))
        digits(folder)
        first = train("first-run", "--val", "20", epochs=3)
        train("second", epochs=2)
        assert main(["report", "first-run"]) == 0 and main(["report", "first-run", "second", "--out", "two.html"]) == 0
        return folder, (first / "report.html").read_text(), Path("two.html").read_text()


class Outline(HTMLParser):
    """Complains about tags that do not nest; collects tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("which", [1, 2])
def test_the_page_is_whole_and_needs_nothing_from_outside(pages, which):
    tags = Outline(pages[which]).tags
    links = [
        value for _, given in tags for name, value in given.items() if name in ("src", "href", "action", "xlink:href")
    ]
    assert links and all(link.startswith(("data:image/png;base64,", "#")) for link in links)
    assert "url(" not in pages[which] and "@import" not in pages[which] and "<link" not in pages[which]
    ids = [given["id"] for _, given in tags if "id" in given]
    assert len(ids) == len(set(ids)) and {link[1:] for link in links if link[0] == "#"} <= set(ids)


@pytest.mark.parametrize("which", [1, 2])
def test_everything_to_look_at_has_words(pages, which):
    tags = Outline(pages[which]).tags
    assert all(given.get("alt") for tag, given in tags if tag == "img")
    assert all(given.get("aria-label") for tag, given in tags if tag == "svg" and given.get("role") == "img")
    assert sum(tag == "svg" for tag, _ in tags) >= 4 and sum(tag == "h1" for tag, _ in tags) == 1
    headings = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))
    assert dict(tags)["html"]["lang"] == "en"
    assert all(given.get("scope") for tag, given in tags if tag == "th")


def test_the_page_has_its_parts(pages):
    text = pages[1]
    for part in (
        "Confusion matrix", "Each class", "Can its probabilities be trusted?", "The worst errors", "conv1: 2 filters",
        "feature maps", "Settings", "Environment", "jitnet train --config runs/first-run/config.toml", "numba",
        "data_sha256", "validation", "precision %",
    ):  # fmt: skip
        assert part in text, part
    assert "first-run" in pages[2] and "second" in pages[2] and "settings that differ" in pages[2]


def test_measures_are_right():
    chances = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.05, 0.9, 0.05], [0.25, 0.35, 0.4]])
    found = measure("x", chances, np.array([0, 1, 0, 2], np.uint8), most=1)
    assert found.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert found.accuracy == 75.0 and found.errors == 1 and len(found.mistakes) == 1
    assert found.loss == pytest.approx(-np.log([0.7, 0.8, 0.05, 0.4]).mean())
    first = class_figures(found.confusion.tolist())[0]
    assert (first.recall, first.precision, first.f1) == (0.5, 1.0, pytest.approx(2 / 3))
    assert first.confused_with == ((1, 1),)
    assert (found.mistakes[0].index, found.mistakes[0].label, found.mistakes[0].predicted) == (2, 0, 1)
    expected = (abs(1 - 0.7) + abs(1 - 0.8) + abs(0 - 0.9) + abs(1 - 0.4)) / 4
    assert found.calibration_error == pytest.approx(expected)


def test_an_honest_network_has_no_calibration_error():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.1, 1.0, 100_000)
    bins, error = reliability(confidence, rng.uniform(size=100_000) < confidence)
    assert error < 0.01 and sum(each.images for each in bins) == 100_000
    assert reliability(confidence, np.ones(100_000, bool))[1] == pytest.approx(1 - confidence.mean())
    assert math.isnan(reliability(np.array([1.0]), np.array([True]))[0][0].accuracy)


def test_a_class_nobody_has_divides_by_nothing():
    found = measure("x", np.array([[1.0, 0.0, 0.0]]), np.array([0]))
    nobody = class_figures(found.confusion.tolist())[2]
    assert nobody.recall is None and nobody.precision is None and nobody.f1 is None
    assert class_rows(found.confusion.tolist())[2] == ("2", "0", "-", "-", "-", "-")


@pytest.mark.parametrize(
    "text",
    ["conv16 pool conv32 pool conv64 dense100", *(f"conv3:{a} pool conv4:{a} conv5 dense7:{a}" for a in ACTIVATIONS)],
)
def test_feature_maps_are_those_of_the_network(text):
    """With any activation: the layers after the last map turn it into the network's own scores."""
    layers = (*parse(text), Dense(10))
    network = Network(layers, (28, 28, 1))
    network.initialise("he", 3)
    rng = np.random.default_rng(1)
    for name, array in network.tensors().items():
        if name.endswith("bias"):
            array[...] = rng.normal(0, 0.1, array.shape)
    image = rng.integers(0, 256, (28, 28, 1), np.uint8)
    tensors = network.tensors()
    maps = feature_maps(network.shapes, tensors, image)
    expected = [(s.name, s.layer.activation, s.outputs) for s in network.shapes if isinstance(s.layer, Conv)]
    assert [(name, activation, each.shape) for name, activation, each in maps] == expected
    rest = Network(layers[-2:], maps[-1][2].shape)
    for number in (1, 2):
        for part in ("weight", "bias"):
            rest.tensors()[f"dense{number}.{part}"][...] = tensors[f"dense{number}.{part}"]
    found = rest.logits(maps[-1][2].astype(np.float32)[None])[0]
    np.testing.assert_allclose(found, network.logits(image[None])[0], rtol=1e-3, atol=1e-3)


def test_a_picture_is_a_png():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    data = png(pixels)
    assert data.startswith(b"\x89PNG") and data[16:24] == (4).to_bytes(4, "big") + (3).to_bytes(4, "big")
    start = data.index(b"IDAT") + 4
    rows = zlib.decompress(data[start : start + int.from_bytes(data[start - 8 : start - 4], "big")])
    assert rows == b"".join(b"\0" + row.tobytes() for row in pixels)
    assert tiles([pixels, pixels, pixels], 2).shape == (9, 11)
    assert signed(np.array([[0.0, -1.0, 1.0]]), 1.0).tolist() == [[[255] * 3, [31, 97, 180], [217, 95, 2]]]


def test_names_cannot_become_markup():
    assert join(["<script>"]) == "&lt;script&gt;" and element("p", alt='"><b>') == '<p alt="&quot;&gt;&lt;b&gt;"></p>'
    made = chart("c", "<b>", "x", [Curve("</svg>\"'", ((0.0, 1.0), (1.0, 2.0)))])
    assert "<b>" not in made.replace("<b></b>", "") and made.count("</svg>") == 1


def test_there_is_no_epoch_between_two_epochs():
    drawn = str(chart("c", "accuracy", "epochs", [Curve("run", ((1.0, 80.0), (2.0, 90.0)))]))
    assert ">1</text>" in drawn and ">2</text>" in drawn and ">1.2</text>" not in drawn
    assert ">1.2</text>" in str(chart("c", "accuracy", "seconds", [Curve("run", ((1.0, 80.0), (1.9, 90.0)))]))


CONTRAST = """
const light = c => { const f = c.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
const parse = text => text.match(/[\\d.]+/g).map(Number);
const ground = node => { const layers = [];
  for (let e = node; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    layers.push([c, c.length > 3 ? c[3] : 1]); if (c.length < 4 || c[3] === 1) break; }
  return layers.reverse().reduce((under, [c, a]) => under.map((u, i) => u * (1 - a) + c[i] * a), [255, 255, 255]); };
const bad = [], seen = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); let count = 0;
for (let node = seen.nextNode(); node; node = seen.nextNode()) {
  const e = node.parentElement; if (!node.data.trim() || e.closest("script, title")) continue;
  const style = getComputedStyle(e), ink = parse(e.namespaceURI.includes("svg") ? style.fill : style.color);
  const a = light(ink), b = light(ground(e)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  count++;
  if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${e.tagName}.${e.getAttribute("class")} ${node.data.slice(0, 30)}`);
}
return JSON.stringify({ count, bad, background: getComputedStyle(document.body).backgroundColor });
"""


@needs_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast_in_both_themes(pages, dark):
    found = json.loads(browse(pages[0], pages[2], CONTRAST, dark=dark))
    assert found["count"] > 200 and found["bad"] == []
    assert (sum(map(int, re.findall(r"\d+", found["background"])[:3])) < 200) == dark


@needs_browser
def test_curves_are_read_out_by_pointer_and_by_keyboard(pages):
    probe = """
    const errors = []; addEventListener("error", e => errors.push(e.message));
    const chart = document.querySelector(".chart"), svg = chart.querySelector("svg"), box = svg.getBoundingClientRect();
    const said = () => document.querySelector(`output[for="${chart.id}"]`).textContent, heard = [];
    svg.dispatchEvent(new PointerEvent("pointermove", { clientX: box.right, clientY: box.top + 20 }));
    heard.push(said());
    for (const key of ["Home", "ArrowRight", "End", "ArrowRight", "x"]) {
      chart.dispatchEvent(new KeyboardEvent("keydown", { key })); heard.push(said()); }
    const button = document.getElementById("theme"), before = getComputedStyle(document.body).backgroundColor;
    button.click(); const after = getComputedStyle(document.body).backgroundColor;
    return JSON.stringify({ heard, errors, toggled: before !== after, shown: !button.hidden, tab: chart.tabIndex,
      wide: document.documentElement.scrollWidth - innerWidth,
      loaded: [...document.images].every(i => i.naturalWidth > 0), asked: performance.getEntriesByType("resource")
        .filter(r => !r.name.startsWith("data:")).map(r => r.name) });
    """
    for width in (1200, 500):
        found = json.loads(browse(pages[0], pages[1], probe, width=width))
        last, first, second = found["heard"][:3]
        assert last.startswith("3 epochs: test ") and ", validation " in last
        assert first.startswith("1 epochs: ") and second.startswith("2 epochs: ") and found["heard"][3:] == [last] * 3
        assert found["errors"] == found["asked"] == [] and found["toggled"] and found["shown"] and found["loaded"]
        assert found["tab"] == 0 and found["wide"] <= 0


@needs_browser
def test_it_prints_on_few_pages_and_on_white(pages):
    (pages[0] / "page.html").write_text(pages[1])
    pdf = printed(pages[0], pages[0] / "page.html")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 6
    seen = browse(pages[0], pages[1], """
    const rules = [...document.styleSheets[0].cssRules];
    return rules.filter(r => r.media?.mediaText === "print").map(r => r.cssText).join(" ");
    """, dark=True)  # fmt: skip
    assert "--bg: #fdfdfc" in seen and "background: none" in seen  # the light palette in every theme


def test_a_run_without_its_data_is_reported_all_the_same(pages, monkeypatch, capsys):
    monkeypatch.chdir(pages[0])
    (pages[0] / "digits").rename(pages[0] / "elsewhere")
    try:
        assert main(["report", "second", "--out", "without.html"]) == 0
    finally:
        (pages[0] / "elsewhere").rename(pages[0] / "digits")
    text = (pages[0] / "without.html").read_text()
    assert "Nothing is measured on test data here" in text and "Confusion matrix" not in text
    assert "without measurements" in capsys.readouterr().err


def test_what_is_refused(pages, monkeypatch, capsys):
    monkeypatch.chdir(pages[0])
    assert "no run 'x'" in refusal(capsys, "report", "x")
    assert "expected a file in a folder that is there" in refusal(capsys, "report", "second", "--out", "no/where.html")
    assert "expected a file" in refusal(capsys, "report", "second", "--out", "runs")
