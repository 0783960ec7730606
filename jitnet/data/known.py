"""The data sets whose files jitnet knows: their names, what they must contain, and who serves them.

A new one is a new entry of `KNOWN`; nothing else changes.
"""

from dataclasses import dataclass

PARTS = ("x_train", "y_train", "x_test", "y_test")
FILES = {  # the names under which every data set of this family is published, with or without .gz
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


@dataclass(frozen=True, kw_only=True)
class Known:
    """A published data set: what its four uncompressed IDX files are, and where to get them."""

    name: str  # as in `--data mnist`
    title: str  # as in a sentence
    classes: int
    shapes: dict[str, tuple[int, ...]]  # of each part
    sha256: dict[str, str]  # of each part's uncompressed IDX file
    npz: str  # the name under which Keras keeps it
    folder: str  # the folder in which torchvision keeps it
    mirrors: tuple[str, ...]  # URLs that end in a slash; independent hosts, tried in this order


MNIST = Known(
    name="mnist",
    title="MNIST",
    classes=10,
    shapes={"x_train": (60000, 28, 28), "y_train": (60000,), "x_test": (10000, 28, 28), "y_test": (10000,)},
    sha256={
        "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    npz="mnist.npz",
    folder="MNIST",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)
KNOWN = {known.name: known for known in (MNIST,)}
