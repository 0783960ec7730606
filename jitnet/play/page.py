"""The page: the files of web/ in one document, and the run as data in it."""

from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from jitnet.play import pack
from jitnet.play.subject import CHECKED, Subject, specification
from jitnet.printing import json_text, printable

LARGEST = 1_500_000  # bytes of a page, if fewer bits a parameter make that possible
COARSEST = 18  # bits: a page of a large network is larger rather than less exact
SNAPSHOT = 14  # bits of a parameter of another checkpoint, which is only looked at

# In this order: each file uses the ones before it.
SCRIPTS = (
    "activations.js", "layers.js", "kernels.js", "engine.js", "module.js",  # the network
    "pictures.js", "ink.js", "shapes.js", "prepare.js",  # from a drawing to an image
    "packed.js", "numbers.js", "safetensors.js",  # data and files
    "figures.js", "chart.js", "state.js",  # what is shown, and what is known
    "canvas.js", "draw.js", "answer.js", "flow.js", "inspect.js", "lesson.js", "files.js", "start.js",  # the parts
)  # fmt: skip


def page(subject: Subject, made: str) -> str:
    """Return the document; `made` says by what and when.

    Parameters are rounded as far as the page must be to stay below `LARGEST` bytes, at most to `COARSEST` bits.
    """
    found = data(subject)
    tensors = subject.network.tensors()
    for bits in (COARSEST, *range(pack.FINEST, COARSEST, -1)):
        text = document(subject.title, made, found | {"bits": bits, "parameters": pack.packed(tensors, bits)})
        fits = len(text.encode()) <= LARGEST
        if bits == COARSEST:
            coarsest = text
            if not fits:
                break
        elif fits:
            return text
    return coarsest


def document(title: str, made: str, found: dict[str, Any]) -> str:
    """Return the document of what `data` found, and the parameters."""
    return _filled(
        source("page.html"),
        title=escape(printable(title)),
        made=escape(printable(made)),
        style=source("style.css").strip(),
        data=json_text(found).replace("<", "\\u003c"),
        scripts="\n".join(source(name) for name in SCRIPTS),
    )


def source(name: str) -> str:
    """Return one of the files of web/."""
    return (files("jitnet.play") / "web" / name).read_text(encoding="utf-8")


def _filled(template: str, **parts: str) -> str:
    """Return a template with its marks, @title@ and so on, replaced; a mark inside a part stays."""
    pieces = template.split("@")
    return "".join(parts.get(piece, piece if place % 2 == 0 else f"@{piece}@") for place, piece in enumerate(pieces))


def data(subject: Subject) -> dict[str, Any]:
    """Return the run as the page's scripts take it, without its parameters."""
    network = subject.network
    module = (files("jitnet.play") / "web" / "kernels.wasm").read_bytes()
    checked = subject.test[:CHECKED]
    return {
        "title": printable(subject.title),
        "facts": [[printable(name), printable(text)] for name, text in subject.facts],
        "spec": specification(network, bool(subject.target)),
        "names": [printable(name) for name in subject.class_names],
        "style": subject.style,
        "digits": subject.digits,
        "metadata": subject.metadata,
        "label": subject.label,
        "place": sum(each.epoch < subject.epoch for each in subject.snapshots),  # of the network among the snapshots
        "snapshots": [
            {"label": each.label, "parameters": pack.packed(each.tensors, SNAPSHOT)} for each in subject.snapshots
        ],
        "target": printable(subject.target),
        "columns": [printable(name) for name in subject.columns],
        "means": subject.means,
        "deviations": subject.deviations,
        "source": printable(subject.data),
        "train": _images(_coarse(subject.train), subject.train_targets),
        "test": _images(subject.test, subject.test_targets),
        "check": pack.floats(network.logits(checked)) if len(checked) else "",
        "module": pack.text(pack.deflated(module)),
    }


def _coarse(images: np.ndarray) -> np.ndarray:
    """Return the images to train on, whose grey levels matter less than the digits of the parameters."""
    return pack.coarse(images) if images.dtype == np.uint8 else images


def _images(images: np.ndarray, targets: np.ndarray) -> dict[str, Any]:
    if images.dtype != np.uint8:
        return {"count": len(images), "rows": pack.floats(images), "values": pack.floats(targets)}
    return {"count": len(images), **pack.images(images), "labels": pack.labels(targets)}
