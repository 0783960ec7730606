"""What is inside a trained estimator, for people and programs: layers, features, a table, a card for notebooks."""

from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np

from jitnet.display.plot import plot
from jitnet.model import architecture, reference
from jitnet.model.architecture import Dense
from jitnet.model.network import Network


class Text(str):
    """Lines that a prompt shows as they are printed."""

    def __repr__(self) -> str:
        return str(self)


def last_hidden(network: Network, images: np.ndarray) -> np.ndarray:
    """Return the outputs (n, units) float32 of the last hidden layer for images (n, H, W, C).

    Without hidden layers the images themselves, and after a conv block its maps, as rows.
    """
    hidden = network.layers[:-1]
    if not hidden:
        return (images.reshape(len(images), -1) / (255 if images.dtype == np.uint8 else 1)).astype(np.float32)
    last = hidden[-1]
    if not isinstance(last, Dense):
        name = network.shapes[-2].name
        return feature_maps(network, images)[name].reshape(len(images), -1)
    part = Network(hidden, network.image, network.bias, kernels=network.kernels)  # its last layer is the output
    part.load_tensors(network.tensors(), "")
    return reference.activate(last.activation, part.logits(images)).astype(np.float32)


def feature_maps(network: Network, images: np.ndarray) -> dict[str, np.ndarray]:
    """Return the outputs of each layer, (n, H, W, C) or (n, units) float32, for images (n, H, W, C)."""
    tensors = network.tensors()
    steps = [reference.forward(network.shapes, tensors, image) for image in images]
    return {
        shape.name: np.stack([each[place].out for each in steps]).astype(np.float32)
        for place, shape in enumerate(network.shapes)
    }


def summary(title: str, network: Network, regression: bool) -> Text:
    """Return a table of the layers: operation, sizes, parameters, multiply-accumulates."""
    head = ("operation", "input", "output", "parameters", "MACs")
    rows = [head, *architecture.operations(network.shapes, regression)]
    total = architecture.parameter_count(network.shapes)
    rows.append(("total", "", "", f"{total:,}", f"{architecture.forward_macs(network.shapes):,}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [f"{title}: {architecture.to_text(network.layers)}"]
    for row in rows:
        first, *others = (cell.ljust(w) if not n else cell.rjust(w) for n, (cell, w) in enumerate(zip(row, widths)))
        lines.append("  ".join((first, *others)).rstrip())
    lines.insert(2, "-" * max(map(len, lines)))
    lines.insert(-1, lines[2])
    return Text("\n".join(lines))


def html(estimator: Any, changed: dict[str, Any]) -> str:
    """Return an estimator as HTML for a notebook; its colours are those of the page."""
    name, fitted = type(estimator).__name__, hasattr(estimator, "network_")
    facts = {key: repr(value) for key, value in changed.items()}
    if fitted:
        settings, history = estimator.settings_, estimator.history_
        facts |= {
            "network": architecture.to_text(estimator.network_.layers),
            "parameters of the network": f"{estimator.network_.params.size:,}",
            "recipe": f"{settings.recipe}: {settings.optimizer}, batches of {settings.batch_size}, lr {settings.lr:g}",
            "epochs": f"{len(history)}",
        }
        if history:
            facts["training loss"] = f"{history[-1].train_loss:.4g}"
            if history[-1].val_accuracy is not None:
                facts["validation accuracy"] = f"{history[-1].val_accuracy:.2f} %"
        if estimator.advice_:
            facts["advice"] = estimator.advice_
    cell = "text-align:left;padding:1px 12px 1px 0;background:none"
    rows = "".join(
        f'<tr><th style="{cell}">{escape(key)}</th><td style="{cell}">{escape(str(value))}</td></tr>'
        for key, value in facts.items()
    )
    plots = "".join(_plots(estimator)) if fitted else ""
    state = "trained" if fitted else "not trained yet: call fit"
    return f"<div><b>{name}</b> ({state})<table>{rows}</table>{plots}</div>"


def _plots(estimator: Any) -> Iterator[str]:
    """Yield the loss, and the accuracy where images were held out, after each epoch."""
    losses = {"training": estimator.loss_curve_, "validation": estimator.validation_loss_curve_}
    yield plot("loss", {name: list(enumerate(curve, 1)) for name, curve in losses.items()})
    accuracies = [(row.epoch + 1, row.val_accuracy) for row in estimator.history_ if row.val_accuracy is not None]
    yield plot("accuracy %", {"validation": accuracies})
