"""`jitnet sweep`: every combination of some settings, or random ones; the worse ones may end early."""

import argparse
from typing import Any

from jitnet.commands.support import many
from jitnet.commands.support.settings import settings_of
from jitnet.config import PRESETS
from jitnet.errors import InputError
from jitnet.trials.plan import parse_bounds, parse_values, plan


def run(args: argparse.Namespace) -> int:
    """Train all and return the exit code."""
    for texts in (args.grid, args.range):  # NETWORK may also come after their values, which have a "="
        if args.network is None and texts and texts[-1] in PRESETS:
            args.network = texts.pop()
    if not args.grid and not args.range:
        raise InputError("nothing varies: expected --grid lr=0.01,0.03 or --random N --range lr=1e-4:1e-1")
    grid: dict[str, Any] = {}
    bounds: dict[str, Any] = {}
    for option, texts, parse, found in (
        ("--grid", args.grid, parse_values, grid),
        ("--range", args.range, parse_bounds, bounds),
    ):
        for text in texts:
            name, values = parse(text)
            if name in found:
                raise InputError(f"{option} names {name} twice: expected its values in one")
            found[name] = values
    return many.run(
        args,
        plan(
            settings_of(args, (*grid, *bounds)), "sweep", grid, bounds, seeds=args.seeds, draws=args.random,
            draw_seed=args.random_seed, halving=args.halving,
        ),
    )  # fmt: skip
