"""Draw docs/screen.svg from the events of a real run; jitnet must be installed (`pip install -e .`).

python docs/make_screen.py runs/NAME --at 0.6
"""

import argparse
import io
import json
from pathlib import Path

from rich.console import Console

from jitnet.display.live.frame import GREYS
from jitnet.display.live.progress import DashboardState
from jitnet.display.live.screen import render, render_end
from jitnet.events import Event, from_record

WIDTH, HEIGHT = 120, 44


def read_events(path: Path) -> list[Event]:
    """Return the events of a run folder's events.jsonl."""
    with path.open(encoding="utf-8") as lines:
        return [from_record(json.loads(line)) for line in lines]


def screen(events: list[Event]) -> str:
    """Return the screen after these events as SVG; after the last event, the final screen."""
    state = DashboardState()
    for event in events:
        state.apply(event)
    frame = render_end(state, WIDTH, GREYS) if state.end else render(state, WIDTH, HEIGHT, GREYS)
    console = Console(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True)
    console.print(frame, end="")
    return console.export_svg(title=f"jitnet train {state.run.title}" if state.run else "jitnet")


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("--at", type=float, default=1.0, help="share of the run's events to show, 0 to 1")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("screen.svg"))
    choice = parser.parse_args()
    events = read_events(choice.run / "events.jsonl")
    choice.out.write_text(screen(events[: round(choice.at * len(events))]), encoding="utf-8")


if __name__ == "__main__":
    main()
