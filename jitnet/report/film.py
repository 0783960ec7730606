"""The film of a run: a page that goes through its epochs, with test images, confusions and filters of each."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from jitnet.display.format import count, number, percentage
from jitnet.errors import InputError
from jitnet.history import Run
from jitnet.report.html import Markup, element
from jitnet.report.page import document
from jitnet.report.pictures import image_bytes, picture


def film_page(run: Run, images: np.ndarray, labels: np.ndarray, name_of: Callable[[int], str], made: str) -> str:
    """Return the document.

    Parameters
    ----------
    run : with an event for each epoch
    images : (n, H, W, C) the first test images, as many as the events have predictions of
    labels : (n,) their classes
    name_of : the name of a class
    made : by what and when

    Raises
    ------
    InputError : the run has no epoch, or is older than the predictions of each epoch
    """
    frames = frames_of(run)
    shown = min(len(images), len(frames[-1]["predictions"]))
    classes = len(frames[-1]["confusion"])
    names = [name_of(label) for label in range(classes)]
    data = {"frames": frames, "labels": [int(label) for label in labels[:shown]], "names": names}
    first = [frame["epoch"] for frame in frames]
    control = element(
        "div",
        element("button", "Play", id="play", type="button"),
        element("input", type="range", id="epoch", min="0", max=str(len(frames) - 1), step="1",
                value=str(len(frames) - 1), aria_label="epoch"),
        element("output", "", id="now", for_="epoch"),
        class_="film",
    )  # fmt: skip
    digits = [
        element("li", picture(image_bytes(images[i]), f"test image {i}, a {name_of(int(labels[i]))}", 44), element("b"))
        for i in range(shown)
    ]
    parts = [
        element("p", f"{count(len(frames))} of the run {run.name}, from epoch {first[0]} to {first[-1]}. Move the "
                "slider with the mouse or the arrow keys, or press Play.", class_="note"),
        control,
        element("div",
                element("div", element("h3", f"The first {count(shown, 'test image')}"),
                        element("ul", digits, class_="digits", id="digits")),
                element("div", element("h3", "Confusions"), _matrix(names),
                        element("h3", "Filters of the first layer"),
                        element("div", id="filters", class_="filters", role="img", aria_label="filters")),
                class_="columns"),
        element("script", json.dumps(data).replace("<", "\\u003c"), type="application/json", id="film"),
    ]  # fmt: skip
    title = f"{run.name}: film, test accuracy {percentage(run.last('test_accuracy'))}"
    return document(title, [element("style", Markup(_STYLE)), element("section", parts)], made, _SCRIPT)


def frames_of(run: Run) -> list[dict[str, Any]]:
    """Return what the film shows of each epoch. Raises `InputError` if the run does not have it."""
    found: dict[int, dict[str, Any]] = {}
    for event in run.events("EpochDone"):
        if event.get("confusion") and event.get("sample_predictions"):
            found[int(event["epoch"])] = event
    if not found:
        raise InputError(f"{run.name} has no predictions of single epochs: expected a finished epoch of a classifier")
    return [
        {
            "epoch": epoch + 1,
            "accuracy": percentage(event.get("test_accuracy")),
            "loss": number(event.get("train_loss"), 4),
            "confusion": event["confusion"],
            "predictions": event["sample_predictions"],
            "filters": event.get("filters") or [],
        }
        for epoch, event in sorted(found.items())
    ]


def _matrix(names: list[str]) -> Markup:
    head = element("tr", element("th", "true \\ taken", scope="col"), [element("th", n, scope="col") for n in names])
    rows = [element("tr", element("th", name, scope="row"), [element("td") for _ in names]) for name in names]
    made = element("table", element("thead", head), element("tbody", rows), class_="matrix", id="matrix")
    return element("div", made, class_="wide", tabindex="0", role="region", aria_label="confusion matrix")


_STYLE = """
.film { display: flex; flex-wrap: wrap; gap: 12px; align-items: center; position: sticky; top: 0; padding: 10px 0;
  background: var(--bg); z-index: 1; } .film input { flex: 1 1 240px; accent-color: var(--accent); }
.film output { flex: 1 1 100%; font-size: 20px; font-weight: 600; color: var(--ink); }
.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(44px, 1fr)); gap: 6px; padding: 0;
  list-style: none; } .digits li { display: grid; justify-items: center; border: 3px solid var(--good);
  border-radius: 6px; font-size: 14px; } .digits li.wrong { border-color: var(--bad); border-style: dashed; }
.digits img { border: 0; } .digits .wrong b { color: var(--bad); }
#matrix td, #matrix th { padding: 2px 3px; min-width: 0; font-size: 14px; }
.filters { display: flex; flex-wrap: wrap; gap: 8px; } .filters canvas { width: 56px; height: 56px;
  image-rendering: pixelated; border: 1px solid var(--rule); }
"""
_SCRIPT = """
const film = JSON.parse(document.getElementById("film").textContent), slider = document.getElementById("epoch");
const digits = [...document.getElementById("digits").children], now = document.getElementById("now");
const cells = [...document.querySelectorAll("#matrix tbody tr")].map(row => [...row.querySelectorAll("td")]);
const filters = document.getElementById("filters"), play = document.getElementById("play");
const colour = share => share < 0 ? [255 + share * 224, 255 + share * 158, 255 + share * 75]
  : [255 - share * 38, 255 - share * 160, 255 - share * 253];
const show = index => {
  const frame = film.frames[index];
  slider.value = index;
  let right = 0;
  digits.forEach((item, i) => {
    const found = frame.predictions[i], wrong = found !== film.labels[i];
    right += !wrong;
    item.className = wrong ? "wrong" : "";
    item.querySelector("b").textContent = film.names[found] ?? found;
  });
  now.textContent = `epoch ${frame.epoch}: test accuracy ${frame.accuracy}, training loss ${frame.loss}, ` +
    `${right} of these ${digits.length} right`;
  slider.setAttribute("aria-valuetext", now.textContent);
  const most = Math.max(1, ...frame.confusion.map((row, i) => Math.max(...row.filter((_, j) => j !== i))));
  cells.forEach((row, i) => row.forEach((cell, j) => {
    const images = frame.confusion[i][j];
    cell.textContent = images || "";
    cell.className = i === j ? "right" : "";
    cell.style.setProperty("--share", i === j ? 0 : 0.45 * images / most);
  }));
  filters.replaceChildren(...frame.filters.map(digits => {
    const side = Math.sqrt(digits.length), canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const pixels = canvas.getContext("2d"), image = pixels.createImageData(side, side);
    [...digits].forEach((digit, i) => image.data.set([...colour((parseInt(digit, 16) - 7.5) / 7.5), 255], 4 * i));
    pixels.putImageData(image, 0, 0);
    return canvas;
  }));
  if (!frame.filters.length) filters.textContent = "This run does not have them: train it again to see them.";
};
let timer = 0;
const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
play.addEventListener("click", () => {
  if (timer) return stop();
  if (+slider.value === film.frames.length - 1) show(0);
  play.textContent = "Pause";
  timer = setInterval(() => +slider.value < film.frames.length - 1 ? show(+slider.value + 1) : stop(), 900);
});
slider.addEventListener("input", () => { stop(); show(+slider.value); });
show(film.frames.length - 1);
"""
