"""`jitnet eval`: measure a run's network on its test images."""

import argparse
from typing import Any

from jitnet.commands.support import options
from jitnet.printing import say


def add_parser(subparsers: Any) -> None:
    """Add `eval` to the command line."""
    parser = options.add_command(
        subparsers,
        "eval",
        "jitnet eval latest --best  the epoch with the best validation accuracy",
        "jitnet eval model.safetensors --data mnist  a model that save() wrote",
    )
    options.add_model(parser)
    parser.add_argument("--data", metavar="SET", help="measure on other data (default: the run's own)")
    parser.add_argument("--threads", metavar="N", type=int, help="threads of the kernels")
    parser.add_argument("--offline", action="store_true", help="never open a connection")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the loss and the accuracy and return the exit code."""
    from jitnet.machine import threads

    threads.configure(args.threads)

    from jitnet.commands.support import trained_run
    from jitnet.display.format import count, percentage, significant
    from jitnet.model.scores import score

    network, folder, epoch = trained_run.load_trained(args.run_name, args.runs_dir, "best" if args.best else None)
    settings = folder.settings
    data, images = trained_run.load_test(network, folder, args.data, args.offline)
    loss, accuracy = score(trained_run.logits(network, images), data.y_test, network.loss)
    loss *= data.unit
    mark = trained_run.mark(data, folder, args.data)
    kind = "test row" if settings.target else "test image"
    say(f"{folder.path} after {count(epoch)}, on {count(len(images), kind)} of {data.name}{mark}")
    measure = f"rmse = {significant(loss**0.5)}" if accuracy is None else f"accuracy = {percentage(accuracy)}"
    say(f"loss = {loss:.6f} {measure}{mark}")
    return 0
