"""Where the coach's advice begins: histories just on either side of each bound."""

import pytest
from sample_run import epoch_done

from jitnet.config import Settings
from jitnet.training.coach import Task, advise

GUESSING = 2.0


def advised(train, val=None, **changes):
    """Return the advice about epochs with these losses, after the last of them; None for none."""
    settings = Settings(recipe="modern", epochs=len(train), **{"lr": 0.002} | changes)
    rows = [
        epoch_done(n, train_loss=loss, val_loss=held, test_loss=None, test_accuracy=None)
        for n, (loss, held) in enumerate(zip(train, val or [None] * len(train)))
    ]
    return advise(rows, Task(GUESSING, 25.0, settings, 32), ended=True)


def kind_of(found):
    """Return the kind of an advice, "" of none."""
    return found.kind if found else ""


def falling(count, last, ratio):
    """Return losses that end at `last`, each `ratio` times the one before."""
    return [last / ratio**n for n in range(count - 1, -1, -1)]


@pytest.mark.parametrize(
    ("kind", "train", "val"),
    [
        ("still improving", falling(2, 0.5, 0.92), None),  # two epochs are enough
        ("", falling(2, 0.5, 0.94), None),
        ("", [0.5], None),
        ("", falling(3, 0.03, 0.9), None),  # nothing is left to learn
        ("", [1.0, 0.5, 0.034, 0.03], None),
        ("still improving", falling(3, 0.05, 0.9), None),
        ("still improving", [0.3, 0.2, 0.18], [0.7, 0.6, 0.5]),  # the loss of held-out images decides
        ("", [0.3, 0.2, 0.1], [0.6, 0.5, 0.49]),
        ("overfitting", [0.5, 0.4, 0.3, 0.2], [0.4, 0.3, 0.36, 0.36]),
        ("", [0.5, 0.4, 0.3, 0.2], [0.4, 0.3, 0.34, 0.34]),  # it has risen by less than 15 %
        ("", [0.5, 0.4, 0.3, 0.26], [0.4, 0.3, 0.36, 0.36]),  # the training loss is as high
        ("", [0.5, 0.2, 0.2, 0.2], [0.4, 0.3, 0.36, 0.36]),  # the training loss does not fall
        ("", [0.4, 0.3, 0.2], [0.3, 0.36, 0.36]),  # too short
        ("rate too high", [0.5, 0.3, 0.41], None),  # risen by more than 30 %
        ("", [0.5, 0.35, 0.41], None),
        ("", [0.3, 0.41], None),  # two epochs may rise
        ("", [0.01, 0.02, 0.03], None),  # a small loss may rise
    ],
)
def test_advice_about_curves(kind, train, val):
    assert kind_of(advised(train, val)) == kind


@pytest.mark.parametrize(
    ("kind", "factor", "last"),
    [("rate too low", 1 / 8.1, 1.1), ("", 1 / 7.9, 1.1), ("", 1 / 8.1, 0.9),
     ("rate too high", 8.1, 1.1), ("", 7.9, 1.1), ("", 8.1, 0.9)],
)  # fmt: skip
def test_a_rate_is_off_from_eight_times_on_and_only_while_much_is_left_to_learn(kind, factor, last):
    usual = Task(GUESSING, 25.0, Settings(recipe="modern", epochs=3), 32).usual_rate
    assert kind_of(advised([last, last, last], lr=usual * factor)) == kind


def test_a_better_rate_is_named():
    usual = Task(GUESSING, 25.0, Settings(recipe="modern", epochs=3), 32).usual_rate
    for factor, better in ((9.0, usual), (1.5, usual * 0.5)):
        message = advised([0.5, 0.3, 1.2], lr=usual * factor).message
        assert f"try lr {better:.2g}" in message
