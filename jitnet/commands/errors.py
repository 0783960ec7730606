"""`jitnet errors`: the test images that a run's network gets wrong, drawn, each with its probabilities."""

import argparse

from jitnet.commands.support import listing, options, trained_run
from jitnet.commands.support.json_answer import class_fields, data_fields, model_fields, print_json
from jitnet.display.format import count, percentage
from jitnet.display.pictures import print_prediction
from jitnet.errors import InputError
from jitnet.model.scores import probabilities
from jitnet.printing import say
from jitnet.report.measure import measure


def run(args: argparse.Namespace) -> int:
    """Draw the wrong images with the largest losses and return the exit code."""
    if args.count < 1:
        raise InputError(f"--count is {args.count}: expected 1 or more")
    network, trained, epoch = trained_run.load_trained(args.run_name, args.runs_dir, options.kind_of(args))
    trained_run.require_classifier(trained, "errors")
    data, images = trained_run.load_test(network, trained, args.data, args.offline)
    chances = probabilities(trained_run.logits(network, images))
    measured = measure(data.name, chances, data.y_test, args.count)
    mark = trained_run.mark(data, trained, args.data)
    names = trained_run.record_of(trained).name_of
    if args.json:
        mistakes = [
            {"image": mistake.index, "true": names(mistake.label), "loss": mistake.loss}
            | class_fields(chances[mistake.index], names)
            for mistake in measured.mistakes
        ]
        print_json(
            "errors", model=model_fields(trained, epoch), data=data_fields(data, len(images), mark),
            errors=measured.errors, accuracy=measured.accuracy, mistakes=mistakes,
        )  # fmt: skip
        return 0
    shown = f"; here are the {args.count} worst" if measured.errors > args.count else ""
    images_of = f"{count(len(images), 'test image')} of {data.name}{mark}"
    verb = "is" if measured.errors == 1 else "are"
    right = percentage(measured.accuracy)
    say(f"{trained.path}: {measured.errors:,} of {images_of} {verb} wrong ({right} right){shown}")
    out = listing.console()
    for mistake in measured.mistakes:
        about = f"true {names(mistake.label)}, predicted {names(mistake.predicted)}, loss {mistake.loss:.2f}"
        say("", f"image {mistake.index}: {about}")
        print_prediction(out, images[mistake.index], chances[mistake.index], mistake.label, names)
    return 0
