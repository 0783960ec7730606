"""Make the pictures of the documents: docs/screen.svg and docs/film.svg from events of real runs, docs/report.png.

And docs/play.html, the page of the kept run with built-in digits, and docs/play.png, a picture of it.

python docs/pictures.py            all; the report and the page need chromium
python docs/pictures.py --only play   those of one name
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


def play_sources() -> str:
    """Return a hash of the sources and the data of the page."""
    digest = hashlib.sha256()
    parts = [path for path in sorted((ROOT / "jitnet" / "play").rglob("*")) if path.suffix not in (".pyc", "")]
    for path in [*parts, RUN / "last.safetensors"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def draw_play() -> None:
    """Write the page, draw a seven on it, and take a picture."""
    from devtools import Browser

    page = DOCS / "play.html"
    words = ["play", RUN, "--data", "synthetic", "--out", page]
    subprocess.run([sys.executable, "-m", "jitnet", *map(str, words)], check=True, cwd=ROOT)
    seven = [(0.25, 0.2), (0.4, 0.19), (0.55, 0.2), (0.72, 0.2), (0.66, 0.35), (0.58, 0.5), (0.5, 0.65), (0.44, 0.82)]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Browser(Path(folder), 1180, 1500) as browser,
    ):
        browser.open(page, "document.body !== null && document.body.dataset.ready !== undefined")
        browser.stroke("#pad", seven)
        browser.wait("document.querySelectorAll('#alike li').length > 0")
        browser.click("section.layer[aria-label=conv2] .map:nth-child(6)")
        browser.run("document.activeElement.blur(); window.scrollTo(0, 0)")
        browser.call("Emulation.setScrollbarsHidden", hidden=True)
        browser.screenshot(DOCS / "play.png")
        assert not browser.messages, browser.messages
    (DOCS / "play.sha256").write_text(play_sources() + "\n")


def stale() -> list[str]:
    """Return the pictures that the code would now draw differently."""
    found = []
    if words((DOCS / "screen.svg").read_text(encoding="utf-8")) != words(drawn_screen()):
        found.append("docs/screen.svg")
    if (DOCS / "film.svg").read_text(encoding="utf-8") != drawn_film():
        found.append("docs/film.svg")
    if (DOCS / "report.sha256").read_text().strip() != report_sources():
        found.append("docs/report.png")
    if (DOCS / "play.sha256").read_text().strip() != play_sources():
        found.append("docs/play.html")
    return found


def main() -> int:
    """Draw or check the pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--only", choices=("screen", "report", "play"), help="make only this one")
    parser.add_argument("--record", action="store_true", help="first train the run that the screen shows")
    args = parser.parse_args()
    if args.record:
        record()
    if args.check:
        print("\n".join(f"{name} is stale: python docs/pictures.py" for name in stale()) or "the pictures are fresh")
        return int(bool(stale()))
    if args.only in (None, "screen"):
        (DOCS / "screen.svg").write_text(drawn_screen(), encoding="utf-8")
        (DOCS / "film.svg").write_text(drawn_film(), encoding="utf-8")
    if args.only in (None, "report"):
        draw_report()
    if args.only in (None, "play"):
        draw_play()
    return 0


def draw_report() -> None:
    """Write the report of the kept run and take a picture of it."""
    from browser import screenshot

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        subprocess.run([sys.executable, "-m", "jitnet", "report", RUN, "--out", page], check=True, cwd=ROOT)
        screenshot(Path(folder), page, DOCS / "report.png", width=1100, height=1500)
    (DOCS / "report.sha256").write_text(report_sources() + "\n")


if __name__ == "__main__":
    sys.exit(main())
