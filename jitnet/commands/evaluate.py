"""`jitnet eval`: measure a run's network on its test images."""

import argparse
from typing import Any

from jitnet.commands import options


def add_parser(subparsers: Any) -> None:
    """Add `eval` to the command line."""
    parser = subparsers.add_parser("eval", help="measure a run's loss and accuracy on the test images")
    options.add_run(parser)
    parser.add_argument("--best", action="store_true", help="the best epoch by validation instead of the last")
    parser.add_argument("--data", metavar="SET", help="measure on other data (default: the run's own)")
    parser.add_argument("--threads", metavar="N", type=int, help="threads of the kernels")
    parser.add_argument("--offline", action="store_true", help="never open a connection")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the loss and the accuracy and return the exit code."""
    from jitnet import threads

    threads.configure(args.threads)

    from jitnet.commands import loading
    from jitnet.errors import InputError
    from jitnet.network import score
    from jitnet.training import with_channels
    from jitnet.views.progress import counted

    network, folder, epoch = loading.load_trained(args.run_name, args.runs_dir, "best" if args.best else None)
    settings = folder.settings
    if settings.target and args.data not in (None, settings.data):
        raise InputError(f"--data is {args.data!r}: {folder.path} is a regression, measured on {settings.data} alone")
    data = loading.load_data(args.data or settings.data, args.offline, loading.warn, settings.target)
    images = with_channels(data.x_test)
    if images.shape[1:] != network.image or data.classes > network.classes:
        raise InputError(
            f"{data.name} has images of {images.shape[1:]} in {data.classes} classes: "
            f"expected {network.image} in at most {network.classes}, what {folder.path} was trained on"
        )
    loss, accuracy = score(network.logits(images), data.y_test, network.loss)
    loss *= data.unit
    mark = " (synthetic digits)" if data.synthetic else ""
    if folder.meta["data"] == "synthetic" and not data.synthetic:
        mark = " (trained on synthetic digits)"
    kind = "rows" if settings.target else "images"
    print(f"{folder.path} after {counted(epoch)}, on {len(images):,} test {kind} of {data.name}{mark}")
    measure = f"rmse = {loss**0.5:.6g}" if accuracy is None else f"accuracy = {accuracy:.2f}"
    print(f"loss = {loss:.6f} {measure}{mark}")
    return 0
