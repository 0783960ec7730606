"""Write docs/gallery.md and its pictures: what ten commands show, run here on the built-in digits.

python docs/make_gallery.py
"""

import io
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 125, 44  # of a picture: what is longer is cut
RECIPE = "--data synthetic --limit 4000 --batch-size 16 --lr 0.1 --init he --shuffle"
MANY = RECIPE.replace(" --lr 0.1", "")
# (name of the picture, what it shows, command)
COMMANDS = [
    ("train", "A network learns", f"jitnet train cnn {RECIPE} --epochs 3 --name digits"),
    ("summary", "What is in a network", "jitnet summary cnn"),
    ("errors", "Where it is wrong", "jitnet errors digits --count 3"),
    ("trace", "One image on its way through the layers", "jitnet trace digits --image 7"),
    ("plot", "How the loss fell", "jitnet runs plot digits"),
    ("schedule", "The learning rate of each epoch", "jitnet schedule cnn --schedule one-cycle --epochs 12"),
    ("sweep", "The best of several settings", f"jitnet sweep mlp --grid lr=0.03,0.3 hidden=20,60 {MANY} --epochs 2"),
    ("repeat", "How much chance there is in a result", f"jitnet repeat mlp --seeds 3 --hidden 40 {RECIPE} --epochs 2"),
    ("show", "Everything about a run, later", "jitnet runs show digits"),
    ("onnx", "The network in another program", "jitnet export onnx digits --out digits.onnx"),
]


def shown(command: str, folder: Path) -> str:
    """Run a command in a folder and return what it prints, with its colours."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parent), "COLUMNS": str(WIDTH), "FORCE_COLOR": "1"}
    environment |= {"TTY_COMPATIBLE": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color"}
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command} failed with {done.returncode}:\n{done.stdout}{done.stderr}")
    return "".join(line for line in done.stdout.splitlines(True) if " kernels " not in line)  # of compiling: chance


def picture(text: str, title: str) -> str:
    """Return text with escape codes as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    lines = text.rstrip().splitlines()
    console.print(Text.from_ansi("\n".join([*lines[:HEIGHT], *["..."] * (len(lines) > HEIGHT)])))
    return console.export_svg(title=title, unique_id="jitnet")


def main() -> None:
    """Write the page and its pictures."""
    folder = HERE / "gallery"
    folder.mkdir(exist_ok=True)
    page = ["# Gallery", "", "Ten commands on the built-in digits. `python docs/make_gallery.py` makes this page.", ""]
    with tempfile.TemporaryDirectory() as work:
        for name, what, command in COMMANDS:
            svg = picture(shown(command, Path(work)), command)
            (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
            page += [f"## {what}", "", "```", command, "```", "", f"![{what}](gallery/{name}.svg)", ""]
    (HERE / "gallery.md").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
