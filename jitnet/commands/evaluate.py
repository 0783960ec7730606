"""`jitnet eval`: measure a run's network on its test images."""

import argparse

from jitnet.commands.support import options, trained_run
from jitnet.commands.support.json_answer import data_fields, figures, model_fields, print_json
from jitnet.display.format import count, percentage, significant
from jitnet.model.scores import score
from jitnet.printing import say


def run(args: argparse.Namespace) -> int:
    """Print the loss and the accuracy and return the exit code."""
    network, folder, epoch = trained_run.load_trained(args.run_name, args.runs_dir, options.kind_of(args))
    settings = folder.settings
    data, images = trained_run.load_test(network, folder, args.data, args.offline)
    loss, accuracy = score(trained_run.logits(network, images), data.y_test, network.loss)
    loss *= data.unit
    mark = trained_run.mark(data, folder, args.data)
    if args.json:
        measured = figures(loss, accuracy)
        print_json("eval", model=model_fields(folder, epoch), data=data_fields(data, len(images), mark), **measured)
        return 0
    kind = "test row" if settings.target else "test image"
    say(f"{folder.path} after {count(epoch)}, on {count(len(images), kind)} of {data.name}{mark}")
    measure = f"rmse = {significant(loss**0.5)}" if accuracy is None else f"accuracy = {percentage(accuracy)}"
    say(f"loss = {loss:.6f} {measure}{mark}")
    return 0
