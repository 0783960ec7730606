"""Make the pictures of the documents: docs/screen.svg and docs/film.svg from events of real runs, docs/report.png.

python docs/pictures.py            all; the report needs chromium
python docs/pictures.py --record   first trains the run that the screen shows, a minute, with JITNET_DATA at MNIST
python docs/pictures.py --check    whether they are current; exit code 1 if not
"""

import argparse
import hashlib
import html
import os
import re
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
EVENTS = DOCS / "screen.jsonl"  # of the documents' run: jitnet train cnn --epochs 9
FILM = DOCS / "film.jsonl"  # the run and its epochs, on the built-in digits: jitnet train cnn --data synthetic
AT = 0.6  # share of the events to show
RUN = ROOT / "runs" / "reference-cnn"

sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]  # a checkout needs no install


def record() -> None:
    """Train the documents' network and keep its events."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mnist").symlink_to(
            os.environ["JITNET_DATA"]
        )  # so that the picture names no folder of this machine
        words = ["train", "cnn", "--epochs", "9", "--data", "mnist/", "--name", "documents-cnn", "--ui", "plain"]
        environment = {name: value for name, value in os.environ.items() if name != "JITNET_DATA"}
        subprocess.run(
            [sys.executable, "-m", "jitnet", *words],
            check=True, cwd=folder, env=environment | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        EVENTS.write_text(Path(folder, "runs", "documents-cnn", "events.jsonl").read_text())


def drawn_screen() -> str:
    """Return the screen as the code draws it now."""
    script = runpy.run_path(str(DOCS / "make_screen.py"))
    events = script["read_events"](EVENTS)
    return script["screen"](events[: round(AT * len(events))])


def drawn_film() -> str:
    """Return the animated picture of a run as the code draws it now."""
    from jitnet.events import EpochDone, RunStarted
    from jitnet.report.animation import animation

    started, *rows = runpy.run_path(str(DOCS / "make_screen.py"))["read_events"](FILM)
    assert isinstance(started, RunStarted)
    return animation(started, [row for row in rows if isinstance(row, EpochDone)])


def words(svg: str) -> list[str]:
    """Return the texts of an SVG, which must be current; the rest depends on the version of rich."""
    return [html.unescape(text).replace("\xa0", " ") for text in re.findall(r"<text [^>]*>([^<]*)</text>", svg)]


def report_sources() -> str:
    """Return a hash of the sources and the data of the report."""
    digest = hashlib.sha256()
    for path in [*sorted((ROOT / "jitnet" / "report").glob("*.py")), RUN / "metrics.csv"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def stale() -> list[str]:
    """Return the pictures that the code would now draw differently."""
    found = []
    if words((DOCS / "screen.svg").read_text(encoding="utf-8")) != words(drawn_screen()):
        found.append("docs/screen.svg")
    if (DOCS / "film.svg").read_text(encoding="utf-8") != drawn_film():
        found.append("docs/film.svg")
    if (DOCS / "report.sha256").read_text().strip() != report_sources():
        found.append("docs/report.png")
    return found


def main() -> int:
    """Draw or check the pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--record", action="store_true", help="first train the run that the screen shows")
    args = parser.parse_args()
    if args.record:
        record()
    if args.check:
        print("\n".join(f"{name} is stale: python docs/pictures.py" for name in stale()) or "the pictures are fresh")
        return int(bool(stale()))
    (DOCS / "screen.svg").write_text(drawn_screen(), encoding="utf-8")
    (DOCS / "film.svg").write_text(drawn_film(), encoding="utf-8")
    from browser import screenshot

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        subprocess.run([sys.executable, "-m", "jitnet", "report", RUN, "--out", page], check=True, cwd=ROOT)
        screenshot(Path(folder), page, DOCS / "report.png", width=1100, height=1500)
    (DOCS / "report.sha256").write_text(report_sources() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
