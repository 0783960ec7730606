"""The scripts of the page in a browser, without the page: engines of any network, next to jitnet's own."""

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from devtools import Browser

from jitnet.data.pictures.style import Style
from jitnet.play import pack
from jitnet.play.page import source
from jitnet.play.subject import specification

SCRIPTS = (
    "activations.js", "layers.js", "kernels.js", "engine.js", "module.js", "pictures.js", "ink.js", "shapes.js",
    "prepare.js", "packed.js", "numbers.js", "safetensors.js",
)  # fmt: skip
_HELP = """
let engine = null;
const floats = text => new Float32Array(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
function text(values) {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  let out = "";
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(out);
}
async function start(kind, spec, parameters) {
  engine = kind === "js" ? plainEngine(spec) : await wasmEngine(spec, module);
  engine.parameters = floats(parameters);
}
function scores(text_, n) {
  const images = floats(text_), size = images.length / n, out = [];
  for (let i = 0; i < n; i++) out.push(...engine.forward(images.subarray(i * size, (i + 1) * size)));
  return text(out);
}
function train(text_, targets, batch, lr) {
  const images = floats(text_), n = targets.length, size = images.length / n, out = [];
  for (let first = 0; first < n; first += batch) {
    const count = Math.min(batch, n - first);
    let loss = 0;
    for (let i = first; i < first + count; i++) {
      engine.forward(images.subarray(i * size, (i + 1) * size));
      loss += engine.backward(targets[i]);
    }
    engine.descend(lr, count);
    out.push(loss / count);
  }
  return out;
}
function prepared(text_, h, w, style, digits) {
  try {
    const found = Prepare.prepare({ h, w, d: floats(text_) }, style, digits, 28, 28);
    return { image: Array.from(found.image.d), notes: found.notes, steps: found.steps.map(each => each[0]) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.message;
  }
}
"""


def text(values) -> str:
    """Return numbers as the text of their float32, which `floats` reads in the browser."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()


def floats(found: str) -> np.ndarray:
    """Return the float32 numbers of a text from the browser."""
    return np.frombuffer(base64.b64decode(found), "<f4")


def open_scripts(browser: Browser, folder: Path) -> None:
    """Open a page of the scripts alone."""
    scripts = "\n".join(source(name) for name in SCRIPTS)
    module = pack.text((Path(__file__).parents[2] / "jitnet" / "play" / "web" / "kernels.wasm").read_bytes())
    page = folder / "scripts.html"
    page.write_text(
        f"<meta charset=utf-8><script>{scripts}{_HELP}const module = Packed.bytes('{module}');</script>", "utf-8"
    )
    browser.open(page, "typeof module === 'object'")


def start(browser: Browser, network, kind: str, numbers: bool = False) -> None:
    """Make an engine, `js` or `wasm`, of a network and its parameters."""
    params = np.concatenate([array.ravel() for array in network.tensors().values()])
    spec = json.dumps(specification(network, numbers))
    browser.run(f"start('{kind}', {spec}, '{text(params)}')")


def scores(browser: Browser, images: np.ndarray) -> np.ndarray:
    """Return the engine's scores (n, K) of images (n, H, W, C) from 0 to 1."""
    return floats(browser.run(f"scores('{text(images)}', {len(images)})")).reshape(len(images), -1)


def train(browser: Browser, images: np.ndarray, targets: list[Any], batch: int, lr: float) -> np.ndarray:
    """Take a step for each batch of the images, in order; return the mean loss of each."""
    return np.array(browser.run(f"train('{text(images)}', {targets}, {batch}, {lr})"))


def parameters(browser: Browser) -> np.ndarray:
    """Return the engine's parameters."""
    return floats(browser.run("text(engine.parameters)"))


def prepare(browser: Browser, picture: np.ndarray, style: Style, digits: bool) -> Any:
    """Return what the page makes of a picture (h, w): image, notes and names of steps, or a refusal."""
    h, w = picture.shape
    return browser.run(f"prepared('{text(picture)}', {h}, {w}, {json.dumps(asdict(style))}, {json.dumps(digits)})")
