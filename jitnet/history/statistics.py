"""What repeated runs have in common: mean, deviation, range and confidence interval of each epoch's figures."""

import math
from collections.abc import Sequence
from typing import NamedTuple

FIGURES = ("train_loss", "val_loss", "val_accuracy", "test_loss", "test_accuracy", "test_rmse")
CONFIDENCE = 0.95


class Summary(NamedTuple):
    """Some runs' values of one figure after one epoch."""

    epoch: int
    figure: str
    n: int
    mean: float
    sd: float | None  # of the runs, n - 1 in the denominator; None of a single one
    min: float
    max: float
    low: float | None  # ends of the interval in which the mean of all such runs lies, at CONFIDENCE
    high: float | None


def summarise(runs: Sequence[Sequence[dict[str, float | None]]]) -> list[Summary]:
    """Return the statistics of runs, each given as its rows of metrics.csv, by epoch and figure."""
    found = []
    for epoch in range(max(map(len, runs), default=0)):
        for figure in FIGURES:
            values = [rows[epoch].get(figure) for rows in runs if len(rows) > epoch]
            known = [value for value in values if value is not None]
            if known:
                found.append(describe(epoch, figure, known))
    return found


def describe(epoch: int, figure: str, values: Sequence[float]) -> Summary:
    """Return the statistics of values, at least one.

    >>> describe(0, "test_accuracy", [98.0, 99.0, 100.0])[2:7]
    (3, 99.0, 1.0, 98.0, 100.0)
    """
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return Summary(epoch, figure, 1, mean, None, mean, mean, None, None)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = student_t(n - 1) * sd / math.sqrt(n)
    low, high = max(0.0, mean - half), mean + half  # no figure is below 0, no accuracy above 100
    high = min(100.0, high) if figure.endswith("accuracy") else high
    return Summary(epoch, figure, n, mean, sd, min(values), max(values), low, high)


def student_t(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Return the t with |T| < t at this confidence, T having Student's distribution.

    >>> round(student_t(29), 3)
    2.045
    """
    low, high = 0.0, math.pi / 2
    while high - low > 1e-15:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """Return the probability of |T| < sqrt(freedom) tan(angle): a finite sum for whole degrees of freedom.

    Source: Abramowitz, Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    cosine = math.cos(angle)
    odd = freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for k in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cosine * cosine * (k - 1) / k
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total
