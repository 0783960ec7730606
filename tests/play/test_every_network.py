"""The page of networks other than the documents': colours, other sizes, dense layers alone, a regression, no images."""

import dataclasses

import numpy as np
import pytest
from browser import CHROMIUM, MISSING
from devtools import Browser

from jitnet.data.pictures.style import AS_IS
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.play import Subject, page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)

READY = "document.body !== null && document.body.dataset.ready !== undefined"


def subject(
    text: str, image: tuple[int, int, int], bias: str = "position", count: int = 30, dropout: float = 0
) -> Subject:
    network = Network(parse(text), image, bias, dropout=dropout)
    network.initialise("he", 1)
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (count, *image), dtype=np.uint8), rng.integers(0, network.classes, count)
    return Subject(
        title="any",
        facts=[],
        network=network,
        metadata={"title": "any"},
        style=dataclasses.asdict(AS_IS),
        class_names=tuple(f"class {k}" for k in range(network.classes)),
        data="images",
        train=images,
        train_targets=labels,
        test=images[:5],
        test_targets=labels[:5],
    )


def regression() -> Subject:
    network = Network(parse("dense6:tanh dense1:linear"), (1, 3, 1), loss="mse")
    network.initialise("he", 1)
    rows = np.random.default_rng(0).standard_normal((40, 1, 3, 1)).astype(np.float32)
    found = subject("dense2", (1, 3, 1))
    return dataclasses.replace(
        found, network=network, class_names=(), target="price", columns=("a", "b", "c"), means=(1.0, 2.0, 3.0, 100.0),
        deviations=(1.0, 0.5, 2.0, 10.0), train=rows, train_targets=rows[:, 0, :1, 0], test=rows[:5],
        test_targets=rows[:5, 0, :1, 0],
    )  # fmt: skip


SUBJECTS = {
    "colours": lambda: subject("conv3 pool conv4:gelu dense3", (8, 9, 3), "channel"),
    "one dense layer": lambda: subject("dense4", (5, 4, 1)),
    "a multi-layer perceptron of 47 classes": lambda: subject("dense20:sigmoid dense47", (12, 12, 1)),
    "average pools and dropout": lambda: subject("conv5 avgpool dense9 dense3", (8, 7, 1), dropout=0.3),
    "deep": lambda: subject("conv5:tanh conv2 pool conv3:leaky-relu pool dense7:linear dense3", (13, 10, 1)),
    "no images": lambda: subject("conv2 pool dense3", (6, 6, 1), count=0),
    "a regression": regression,
}


def test_the_page_of_any_network_works(tmp_path):
    with Browser(tmp_path) as browser:
        for name, make in SUBJECTS.items():
            drive(browser, name, make())


def drive(browser: Browser, name: str, given: Subject) -> None:
    """Give the network an image, look at every layer in both directions, and take a training step."""
    out = browser.folder / f"{name}.html"
    out.write_text(page(given, "Made by a test."), encoding="utf-8")
    browser.open(out, READY)
    if len(given.test):
        assert float(browser.run("document.body.dataset.difference")) < 1e-3
        browser.click("#example, #row-inputs button" if not given.target else "#row-inputs button")
    else:
        browser.stroke("#pad", [(0.3, 0.3), (0.6, 0.7)])
    browser.wait("App.image !== null")
    if given.target:
        score = given.network.logits(given.test[:1])[0, 0]
        shown = browser.run("document.querySelector('#verdict').textContent")
        assert shown.startswith("price: ") and abs(float(shown[7:]) - (100 + 10 * score)) < 0.01
    for direction in ("forward", "backward"):
        browser.click(f"[value={direction}]")
        for layer in browser.run("[...document.querySelectorAll('section.layer')].map(each => each.ariaLabel)"):
            browser.click(f"section.layer[aria-label={layer}] .map")
            browser.wait("document.querySelector('#inspector .formula').textContent !== ''")
            assert "NaN" not in browser.run("document.querySelector('#inspector').textContent")
    if len(given.train):
        browser.click("#one-step")
        browser.wait("Lesson.state.step === 1")
        assert np.isfinite(browser.run("Lesson.state.points[0].loss"))
    else:
        assert browser.run("document.querySelector('#go').disabled")
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.messages == []
