"""The files that jitnet keeps in the folder of a run or a sweep: no other output may replace them."""

import os
from pathlib import Path

from jitnet.errors import InputError

RUN_FILES = (
    "meta.json", "config.toml", "metrics.csv", "steps.jsonl", "events.jsonl", "last.safetensors",
    "previous.safetensors", "best.safetensors", ".lock",
)  # fmt: skip
SWEEP_FILES = ("sweep.json", "table.csv", "statistics.csv", ".lock", ".compiling")
_KEPT = {"run": RUN_FILES, "sweep": SWEEP_FILES}  # the first one tells the kind of the folder


def require_other(path: str | os.PathLike[str], name: str) -> None:
    """Raise `InputError` if an output, given as `name`, would replace a file that jitnet keeps; links are followed."""
    for each in (Path(path), Path(os.path.realpath(path))):
        for kind, files in _KEPT.items():
            if each.name.casefold() in files and os.path.lexists(each.parent / files[0]):
                raise InputError(f"{name} is {path}, which is a file of the {kind} {each.parent}: choose another file")
