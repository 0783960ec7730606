"""Small pictures that events carry: test images, the largest errors, and the first layer's weights."""

import numpy as np

from jitnet.model.network import Network

SAMPLE = 12  # test images whose pictures and predictions views show
FILM = 100  # test images whose predictions of each epoch are kept, for the film of a run
_FILTERS = 16
_SIDE = 10  # pixels of a small picture


def thumbnail(image: np.ndarray) -> str:
    """Return an image (H, W) or (H, W, C) as 10 x 10 hexadecimal digits of grey, a seventh of each margin cut off.

    >>> thumbnail(np.full((28, 28), 255, np.uint8)) == "f" * 100
    True
    """
    grey = image.mean(axis=-1) if image.ndim == 3 else image.astype(float)
    top, left = grey.shape[0] // 7, grey.shape[1] // 7
    grey = _means(grey[top : grey.shape[0] - top, left : grey.shape[1] - left])
    return "".join(f"{min(15, int(value / 16)):x}" for value in grey.ravel())


def _means(grey: np.ndarray) -> np.ndarray:
    """Return a picture (H, W) of floats as 10 x 10 means."""
    height, width = grey.shape
    fine = grey.repeat(_SIDE, axis=0).repeat(_SIDE, axis=1)  # each of the 10 x 10 is then a mean of whole pixels
    return fine.reshape(_SIDE, height, _SIDE, width).mean(axis=(1, 3))


def largest_errors(logits: np.ndarray, targets: np.ndarray, count: int = SAMPLE) -> np.ndarray:
    """Return the numbers of the wrong images whose answer has the largest lead over the true class, the worst first.

    >>> largest_errors(np.array([[0.0, 1.0], [0.0, 9.0], [1.0, 0.0]]), np.array([0, 0, 0])).tolist()
    [1, 0]
    """
    lead = logits.max(axis=1) - logits[np.arange(len(targets)), targets]
    order = np.argsort(-lead, kind="stable")[:count]
    return order[lead[order] > 0]


def of_test_images(
    network: Network, images: np.ndarray, targets: np.ndarray, logits: np.ndarray
) -> dict[str, tuple[str, ...] | tuple[int, ...]]:
    """Return what an epoch's event shows of test images (n, H, W, C), by the names of its fields; nothing of numbers.

    `targets` are classes (n,), or numbers (n, K); `logits` are the scores (n, K).
    """
    if targets.ndim != 1:
        return {}
    worst, predicted = largest_errors(logits, targets), logits.argmax(axis=1)
    return {
        "sample_predictions": tuple(map(int, predicted[:FILM])),
        "worst": tuple(thumbnail(images[place]) for place in worst),
        "worst_labels": tuple(int(targets[place]) for place in worst),
        "worst_predictions": tuple(int(predicted[place]) for place in worst),
        "filters": first_filters(network),
    }


def first_filters(network: Network) -> tuple[str, ...]:
    """Return up to 16 filters of the first layer, each as hexadecimal digits of its weights: 8 is zero.

    A convolution has 9 digits, the mean over its channels; a dense layer 100, the weights of a unit as a small image.
    """
    shape = network.shapes[0]
    weight = network.tensors()[f"{shape.name}.weight"].astype(np.float64)
    if weight.ndim == 4:  # (3, 3, C, OC)
        filters = [weight[..., o].mean(axis=-1) for o in range(min(_FILTERS, weight.shape[-1]))]
    else:  # (inputs, units)
        height, width, channels = network.image
        images = weight[:, :_FILTERS].reshape(height, width, channels, -1).mean(axis=2)
        filters = [_means(images[..., unit]) for unit in range(images.shape[-1])]
    most = max(float(np.abs(each).max()) for each in filters) or 1.0
    return tuple("".join(f"{round(7.5 + 7.5 * value / most):x}" for value in each.ravel()) for each in filters)
