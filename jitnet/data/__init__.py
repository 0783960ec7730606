"""Data sets as checked uint8 arrays: MNIST from wherever it is, one's own files, the built-in digits."""

import os
import warnings
from collections.abc import Callable

import numpy as np

from jitnet.data.content import Report
from jitnet.data.dataset import Dataset
from jitnet.data.record import CLASS_FOLDERS, TABLES
from jitnet.data.sources import search
from jitnet.data.sources.cache import Cache, default_folder
from jitnet.data.sources.layouts import Options
from jitnet.errors import InputError
from jitnet.printing import say_once

__all__ = ["Dataset", "load", "load_mnist"]

Arrays = tuple[np.ndarray, np.ndarray]


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=3)


def load(
    spec: str | os.PathLike[str] = "auto",
    *,
    offline: bool = False,
    warn: Callable[[str], None] = _warn,
    report: Report = say_once,
    label: str = "",
    skip_damaged: bool = False,
    whole: bool = False,
) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    spec : "mnist", "fashion", "kmnist"; "synthetic", the built-in digits; "auto", MNIST or else, with a warning,
        the built-in digits; or a path (see `jitnet.data.sources.layouts.read`). "mnist" and "auto" look into
        JITNET_DATA first
    offline : never open a connection
    warn : takes a sentence about something the user should know; a Python warning unless given
    report : takes a description of a step that may take a while, and the share of it that is done, from 0 to 1;
        unless given, standard error says what is compiled
    label : the column of a table's labels, by name or number from 1, where it is not called label, class, target or y
    skip_damaged : leave damaged images of class folders out, and count them, instead of refusing the data
    whole : of a single file all images are test images: it is only measured on

    Returns
    -------
    Dataset of uint8 images (N, H, W) or (N, H, W, C) and labels (N,)

    Raises
    ------
    InputError : the requested data are missing or damaged
    """
    options = Options(label, skip_damaged, whole)
    data = search.load(os.fspath(spec), Cache(default_folder(), warn, report), offline, options)
    if label and data.facts.kind not in TABLES:
        raise InputError(f"a label column is given with {data.source}, which is not a table: omit --label")
    if skip_damaged and data.facts.kind != CLASS_FOLDERS:
        raise InputError(f"{data.source} has no class folders, of which files could be skipped: omit --skip-damaged")
    return data


def load_mnist(*, offline: bool = False) -> tuple[Arrays, Arrays]:
    """Load MNIST as Keras does, from JITNET_DATA, a copy on this machine, or the network.

    Returns
    -------
    (x_train, y_train), (x_test, y_test) : uint8, (60000, 28, 28), (60000,), (10000, 28, 28), (10000,)

    Raises
    ------
    InputError : MNIST is not available; nothing replaces it

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_mnist()  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (60000, 28, 28)
    """
    data = load("mnist", offline=offline)
    return (data.x_train, data.y_train), (data.x_test, data.y_test)
