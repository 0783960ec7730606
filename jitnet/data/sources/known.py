"""The data sets whose files jitnet knows: their names, what they must contain, and who serves them.

A new one is a new entry of `KNOWN`; nothing else changes.
"""

from dataclasses import dataclass, field

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
    sha256: dict[str, str] = field(default_factory=dict)  # of each part's uncompressed IDX file, or else
    md5: dict[str, str] = field(default_factory=dict)  # of each part's .gz file: all that some publishers state
    npz: str  # the name under which Keras keeps it, "" if it does not
    folder: str  # the folder in which torchvision keeps it
    class_names: tuple[str, ...] = ()  # where they are no digits
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
FASHION = Known(
    name="fashion",
    title="Fashion-MNIST",
    classes=10,
    shapes=MNIST.shapes,
    md5={
        "x_train": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "y_train": "25c81989df183df01b3e8a0aad5dffbe",
        "x_test": "bef4ecab320f06d8554ea6380940ec79",
        "y_test": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    npz="",
    folder="FashionMNIST",
    class_names=(
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
)
KMNIST = Known(
    name="kmnist",
    title="KMNIST",
    classes=10,
    shapes=MNIST.shapes,
    md5={
        "x_train": "bdb82020997e1d708af4cf47b453dcf7",
        "y_train": "e144d726b3acfaa3e44228e80efcd344",
        "x_test": "5c965bf0a639b31b8f53240b1b52f4d7",
        "y_test": "7320c461ea6c1c855c0b718fb2a4b134",
    },
    npz="",
    folder="KMNIST",
    class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
)
KNOWN = {known.name: known for known in (MNIST, FASHION, KMNIST)}
