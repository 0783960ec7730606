"""`jitnet eval`: measure a run's network on its test images."""

import argparse
import functools

from jitnet.commands.support import trained_run
from jitnet.commands.support.json_answer import data_fields, figures, model_fields, print_json
from jitnet.display.format import count, percentage, significant
from jitnet.errors import InputError
from jitnet.model.scores import over_shifts, probabilities, score
from jitnet.printing import say
from jitnet.report.measure import reliability


def run(args: argparse.Namespace) -> int:
    """Print the loss and the accuracy and return the exit code."""
    network, folder, epoch = trained_run.load_named(args)
    settings = folder.settings
    data, images = trained_run.load_test(network, folder, args.data, args.offline)
    if args.tta and (settings.target or min(network.image[:2]) < 2):
        raise InputError(f"--tta shifts images: expected a run on images, {folder.path} was trained on a table")
    logits_of = functools.partial(trained_run.logits, network)
    scores = over_shifts(logits_of, images) if args.tta else logits_of(images)
    loss, accuracy = score(scores, data.y_test, network.loss)
    loss *= data.unit
    mark = trained_run.mark(data, folder, args.data)
    if args.json:
        measured = figures(loss, accuracy) | {"calibration_error": None, "tta": args.tta}
        if accuracy is not None:
            chances = probabilities(scores)
            _, measured["calibration_error"] = reliability(chances.max(axis=1), chances.argmax(axis=1) == data.y_test)
        print_json("eval", model=model_fields(folder, epoch), data=data_fields(data, len(images), mark), **measured)
        return 0
    kind = "test row" if settings.target else "test image"
    say(f"{trained_run.after(folder, epoch)}, on {count(len(images), kind)} of {data.name}{mark}")
    measure = f"rmse = {significant(loss**0.5)}" if accuracy is None else f"accuracy = {percentage(accuracy)}"
    shifts = ", mean of 5 shifts of each image (--tta)" if args.tta else ""
    say(f"loss = {loss:.6f} {measure}{mark}{shifts}")
    return 0
