"""What a film and its animation draw: the newest event of an epoch, classes and pixels in their places."""

import json
import re

from run_folders import write_run
from sample_run import epoch_done, started

from jitnet.history import read_run
from jitnet.report.animation import animation
from jitnet.report.film import frames_of


def test_a_frame_is_of_the_newest_event_of_its_epoch(tmp_path):
    """A run that was resumed has an epoch twice."""
    path = write_run(tmp_path, "a", [90.0, 91.0])
    events = [
        {"event": "EpochDone", "epoch": epoch, "step": 1, "test_accuracy": accuracy, "confusion": [[1]],
         "sample_predictions": [0]}
        for epoch, accuracy in ((0, 70.0), (1, 80.0), (1, 90.0))
    ]  # fmt: skip
    (path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    frames = frames_of(read_run("a", tmp_path))
    assert [(frame["epoch"], frame["accuracy"]) for frame in frames] == [(1, "70.00 %"), (2, "90.00 %")]


def rectangles(drawn):
    """Return the place and the other attributes of each rectangle, in order."""
    found = [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) for tag in re.findall(r"<rect [^>]*>", drawn)]
    return [(float(each.get("x", 0)), float(each.get("y", 0)), each) for each in found]


def test_a_confusion_is_a_share_of_its_true_class_below_and_its_taken_class_along():
    epoch = epoch_done(0, confusion=((9, 1), (0, 30)), sample_predictions=(), filters=())
    cells = [each for each in rectangles(animation(started(classes=2), [epoch])) if "fill-opacity" in each[2]]
    top, left = min(y for _, y, _ in cells), min(x for x, _, _ in cells)
    found = {(y > top, x > left): float(each["fill-opacity"]) for x, y, each in cells}
    assert found == {(0, 0): 0.9, (0, 1): 0.6, (1, 0): 0.0, (1, 1): 1.0}  # what is wrong is drawn six times as strong


def test_a_filter_is_drawn_row_by_row():
    epoch = epoch_done(0, confusion=((1, 0), (0, 1)), sample_predictions=(), filters=("0f8888888",))
    cells = [(x, y, each["fill"]) for x, y, each in rectangles(animation(started(classes=2), [epoch])) if x >= 548]
    assert len(cells) == 9
    first, second = (next((x, y) for x, y, fill in cells if fill == colour) for colour in ("#1f61b4", "#d95f02"))
    assert first == (548.0, 72.0) and second == (563.0, 72.0)
