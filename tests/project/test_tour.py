"""docs/tour.ipynb runs from top to bottom, without jupyter, its statements are true, and its outputs are its code's."""

import contextlib
import io
import json
import re
import runpy

from processes import ROOT

TEXT = (ROOT / "docs" / "tour.ipynb").read_text(encoding="utf-8")
NOTEBOOK = json.loads(TEXT)
CELLS = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def printed_by(cell) -> str:
    return "".join("".join(output["text"]) for output in cell["outputs"] if output["output_type"] == "stream")


def shape(text: str) -> str:
    """Return a text without what depends on the processor: digits, signs, the lengths of bars and of spaces."""
    return re.sub(r"#+", "#", re.sub(r"-?\d", "0", text)).replace("0", "").replace(" ", "")


def test_the_cells_run_in_order_and_print_what_is_kept_with_them():
    names: dict = {}
    for number, cell in enumerate(CELLS):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
        assert shape(printed.getvalue()) == shape(printed_by(cell)), f"python docs/make_tour.py: {cell['id']}"
    assert names["accuracy"] > 0.97
    assert names["model"].loss_curve_[-1] < 0.01 * names["model"].loss_curve_[0]
    assert names["difference"] < 1e-4 * abs(names["logits"]).max()


def test_the_outputs_are_those_of_the_code():
    make_tour = runpy.run_path(str(ROOT / "docs" / "make_tour.py"))
    assert make_tour["is_current"](NOTEBOOK), "python docs/make_tour.py runs it again"
    changed = {**NOTEBOOK, "cells": [*CELLS[:-1], {**CELLS[-1], "source": ["print(1)"]}]}
    assert not make_tour["is_current"](changed)
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])


def test_it_has_pictures_curves_and_the_dashboard_but_nothing_of_the_machine():
    pages = {
        cell["id"]: "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell["outputs"])
        for cell in CELLS
    }
    for name, images in (("load", 10), ("errors", 10), ("draw-filters", 16), ("draw-maps", 16)):
        assert pages[name].count("<img") == images, name
    assert 'aria-label="training"' in pages["fit"] and pages["fit"].count("<svg") == 4
    assert "the machine is busy" not in TEXT and "/home/" not in TEXT and "Error" not in "".join(pages.values())
