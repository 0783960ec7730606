"""Measure the cost of the live dashboard: the time of a frame, and the share of a core at ten frames a second.

    python bench/dashboard.py          a few seconds
    python bench/dashboard.py --json   the record alone

A run's own events are drawn as fast as they go, to a pseudo-terminal that something reads, as a terminal would.
"""

import argparse
import json
import os
import pty
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout needs no install

from jitnet.display.live import dashboard
from jitnet.display.live.dashboard import Dashboard
from jitnet.events import Event, from_record

GOAL = 0.01  # of a core
FRAMES_PER_S = 10
RUN = Path(__file__).resolve().parents[1] / "runs" / "reference-cnn"


def events(run: Path) -> list[Event]:
    """Return the events that the displays of a run received."""
    with open(run / "events.jsonl", encoding="utf-8") as lines:
        return [from_record(json.loads(line)) for line in lines]


def frame_times(shown: list[Event], columns: int, rows: int, rounds: int) -> list[float]:
    """Return the seconds of each frame when every event draws one."""
    leader, follower = pty.openpty()
    # rich asks the process's own terminal and environment else; full colour is the most that is ever written
    # rich asks the process's own terminal and environment else; full colour is the most that is ever written
    os.environ |= {"COLUMNS": str(columns), "LINES": str(rows), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    reader = threading.Thread(target=_drain, args=(leader,), daemon=True)
    reader.start()
    times = []
    dashboard.SHARE, dashboard.SHORTEST_S = 0.0, 0.0  # no pause between frames: each event is one
    environ = {"TERM": "xterm-256color"}
    with open(follower, "w", encoding="utf-8") as stream, open(os.devnull) as nobody:
        for _ in range(rounds):
            with Dashboard(stream, environ, keyboard=nobody) as view:
                for event in shown[:-1]:
                    frames, began = view.frames, time.perf_counter()
                    view.handle(event)
                    if view.frames > frames:
                        times.append(time.perf_counter() - began)
    return times


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:  # the other end is closed
        pass


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the exit code: 1 if a frame costs too much."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="print the record alone")
    parser.add_argument("--run", type=Path, default=RUN, help="a run folder (default: the reference run)")
    parser.add_argument("--rounds", type=int, default=5, help="times that the run is drawn (default: 5)")
    args = parser.parse_args(arguments)
    shown, record = events(args.run), []
    for columns, rows in ((100, 40), (160, 50), (80, 24), (50, 10)):
        times = frame_times(shown, columns, rows, args.rounds)
        median = statistics.median(times)
        record.append({"columns": columns, "rows": rows, "frames": len(times), "ms": 1000 * median,
                       "share_at_10_per_s": FRAMES_PER_S * median})  # fmt: skip
    if args.json:
        print(json.dumps(record))
    else:
        for row in record:
            print(f"{row['columns']:4d} x {row['rows']:2d}: {row['ms']:.2f} ms a frame (median of {row['frames']}), "
                  f"{100 * row['share_at_10_per_s']:.2f} % of a core at {FRAMES_PER_S} a second")  # fmt: skip
    return int(max(row["share_at_10_per_s"] for row in record) > GOAL)


if __name__ == "__main__":
    sys.exit(main())
