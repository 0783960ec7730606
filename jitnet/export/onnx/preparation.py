"""What happens to the numbers of the data before a network and after it, as the operators of an ONNX graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jitnet.data.pixels import BYTES
from jitnet.data.record import DataRecord
from jitnet.errors import InputError

Operation = tuple[str, np.ndarray | None]  # an operator, and its constant operand


@dataclass(frozen=True)
class Preparation:
    """The inputs of a graph, and elementwise operations before and after the network."""

    dtype: type  # of the inputs
    meaning: str  # of the inputs, in a sentence
    before: tuple[Operation, ...] = ()  # in the inputs' dtype, or after a Cast in float32
    after: tuple[Operation, ...] = ()


def preparation(record: DataRecord, regression: bool = False) -> Preparation:
    """Return what a network's data went through, by their record; one without a kind is of bytes."""
    if regression:
        mean, deviation = np.array(record.means, np.float64), np.array(record.deviations, np.float64)
        return Preparation(
            np.float64,
            f"rows of the columns {', '.join(record.columns)}, as the table has them",
            (("Sub", mean[:-1]), ("Div", deviation[:-1]), ("Cast", None)),
            (("Cast", None), ("Mul", deviation[-1:]), ("Add", mean[-1:])),
        )
    scale, full = record.scale, number(BYTES)
    if record.as_given:
        return Preparation(np.float32, "numbers as they were given to fit, which are not scaled")
    if scale.full == BYTES:
        return Preparation(np.uint8, "pixels from 0 to 255", (("Cast", None), ("Div", full)))
    share: tuple[Operation, ...] = (("Div", number(scale.full)),)
    if scale.low < 0:
        share += (("Add", number(1)), ("Div", number(2)))
    levels: tuple[Operation, ...] = (("Mul", full), ("Round", None), ("Clip", full), ("Div", full))
    low = -scale.full if scale.low < 0 else 0
    return Preparation(np.float32, f"pixels from {low:g} to {scale.full:g}, kept in 256 levels", share + levels)


def assumed(before: list[Operation], after: list[Operation], record: DataRecord, regression: bool, where: str) -> str:
    """Return what must be assumed of another model's inputs to use it on some data, as a sentence, "" if nothing.

    Raises `InputError` if it prepares its inputs, or scales its outputs, in another way than jitnet does for the data.
    """
    wanted = preparation(record, regression)
    if _alike(before, wanted.before) and _alike(after, wanted.after):
        return ""
    scaled = [_as_division(operation) for operation in before if operation[0] != "Cast"]
    if after or regression or (scaled and not _alike(scaled, [("Div", number(BYTES))])):
        raise InputError(
            f"{where} scales its inputs or outputs by {_listed([*before, *after])}: expected "
            f"{_listed([*wanted.before, *wanted.after])}, as jitnet does for these data"
        )
    return "" if scaled else f"{where} does not scale its inputs: they are taken to be pixels divided by 255, 0 to 1"


def number(value: float) -> np.ndarray:
    """Return a float32 scalar ()."""
    return np.array(value, np.float32)


def _as_division(operation: Operation) -> Operation:
    operator, operand = operation
    if operator == "Mul" and operand is not None and operand.size == 1 and operand.all():
        return "Div", number(1 / operand.item())
    return operation


def _alike(one: Sequence[Operation], other: Sequence[Operation]) -> bool:
    """Whether operations are the same, their constants to float32's accuracy."""
    return len(one) == len(other) and all(
        a == c and ((b is None) == (d is None)) and (b is None or d is None or _near(b, d))
        for (a, b), (c, d) in zip(one, other)
    )


def _near(one: np.ndarray, other: np.ndarray) -> bool:
    return one.size == other.size and np.allclose(one.ravel(), other.ravel(), rtol=1e-6, atol=0)


def _listed(operations: Sequence[Operation]) -> str:
    steps = []
    for operator, operand in operations:
        few = [] if operand is None else [f"{value:g}" for value in operand.ravel()[:3]]
        steps.append(" ".join([operator, *few, "..." * (operand is not None and operand.size > 3)]).strip())
    return ", ".join(steps) or "nothing"
