"""`jitnet predict`: what a run's network sees in image files, or says of the rows of a table."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from jitnet.commands.support import listing, standard_input, trained_run
from jitnet.commands.support.json_answer import class_fields, model_fields, print_json
from jitnet.commands.support.table_answers import answer
from jitnet.data.pictures.prepare import Prepared
from jitnet.data.pictures.resize import at_most
from jitnet.data.readers.kinds import is_table
from jitnet.data.split import with_channels
from jitnet.display.live.frame import glyphs_for
from jitnet.display.pictures import as_bytes, draw_image, print_prediction, print_side_by_side, single
from jitnet.errors import InputError
from jitnet.model.network import Network
from jitnet.model.scores import probabilities
from jitnet.printing import say
from jitnet.run.trained import Trained

_DRAWN = 12  # of more images there is a line each, and no picture


def run(args: argparse.Namespace) -> int:
    """Print a line per image, of a few images a picture and bars too, and return the exit code: 1 if one has none."""
    args.stdin = None
    if "-" not in (*args.images, str(args.csv)):
        return _predict(args)
    with standard_input.spooled() as args.stdin:
        if args.images == ["-"] and args.csv is None and is_table(args.stdin):
            args.csv, args.images = args.stdin, []
        args.csv = args.stdin if str(args.csv) == "-" else args.csv
        args.images = [str(args.stdin) if image == "-" else image for image in args.images]
        return _predict(args)


def _predict(args: argparse.Namespace) -> int:
    if len(args.images) == 1 and args.csv is None and _is_table(Path(args.images[0])):
        args.csv, args.images = Path(args.images[0]), []
    if bool(args.images) == bool(args.csv):
        given = "both IMAGE files and --csv are given" if args.csv else "nothing is given to predict"
        raise InputError(f"{given}: expected IMAGE files or folders, or --csv FILE, one of them")
    if args.out and not args.csv:
        raise InputError("--out is given without --csv: expected a table to answer")
    if args.submission and not args.out:
        raise InputError("--submission is given without --out: expected the file to write")
    if args.out and args.json:
        raise InputError("--out is given with --json, whose answers go to standard output: omit one of them")
    if args.label is not None and not args.csv:
        raise InputError("--label is given without --csv: expected a table, of which it names a column")
    if args.show_steps and (args.csv or args.json):
        given = "a table" if args.csv else "--json"
        raise InputError(f"--show-steps is given with {given}: it draws pictures, omit it")
    network, trained, epoch = trained_run.load_named(args)
    about = trained_run.about(trained, epoch)
    if args.csv or trained.settings.target:
        return answer(args, network, trained, about, epoch)
    return _pictures(args, network, trained, about, epoch)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".tsv") or (path.is_file() and is_table(path))


def _pictures(args: argparse.Namespace, network: Network, trained: Trained, about: str, epoch: int) -> int:
    record = trained_run.record_of(trained)
    pictures = list(trained_run.pictures(args.images, record, network.image))
    images = [picture.image for _, picture in pictures if isinstance(picture, Prepared)]
    chances: Iterator[np.ndarray] = iter(())
    if images:
        stack = np.broadcast_to(with_channels(np.stack(images)), (len(images), *network.image))
        chances = iter(probabilities(trained_run.logits(network, stack)))
    failed = len(pictures) - len(images)
    if args.json:
        answers = [_answer(args, name, picture, record.name_of, chances) for name, picture in pictures]
        print_json("predict", model=model_fields(trained, epoch), answers=answers)
        return 1 if failed else 0
    out = listing.console()
    mark = " (trained on synthetic digits)" if trained.meta.get("data") == "synthetic" else ""
    for name, picture in pictures:
        if isinstance(picture, InputError):
            say(f"{_shown(args, name)}: no answer: {_shown(args, str(picture).removeprefix(f'{name}: '))}")
            continue
        chance = next(chances)
        ranked = np.argsort(-chance, kind="stable")[:3]
        shown = "  ".join(f"{record.name_of(label)} {100 * chance[label]:5.1f} %" for label in ranked)
        notes = f"    doubtful: {'; '.join(picture.notes)}" if picture.notes else ""
        say(f"{_shown(args, name)}: {record.name_of(ranked[0])}    {shown}{mark}{notes}")
        if args.show_steps:
            _draw_steps(out, picture.steps)
        if len(pictures) <= _DRAWN:
            print_prediction(out, picture.image, chance, name_of=record.name_of)
    say(f"by {about}; {failed} of {len(pictures)} have no answer" if failed else f"by {about}")
    return 1 if failed else 0


def _shown(args: argparse.Namespace, text: str) -> str:
    """Return text with the name of standard input in the place of the file that holds it."""
    return text.replace(str(args.stdin), standard_input.NAME) if args.stdin else text


def _answer(
    args: argparse.Namespace, name: str, picture: Prepared | InputError, name_of: Any, chances: Iterator[np.ndarray]
) -> dict[str, Any]:
    """Return the JSON record of a picture; one that has an answer takes the next probabilities (K,)."""
    if isinstance(picture, InputError):
        reason = str(picture).removeprefix(f"{name}: ")
        return {"name": _shown(args, name), "class": None, "error": _shown(args, reason)}
    return {"name": _shown(args, name)} | class_fields(next(chances), name_of) | {"notes": list(picture.notes)}


def _draw_steps(out: Console, steps: list[tuple[str, np.ndarray]]) -> None:
    """Draw what was done to a picture, step by step: pairs of a name and an image (H, W, ...) uint8."""
    glyphs = glyphs_for(out.encoding, os.environ.get("TERM", ""))
    say("  " + " -> ".join(f"{name} ({image.shape[1]} x {image.shape[0]})" for name, image in steps))
    small = [as_bytes(at_most(single(image), 28)) for _, image in steps]
    print_side_by_side(out, *(draw_image(each, glyphs, out.color_system is not None) for each in small))
