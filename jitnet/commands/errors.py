"""`jitnet errors`: the test images that a run's network gets wrong, drawn, each with its probabilities."""

import argparse
from typing import Any

from jitnet.commands.support import options


def add_parser(subparsers: Any) -> None:
    """Add `errors` to the command line."""
    parser = options.add_command(
        subparsers,
        "errors",
        "jitnet errors latest --count 12  the twelve worst",
    )
    options.add_run(parser)
    parser.add_argument("--count", metavar="N", type=int, default=6, help="at most this many (default: 6)")
    parser.add_argument("--best", action="store_true", help="the best epoch by validation instead of the last")
    parser.add_argument("--data", metavar="SET", help="other data (default: the run's own)")
    parser.add_argument("--threads", metavar="N", type=int, help="threads of the kernels")
    parser.add_argument("--offline", action="store_true", help="never open a connection")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw the wrong images with the largest losses and return the exit code."""
    from jitnet.errors import InputError
    from jitnet.machine import threads

    if args.count < 1:
        raise InputError(f"--count is {args.count}: expected 1 or more")
    threads.configure(args.threads)

    from jitnet.commands.support import listing, trained_run
    from jitnet.display.format import count, percentage
    from jitnet.display.pictures import print_prediction
    from jitnet.model.network import probabilities
    from jitnet.report.measure import measure

    network, folder, _ = trained_run.load_trained(args.run_name, args.runs_dir, "best" if args.best else None)
    if folder.settings.target:
        raise InputError(f"{folder.path} approximates {folder.settings.target!r}: errors shows classified images only")
    data, images = trained_run.load_test(network, folder, args.data, args.offline)
    chances = probabilities(trained_run.logits(network, images))
    measured = measure(data.name, chances, data.y_test, args.count)
    mark = trained_run.mark(data, folder)
    names = trained_run.record_of(folder).name_of
    shown = f"; here are the {args.count} worst" if measured.errors > args.count else ""
    images_of = f"{count(len(images), 'test image')} of {data.name}{mark}"
    verb = "is" if measured.errors == 1 else "are"
    print(
        f"{folder.path}: {measured.errors:,} of {images_of} {verb} wrong ({percentage(measured.accuracy)} right){shown}"
    )
    out = listing.console()
    for mistake in measured.mistakes:
        about = f"true {names(mistake.label)}, predicted {names(mistake.predicted)}, loss {mistake.loss:.2f}"
        about = f"image {mistake.index}: {about}"
        print(f"\n{about}", flush=True)
        print_prediction(out, images[mistake.index], chances[mistake.index], mistake.label, names)
    return 0
