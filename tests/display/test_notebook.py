"""The notebook's view, the documented interface, and pictures that are not stale."""

import re
import runpy
import shutil
from dataclasses import fields
from typing import get_args

import pytest
from browser import CHROMIUM, MISSING, browse
from commands import ROOT
from sample_run import events
from test_live import Clock

from jitnet.display.live.frame import Frame
from jitnet.display.notebook import Notebook, to_html
from jitnet.events import Event, Warned


class Cell:
    """Stands in for IPython's display."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.displays = 0

    def __call__(self, thing, display_id=False):
        assert display_id
        self.displays += 1
        self.update(thing)
        return self

    def update(self, thing) -> None:
        self.shown.append(thing._repr_html_())


def test_one_output_updates_itself():
    cell = Cell()
    view = Notebook(cell, Clock(0.001))
    for event in events(data="synthetic"):
        view(event)
    view(Warned(message="<b>a disk</b>"))
    assert cell.displays == 1 and len(cell.shown) > 10
    assert "compiling kernels" in cell.shown[2] and "synthetic" in cell.shown[5]
    last = cell.shown[-2]
    assert "Final accuracy of test set = 95.49 (synthetic digits)" in re.sub("<[^>]*>", "", last)
    assert "&lt;b&gt;a disk" in cell.shown[-1] and "<b>" not in cell.shown[-1]
    assert all(text.count("<pre") == text.count("</pre>") == 1 and "\x1b" not in text for text in cell.shown)
    assert view.drawing_s > 0


def test_braille_keeps_its_column_whatever_the_font(tmp_path):
    html = to_html(Frame([[("│⠙ ⠁│", "loss")], [("│   │", "loss")]]), [])
    assert html.count("width:1ch") == 2 and re.sub("<[^>]*>", "", html) == "│⠙ ⠁│\n│   │"
    if CHROMIUM is None:
        pytest.skip(MISSING)
    widths = browse(tmp_path, f"<!doctype html><body>{html}</body>", """
    return [...document.querySelectorAll("pre > span")].map(s => s.getBoundingClientRect().width).join(" ");
    """).split()  # fmt: skip
    assert float(widths[0]) == pytest.approx(float(widths[1]), abs=0.5)


def test_steps_are_drawn_twice_a_second_at_most():
    cell, clock = Cell(), Clock(1e-6)
    view = Notebook(cell, clock)
    recorded = list(events())
    for event in recorded[:5]:
        view(event)
    before = len(cell.shown)
    for _ in range(100):
        clock.now += 0.1
        view(recorded[4])
    assert 15 <= len(cell.shown) - before <= 20


def test_in_a_real_notebook_one_output_shows_the_whole_run():
    """It is the default view. Runs where nbclient and ipykernel are; elsewhere the stand-in above has to do."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    client = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    code = f"""
import sys, warnings
sys.path.insert(0, {str(ROOT)!r})
import numpy as np
from jitnet import CNN
warnings.simplefilter("ignore")  # advice on so few images, which the view shows too
x = np.random.default_rng(0).integers(0, 256, (300, 6, 6), np.uint8)
model = CNN("conv2 pool dense4", epochs=2).fit(x, x[:, 0, 0] > 128);
"""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    client.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    assert {output.output_type for output in book.cells[0].outputs} == {"display_data"}, book.cells[0].outputs
    (output,) = book.cells[0].outputs
    text = re.sub("<[^>]*>", "", output.data["text/html"])
    assert output.data["text/plain"] == "a run of jitnet"
    for part in ("jitnet cnn", "conv2 pool dense4 dense2", "300 training", "2 epochs", "Total execution time"):
        assert part in text, part


def test_without_ipython_it_says_so(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "IPython.display", None)
    with pytest.raises(ImportError):
        Notebook()


def test_the_interface_for_programs_is_documented_completely():
    text = (ROOT / "docs" / "json.md").read_text()
    lines = text[: text.index("`jitnet repeat`")].splitlines()  # those of trials are not events of a run
    rows = {match[1]: line for line in lines if (match := re.match(r"\| `(\w+)` \|", line))}
    kinds = {kind.__name__: kind for kind in get_args(Event)}
    assert rows.keys() == kinds.keys()
    for name, kind in kinds.items():
        wanted = {item.name for item in fields(kind) if item.metadata.get("json", True)}
        assert wanted <= set(re.findall(r"`(\w+)`", rows[name])), name


def test_the_pictures_are_what_the_code_draws(tmp_path):
    script = runpy.run_path(str(ROOT / "docs" / "pictures.py"))
    assert script["stale"]() == [], "python docs/pictures.py draws them again"


def test_a_stale_picture_is_found(tmp_path):
    script = runpy.run_path(str(ROOT / "docs" / "pictures.py"))
    for name in ("screen.svg", "report.sha256", "film.svg", "play.sha256"):
        shutil.copy(ROOT / "docs" / name, tmp_path)
    svg = tmp_path / "screen.svg"
    svg.write_text(svg.read_text().replace("parameters", "numbers", 1))
    (tmp_path / "report.sha256").write_text("0" * 64)
    script["stale"].__globals__["DOCS"] = tmp_path
    (tmp_path / "make_screen.py").write_text((ROOT / "docs" / "make_screen.py").read_text())
    assert script["stale"]() == ["docs/screen.svg", "docs/report.png"]
