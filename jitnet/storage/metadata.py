"""What jitnet's files say about the network in them: one description, written in one place and read in one place."""

import dataclasses
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from jitnet import __version__
from jitnet.config import SETTINGS, Settings
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.model.build import network_of
from jitnet.model.network import Network
from jitnet.printing import printable
from jitnet.storage.checkpoint import Metadata, Tensors

_LONGEST = 1 << 24  # characters of all labels, each as long as the longest one
Record = dict[str, Any]  # an epoch, as `jitnet.events.as_record` returns it


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A network and its recipe, as a file describes them."""

    settings: Settings
    image: tuple[int, ...]  # height, width, channels
    labels: np.ndarray  # (classes,) integers, floats or text: what output k stands for
    history: tuple[Record, ...] = ()
    title: str = ""
    data: str = ""  # name of the data set, "" if the file does not state it
    data_sha256: str = ""
    record: DataRecord = field(default_factory=DataRecord)  # what was read and assumed of the data

    def network(self, tensors: Tensors, where: str) -> Network:
        """Return the network with the parameters in `tensors`, which are from `where`; raises `InputError`."""
        if len(self.image) != 3 or not len(self.labels):
            raise InputError(f"{where} does not state the size of its images and its classes: train it again")
        network = network_of(self.settings, self.image, len(self.labels))
        network.load_tensors(tensors, where)
        return network


def metadata(description: Description, **more: str) -> Metadata:
    """Return the metadata of a file: a description, when it was saved and by which version, and `more`."""
    settings, labels = description.settings, description.labels
    texts = {
        "jitnet": __version__,
        "title": description.title or settings.network,
        "architecture": settings.architecture,
        "bias": settings.bias,
        "image": " ".join(map(str, description.image)),
        "classes": json.dumps(labels.tolist()),
        "classes_dtype": labels.dtype.str,
        "settings": json.dumps(dataclasses.asdict(settings)),
        "data": description.data,
        "data_sha256": description.data_sha256,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if description.record.kind:
        texts["record"] = json.dumps(description.record.as_dict())
    if description.history:
        texts["history"] = json.dumps(description.history)
    return {name: printable(text) for name, text in (texts | more).items()}


def _labels(values: Any, dtype: str) -> np.ndarray:
    """Return the labels (K,) that a file has as JSON, of a NumPy type; raises `ValueError` for what is never written.

    Texts get the length of the longest one, not that of the type.
    """
    if not re.fullmatch(r"[<>|=][biufUO][0-9]{0,10}", dtype) or not isinstance(values, list):
        raise ValueError
    longest = max((len(each) for each in values if isinstance(each, str)), default=0)
    if len(values) * longest > _LONGEST or not all(isinstance(each, str | int | float) for each in values):
        raise ValueError
    return np.array(values, dtype[:2] if dtype[1] == "U" else dtype)


def describe(found: Metadata, where: str) -> Description:
    """Return what the metadata of the file `where` say; raises `InputError` if they describe no network."""
    try:
        height, width, channels = (int(extent) for extent in found["image"].split())
        labels = _labels(json.loads(found["classes"]), found["classes_dtype"])
        values = json.loads(found.get("settings", "{}"))
        values |= {"architecture": found["architecture"] or " ", "bias": found["bias"]}
        values = {name: value for name, value in values.items() if name in SETTINGS}  # a newer version may have more
        settings = Settings.from_values(values, where)
        history = tuple(json.loads(found.get("history", "[]")))
        record = DataRecord.from_dict(json.loads(found.get("record", "null")))
        if not all(isinstance(row, dict) for row in history):
            raise ValueError
    except InputError:
        raise
    except (KeyError, ValueError, TypeError, OverflowError, RecursionError):
        raise InputError(
            f"{where} does not describe the network that it holds: expected a model written by save(), or a checkpoint "
            "in its run folder"
        ) from None
    return Description(
        settings=settings,
        image=(height, width, channels),
        labels=labels,
        history=history,
        title=found.get("title", ""),
        data=found.get("data", ""),
        data_sha256=found.get("data_sha256", ""),
        record=record,
    )
