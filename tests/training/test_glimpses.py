"""What events carry of a training besides its figures: it is right, small, and changes nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import digits, result, settle, train

from jitnet.events import EpochDone, StepsDone, from_record
from jitnet.history import read_run
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.training import running_accuracy
from jitnet.training.glimpses import FILM, SAMPLE, first_filters, largest_errors, of_test_images, thumbnail
from jitnet.training.running_accuracy import IMAGES, RunningAccuracy
from jitnet.training.weight_change import WeightChange


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def test_the_running_accuracy_is_that_of_the_next_images_and_seldom(monkeypatch):
    network = Network(parse("dense4 dense3"), (6, 6, 1))
    network.initialise("he", 0)
    images = np.random.default_rng(0).integers(0, 256, (300, 6, 6, 1), dtype=np.uint8)
    right = network.logits(images).argmax(axis=1).astype(np.uint8)
    before = network.params.copy()
    now = [0.0]
    monkeypatch.setattr(running_accuracy.time, "perf_counter", lambda: now[0])
    made = RunningAccuracy(network, images, right)
    assert made.measure(np.arange(10, 300)) == 100.0
    wrong = RunningAccuracy(network, images, (right + 1) % 3)
    assert wrong.measure(np.arange(300)) == 0.0
    made._next_at = 1.0
    assert made.measure(np.arange(300)) is None  # not yet
    now[0] = 2.0
    assert made.measure(np.arange(300)) == 100.0
    assert np.array_equal(network.params, before)
    assert RunningAccuracy(network, images, np.zeros((300, 1), np.float32)).measure(np.arange(300)) is None


@pytest.mark.parametrize(
    ("text", "digits"), [("conv2 pool dense4 dense3", 9), ("dense5 dense3", 100), ("conv20 dense3", 9)]
)
def test_the_first_filters_are_digits_of_their_weights(text, digits):
    network = Network(parse(text), (12, 12, 1))
    assert set("".join(first_filters(network))) == {"8"}  # all zero
    network.initialise("he", 1)
    found = first_filters(network)
    assert len(found) <= 16 and {len(each) for each in found} == {digits}
    assert "f" in "".join(found) or "0" in "".join(found)  # the largest weight has the largest digit
    first = network.tensors()[f"{network.shapes[0].name}.weight"]
    first[...] = -np.abs(first)
    assert max("".join(first_filters(network))) <= "8"


@pytest.mark.parametrize("batch", ["1", "4", "0"])
def test_measuring_the_running_accuracy_changes_no_bit(folder, monkeypatch, batch):
    monkeypatch.setattr(running_accuracy, "_SHARE", 0.0)  # before every call
    measured = train("measured", "--batch-size", batch)
    assert sum("accuracy" in row for row in read_run("measured", "runs").steps()) > 1
    monkeypatch.setattr(RunningAccuracy, "measure", lambda self, places: None)
    assert result(measured) == result(train("plain", "--batch-size", batch))


def test_a_run_keeps_them(folder):
    run = read_run(str(train("run", "--batch-size", "4")), "runs")
    done = [from_record(record) for record in run.events("EpochDone")]
    for event in done:
        assert isinstance(event, EpochDone) and len(event.sample_predictions) == min(FILM, 60)
        assert len(event.worst) == len(event.worst_labels) == len(event.worst_predictions) <= SAMPLE
        assert all(a != b for a, b in zip(event.worst_labels, event.worst_predictions))
        assert all(len(picture) == 100 for picture in event.worst) and len(event.filters) == 2
    assert any(0 <= row["accuracy"] <= 100 for row in run.steps() if "accuracy" in row)
    lines = [json.loads(line) for line in Path("runs/run/events.jsonl").read_text().splitlines()]
    steps = [from_record(line) for line in lines if line["event"] == "StepsDone"]
    assert any(isinstance(step, StepsDone) and step.accuracy is not None for step in steps)


def test_a_thumbnail_is_grey_and_without_the_border():
    grey = np.arange(28 * 28).reshape(28, 28) % 251
    colour = np.stack([grey] * 3, axis=-1)
    assert thumbnail(colour.astype(np.uint8)) == thumbnail(grey.astype(np.uint8))
    framed = np.full((28, 28), 255, np.uint8)
    framed[4:24, 4:24] = 0
    assert thumbnail(framed) == "0" * 100
    for side in (framed[4, 4:24], framed[23, 4:24], framed[4:24, 4], framed[4:24, 23]):  # just inside
        side[:] = 255
        assert thumbnail(framed) != "0" * 100
        side[:] = 0


def test_a_measurement_is_short_and_followed_by_150_times_its_time(monkeypatch):
    network = Network(parse("dense3"), (6, 6, 1))
    images, labels = np.zeros((300, 6, 6, 1), np.uint8), np.ones(300, np.uint8)
    labels[:IMAGES] = 0
    made = RunningAccuracy(network, images, labels)
    now = iter([10.0, 11.0, 160.9, 161.1, 162.0])
    monkeypatch.setattr(running_accuracy.time, "perf_counter", lambda: next(now))
    places = np.arange(300)
    assert [made.measure(places), made.measure(places), made.measure(places)] == [100.0, None, 100.0]


def test_a_change_is_a_share_of_the_weights_that_it_led_to_all_over_the_layer():
    network = Network(parse("conv2 pool dense40 dense3"), (12, 12, 1))
    network.initialise("he", 1)
    change, weights = WeightChange(network), network.tensors()
    weights["dense2.weight"] *= 4
    weights["dense1.weight"][60:] += 1  # the last rows alone
    first, second = change.since_last(), change.since_last()
    assert first[:2] == (0, 0) and first[2] > 0 and first[3] == 0.75 and second == (0.0,) * 4


def test_a_picture_of_an_error_is_that_of_its_image_and_shows_all_colours():
    network = Network(parse("dense3"), (14, 14, 3))
    targets, scores = np.arange(150) % 3, np.eye(3)[np.arange(150) % 3]
    scores[[7, 140]] = [[0, 5, 0], [9, 0, 0]]  # right is 1, and 2
    scores[8] = [1, 1, 1]  # undecided is not wrong by any lead
    images = np.random.default_rng(0).integers(0, 256, (150, 14, 14, 3)).astype(np.uint8)
    targets[7] = 0
    found = of_test_images(network, images, targets, scores)
    assert largest_errors(scores, targets).tolist() == [140, 7]
    assert found["worst"] == (thumbnail(images[140]), thumbnail(images[7]))
    assert (found["worst_labels"], found["worst_predictions"]) == ((2, 0), (0, 1))
    assert found["sample_predictions"] == tuple(scores[:FILM].argmax(axis=1).tolist())
    for colour in range(3):
        one = np.zeros((14, 14, 3), np.uint8)
        one[..., colour] = 240
        assert thumbnail(one) == "5" * 100


def test_filters_lie_as_the_image_does_and_are_the_mean_of_their_colours():
    network = Network(parse("dense2"), (10, 20, 3))
    weight = network.tensors()["dense1.weight"].reshape(10, 20, 3, 2)
    weight[2, 6:8, 1, 1] = -1.0
    assert first_filters(network) == ("8" * 100, "8" * 23 + "0" + "8" * 76)
    network = Network(parse("conv2 dense2"), (4, 4, 3))
    weight = network.tensors()["conv1.weight"]
    weight[1, 2, 2, 0], weight[0, 0, :, 1] = 3.0, [2.0, -1.0, -1.0]
    assert first_filters(network) == ("88888f888", "8" * 9)
