"""What a network does on its test images: confusions, the calibration of its probabilities, errors."""

from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same confidence."""

    low: float
    high: float
    images: int
    confidence: float  # mean, NaN when empty
    accuracy: float


@dataclass(frozen=True)
class Mistake:
    """A test image that is classified wrongly."""

    index: int
    label: int
    predicted: int
    probabilities: tuple[float, ...]
    loss: float


@dataclass(frozen=True)
class Measured:
    """All that a report shows of a network and its test images."""

    data: str
    images: int
    loss: float
    accuracy: float  # in percent
    confusion: np.ndarray  # (true class, predicted class) int64
    bins: tuple[Bin, ...]
    calibration_error: float  # expected calibration error, 0 to 1
    mistakes: tuple[Mistake, ...]  # the largest losses first
    errors: int
    names: tuple[str, ...] = ()  # of the classes

    def name_of(self, label: int) -> str:
        """Return a class's name, its number where there is none."""
        return self.names[label] if label < len(self.names) else str(label)


def measure(
    data: str, probabilities: np.ndarray, targets: np.ndarray, most: int = 24, names: tuple[str, ...] = ()
) -> Measured:
    """Measure predictions.

    Parameters
    ----------
    data : the data set's name
    probabilities : (n, classes) float64, each row sums to 1
    targets : (n,) the true classes
    most : how many of the worst mistakes to keep
    names : of the classes, in order
    """
    n, classes = probabilities.shape
    predicted = probabilities.argmax(axis=1)
    truth = targets.astype(np.int64)
    confusion = np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    losses = -np.log(np.maximum(probabilities[np.arange(n), truth], 1e-300))
    wrong = np.flatnonzero(predicted != truth)
    bins, error = reliability(probabilities.max(axis=1), predicted == truth)
    worst = wrong[np.argsort(-losses[wrong], kind="stable")][:most]
    return Measured(
        data=data,
        images=n,
        loss=float(losses.mean()),
        accuracy=100 * float((predicted == truth).mean()),
        confusion=confusion,
        bins=bins,
        calibration_error=error,
        mistakes=tuple(
            Mistake(int(i), int(truth[i]), int(predicted[i]), tuple(map(float, probabilities[i])), float(losses[i]))
            for i in worst
        ),
        errors=len(wrong),
        names=names,
    )


def reliability(confidence: np.ndarray, right: np.ndarray) -> tuple[tuple[Bin, ...], float]:
    """Return predictions in ten bins of confidence, and the expected calibration error (Guo et al. 2017).

    The error is the mean of |accuracy - confidence| over the bins, each weighted by its images.
    """
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins, error = [], 0.0
    for place in range(BINS):
        inside = places == place
        count = int(inside.sum())
        mean = float(confidence[inside].mean()) if count else float("nan")
        share = float(right[inside].mean()) if count else float("nan")
        bins.append(Bin(place / BINS, (place + 1) / BINS, count, mean, share))
        if count:
            error += count / len(confidence) * abs(share - mean)
    return tuple(bins), error
