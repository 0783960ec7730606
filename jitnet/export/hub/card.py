"""The model card of a run, and the other files next to it."""

import dataclasses
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jitnet import __version__
from jitnet.data.record import short_list
from jitnet.errors import InputError
from jitnet.events import EpochDone
from jitnet.export.folder import other_files, write_files
from jitnet.export.onnx.preparation import preparation
from jitnet.model.network import Network
from jitnet.printing import printable
from jitnet.storage import checkpoint
from jitnet.storage.metadata import Description, metadata

NAMES = ("model.safetensors", "config.json", "README.md", "predict.py")


def write(out: Path, network: Network, described: Description, rows: tuple[EpochDone, ...], licence: str) -> None:
    """Write a classifier's folder.

    Parameters
    ----------
    out : the folder, new, empty or of an older export
    network, described : the classifier
    rows : its epochs
    licence : of the weights, as hubs name it: "mit", "cc-by-4.0"; "" if it is not known

    Raises
    ------
    InputError : the network is a regression, or the folder cannot be written or holds something else
    """
    if described.settings.target:
        raise InputError("the run is a regression: expected one that classifies images, as the loader does")
    if out.exists() and (not out.is_dir() or {path.name for path in out.iterdir()} - {*NAMES, ".git"}):
        raise other_files(out)
    contents = {
        "config.json": json.dumps(config(network, described), indent=2) + "\n",
        "README.md": card(network, described, rows, licence),
        "predict.py": (files("jitnet.export.hub") / "predict.py").read_text(encoding="utf-8"),
    }
    write_files(out, contents)
    checkpoint.save(out / "model.safetensors", network.tensors(), metadata(described))


def config(network: Network, described: Description) -> dict[str, Any]:
    """Return the description for programs."""
    names = described.record.class_names or tuple(map(str, described.labels.tolist()))
    return {
        "model_type": "jitnet",
        "jitnet_version": __version__,
        "architecture": described.settings.architecture,
        "bias": described.settings.bias,
        "image": list(network.image),
        "inputs": preparation(described.record).meaning,
        "id2label": dict(enumerate(names)),
        "settings": dataclasses.asdict(described.settings),
    }


def card(network: Network, described: Description, rows: tuple[EpochDone, ...], licence: str) -> str:
    """Return the README with its head in YAML, of which JSON's strings are a part."""
    title, data = described.title or described.settings.network, described.data or "unknown data"
    last = rows[-1] if rows else None
    record, facts = described.record, config(network, described)
    measured = [] if last is None else [
        (kind, name, value)
        for kind, name, value in (
            ("accuracy", "test accuracy", last.test_accuracy and last.test_accuracy / 100),
            ("loss", "test loss", last.test_loss),
            ("accuracy", "validation accuracy", last.val_accuracy and last.val_accuracy / 100),
        )
        if value is not None
    ]  # fmt: skip
    head = [
        "library_name: jitnet",
        f"license: {json.dumps(licence or 'unknown')}",
        "pipeline_tag: image-classification",
        "tags: [image-classification, numpy, safetensors]",
        f"datasets: [{json.dumps(data)}]",
        "model-index:",
        f"- name: {json.dumps(title)}",
        "  results:",
        "  - task: {type: image-classification}",
        f"    dataset: {{name: {json.dumps(data)}, type: {json.dumps(data)}}}",
        "    metrics:" if measured else "    metrics: []",
        *(f"    - {{type: {kind}, name: {json.dumps(name)}, value: {value:.6g}}}" for kind, name, value in measured),
    ]
    rest = [(name, f"{value:.2%}" if kind == "accuracy" else f"{value:.4f}") for kind, name, value in measured]
    table = [
        ("parameters", f"{network.params.size:,}"),
        ("image", " x ".join(map(str, network.image)) + " (height, width, channels)"),
        ("inputs", facts["inputs"]),
        ("classes", short_list(tuple(facts["id2label"].values()))),
        ("data", data + (f", SHA-256 {described.data_sha256[:16]}..." if described.data_sha256 else "")),
        *((name, text) for name, text in record.facts() if name != "classes"),
        ("epochs", str(len(rows)) if rows else "unknown"),
        *rest,
        ("licence of the weights", licence or "not stated: ask the author"),
    ]
    lines = "\n".join(f"| {name} | {_cell(text)} |" for name, text in table)
    notes = "".join(f"- {printable(note)}\n" for note in record.notes)
    return f"""---
{chr(10).join(head)}
---

# {printable(title)}

A network `{described.settings.architecture}` trained with [jitnet](https://pypi.org/project/jitnet/) {__version__}.
`config.json` has all settings.

| | |
|---|---|
{lines}

{f"What was assumed of the data:{chr(10)}{chr(10)}{notes}" if notes else ""}
## Use

With jitnet:

```python
import jitnet

model = jitnet.load("model.safetensors")
model.predict(images)  # (n, {", ".join(map(str, network.image))}), the numbers as above
```

Without it, by NumPy and the safetensors library: `predict.py`.

```python
from predict import predict

predict("model.safetensors", images)  # classes as numbers from 0; names in config.json
```
"""


def _cell(text: str) -> str:
    return printable(text).replace("|", "\\|")
