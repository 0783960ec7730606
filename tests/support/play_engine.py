"""The scripts of the page in a browser, without the page: engines of any network, next to jitnet's own."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
from devtools import Browser

from jitnet.play import pack
from jitnet.play.page import source
from jitnet.play.subject import specification

SCRIPTS = (
    "activations.js", "kernels.js", "engine.js", "module.js", "pictures.js", "ink.js", "shapes.js", "prepare.js",
    "packed.js", "numbers.js", "safetensors.js",
)  # fmt: skip
_HELP = """
const floats = text => new Float32Array(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
const text = values => { const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength); let out = "";
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192)); return btoa(out); };
const engines = {};
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
    import json

    spec = json.dumps(specification(network, numbers))
    make = "plainEngine(spec)" if kind == "js" else "await wasmEngine(spec, module)"
    browser.run(
        f"(async () => {{ const spec = {spec}; window.engine = {make}; engine.parameters = floats('{_params(network)}'); "
        "return 1; })()"
    )


def _params(network) -> str:
    return text(np.concatenate([array.ravel() for array in network.tensors().values()]))


def scores(browser: Browser, images: np.ndarray) -> np.ndarray:
    """Return the engine's scores (n, K) of images (n, H, W, C) from 0 to 1."""
    n = len(images)
    found = browser.run(
        f"(() => {{ const images = floats('{text(images)}'), size = images.length / {n}, out = [];"
        f"for (let i = 0; i < {n}; i++) out.push(...engine.forward(images.subarray(i * size, (i + 1) * size)));"
        "return text(Float32Array.from(out)); })()"
    )
    return floats(found).reshape(n, -1)


def train(browser: Browser, images: np.ndarray, targets: list[Any], batch: int, lr: float) -> np.ndarray:
    """Take a step for each batch of the images, in order; return the mean loss of each."""
    n = len(images)
    return np.array(
        browser.run(
            f"(() => {{ const images = floats('{text(images)}'), size = images.length / {n}, targets = {targets}, out = [];"
            f"for (let first = 0; first < {n}; first += {batch}) {{ let loss = 0; const count = Math.min({batch}, {n} - first);"
            "for (let i = first; i < first + count; i++) { engine.forward(images.subarray(i * size, (i + 1) * size));"
            f"loss += engine.backward(targets[i]); }} engine.descend({lr}, count); out.push(loss / count); }} return out; }})()"
        )
    )


def parameters(browser: Browser) -> np.ndarray:
    """Return the engine's parameters."""
    return floats(browser.run("text(engine.parameters.slice())"))
