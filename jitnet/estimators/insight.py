"""What is inside a trained estimator, for people and programs: layers, features, a table, a card for notebooks."""

from html import escape
from typing import Any

import numpy as np

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
    plot = loss_plot(estimator.loss_curve_, estimator.validation_loss_curve_) if fitted else ""
    state = "trained" if fitted else "not trained yet: call fit"
    return f"<div><b>{name}</b> ({state})<table>{rows}</table>{plot}</div>"


def loss_plot(train: list[float], val: list[float], width: int = 420, height: int = 130) -> str:
    """Return the losses after each epoch as SVG, "" for fewer than two; logarithmic, as losses fall by factors."""
    curves = [("training", train, "#3b7dd8"), ("validation", val, "#d9822b")]
    shown = [(name, np.log(np.maximum(curve, 1e-12)), colour) for name, curve, colour in curves if len(curve) > 1]
    if not shown:
        return ""
    low, high = (float(end(np.concatenate([values for _, values, _ in shown]))) for end in (np.min, np.max))
    parts = []
    for place, (name, values, colour) in enumerate(shown):
        x = 50 + (width - 60) * np.arange(len(values)) / (len(values) - 1)
        y = 10 + (height - 30) * (high - values) / max(high - low, 1e-9)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{60 + 90 * place}" y="{height - 4}" fill="{colour}">{name}</text>')
    parts += [f'<text x="0" y="{y}">{np.exp(value):.3g}</text>' for y, value in ((16, high), (height - 18, low))]
    parts.append(f'<text x="{width - 90}" y="{height - 4}">{len(train)} epochs</text>')
    style = 'style="font:11px sans-serif;fill:currentColor;max-width:100%"'
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="loss after each epoch" {style}>{"".join(parts)}</svg>'
    )
