"""Trials in words: what became of one, and how much of all is done."""

from jitnet.display.format import count, duration, number, percentage, significant
from jitnet.history.board import OVER, Board, Row


def outcome(row: Row) -> str:
    """Return what became of a trial, as a clause."""
    parts = [row.status]
    if row.epoch:
        parts.append(count(row.epoch))
    if row.train_loss is not None:
        parts.append(f"avg loss = {number(row.train_loss, 6)}")
    for name, value in (("val accuracy", row.val_accuracy), ("accuracy", row.test_accuracy)):
        if value is not None:
            parts.append(f"{name} = {percentage(value)}")
    if row.test_accuracy is None and row.test_loss is not None:
        parts.append(f"rmse = {significant(row.test_loss**0.5)}")
    return ", ".join(parts) + (f": {row.message}" if row.message else "")


def overview(board: Board) -> str:
    """Return the progress of all trials, as a clause: how many are over, the best, the time left."""
    parts = [f"{board.count(*OVER)} of {len(board.rows)}"]
    if board.best is not None:
        parts.append(f"best {_figure(board.best)} ({board.best.name})")
    left = board.left_s()
    if left:
        parts.append(f"about {duration(left)} left")
    return ", ".join(parts)


def _figure(row: Row) -> str:
    if row.val_accuracy is not None:
        return f"{percentage(row.val_accuracy)} on validation"
    return percentage(row.test_accuracy) if row.test_accuracy is not None else f"loss {significant(-row.figure)}"
