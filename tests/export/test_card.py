"""The files next to exported weights say what is known of the run: every figure, name and note is its own."""

import dataclasses
import json

import numpy as np
import pytest
import sample_run

from jitnet.config import Settings
from jitnet.data.pixels import Scale
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.export.hub import card
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network
from jitnet.storage import checkpoint
from jitnet.storage.metadata import Description

NAMES = ("a|b", "cat", "dog: 'x'")
ROWS = tuple(
    sample_run.epoch_done(epoch, val_accuracy=81.5 + epoch, test_accuracy=71.25 + epoch, test_loss=0.625 + epoch)
    for epoch in range(3)
)


def network_and_description(**changes):
    """A network of colours that is as wide as nothing else here, and what is known of it."""
    settings = Settings(architecture="conv2 dense4:tanh", bias="channel", lr=0.125, target=changes.pop("target", ""))
    record = DataRecord(
        kind="npz", class_names=NAMES, scale=Scale(16.0, 0.0, 16.0), notes=("the first column is the label",)
    )
    values = {"title": "my run", "data": "letters", "data_sha256": "0123456789abcdef" * 4, "record": record}
    network = Network((*parse(settings.architecture), Dense(3)), (4, 5, 3), "channel")
    network.initialise("he", 1)
    description = Description(settings=settings, image=(4, 5, 3), labels=np.arange(3), **values | changes)
    return network, description


def table(text):
    """Return the table of a card."""
    rows = [line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| ") and line != "| | |"]
    return dict(rows)


def test_the_table_of_a_card_is_that_of_the_run():
    network, description = network_and_description()
    found = table(card.card(network, description, ROWS, "mit"))
    assert found["parameters"] == f"{3 * 3 * 3 * 2 + 2 + 40 * 4 + 4 + 4 * 3 + 3:,}"
    assert found["image"] == "4 x 5 x 3 (height, width, channels)"
    assert found["inputs"] == "pixels from 0 to 16, kept in 256 levels"
    assert found["classes"] == "a\\|b, cat, dog: 'x'"
    assert found["data"] == "letters, SHA-256 0123456789abcdef..."
    assert found["epochs"] == "3" and found["licence of the weights"] == "mit"
    assert (found["test accuracy"], found["test loss"], found["validation accuracy"]) == ("73.25%", "2.6250", "83.50%")
    text = card.card(network, description, ROWS, "")
    assert "\n# my run\n" in text and "\n- the first column is the label\n" in text
    assert table(text)["licence of the weights"] == "not stated: ask the author"


def test_the_head_of_a_card_has_the_figures_of_the_last_epoch_or_none():
    yaml = pytest.importorskip("yaml")
    network, description = network_and_description()
    for rows, expected in (
        (ROWS, {"test accuracy": 0.7325, "test loss": 2.625, "validation accuracy": 0.835}),
        ((sample_run.epoch_done(0, test_accuracy=0.0, test_loss=None),), {"test accuracy": 0.0}),
        ((), {}),
    ):
        text = card.card(network, description, rows, "mit")
        head = yaml.safe_load(text.split("---\n")[1])
        (model,) = head["model-index"]
        (result,) = model["results"]
        assert {each["name"]: each["value"] for each in result["metrics"]} == expected
        assert (head["license"], head["datasets"], model["name"]) == ("mit", ["letters"], "my run")
        assert result["dataset"] == {"name": "letters", "type": "letters"}
        assert table(text)["epochs"] == (str(len(rows)) if rows else "unknown")


def test_the_description_for_programs_is_that_of_the_run():
    network, description = network_and_description()
    found = json.loads(json.dumps(card.config(network, description)))
    assert found["image"] == [4, 5, 3] and found["inputs"] == "pixels from 0 to 16, kept in 256 levels"
    assert (found["architecture"], found["bias"]) == ("conv2 dense4:tanh", "channel")
    assert found["id2label"] == {"0": "a|b", "1": "cat", "2": "dog: 'x'"}
    assert found["settings"] == json.loads(json.dumps(dataclasses.asdict(description.settings)))
    unnamed = dataclasses.replace(description, record=DataRecord(), labels=np.array([3, 5, 8]))
    assert card.config(network, unnamed)["id2label"] == {0: "3", 1: "5", 2: "8"}
    assert card.config(network, unnamed)["inputs"] == "pixels from 0 to 255"


def test_a_folder_is_made_with_those_above_it_and_may_be_a_clone(tmp_path):
    network, description = network_and_description()
    out = tmp_path / "models" / "mine"
    for _ in range(2):
        card.write(out, network, description, ROWS, "mit")
        assert {path.name for path in out.iterdir()} - {".git"} == set(card.NAMES)
        (out / ".git").mkdir(exist_ok=True)
    tensors, _ = checkpoint.load(out / "model.safetensors")
    assert all(np.array_equal(tensors[name], array) for name, array in network.tensors().items())


def test_what_no_loader_can_classify_is_not_exported(tmp_path):
    network, description = network_and_description(target="price")
    with pytest.raises(InputError, match="is a regression"):
        card.write(tmp_path / "card", network, description, (), "")
    assert not (tmp_path / "card").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        card.write(tmp_path / "file", *network_and_description(), (), "")
    assert (tmp_path / "file").read_text() == "mine"
