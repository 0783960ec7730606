"""What a command writes is never what it reads: the same name, links, standard input, and the files of runs."""

import io
import os
import sys
from pathlib import Path

import pytest
from commands import refusal
from test_table_answers import folder, here  # noqa: F401 (fixtures)

from jitnet.cli import main

LINKS = {
    "itself": lambda: "own.csv",
    "another spelling": lambda: os.path.abspath("own.csv"),
    "a link": lambda: os.symlink("own.csv", "other.csv") or "other.csv",
    "a second name": lambda: os.link("own.csv", "other.csv") or "other.csv",
}


@pytest.mark.parametrize("words", [["--csv", "{}"], ["{}"]])
@pytest.mark.parametrize("kind", LINKS)
def test_answers_do_not_replace_their_table(capsys, kind, words):
    Path("other.csv").unlink(missing_ok=True)
    Path("own.csv").write_bytes(content := Path("rows.csv").read_bytes())
    other = LINKS[kind]()
    for read, out in (("own.csv", other), (other, "own.csv")):
        message = refusal(capsys, "predict", "run", *(word.format(read) for word in words), "--out", out)
        assert f"--out is {out}, which is read as {read}: expected another file" in message
    assert Path("own.csv").read_bytes() == content


def test_answers_do_not_replace_what_standard_input_is_read_from(capsys, monkeypatch):
    Path("own.csv").write_bytes(content := Path("rows.csv").read_bytes())
    for out, code in (("own.csv", 2), ("new.csv", 0)):
        with open("own.csv") as file:
            monkeypatch.setattr(sys, "stdin", file)
            assert main(["predict", "run", "-", "--out", out]) == code
    assert Path("own.csv").read_bytes() == content and "which is read as standard input" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))  # which is no file
    assert main(["predict", "run", "-", "--out", "new.csv"]) == 0


def test_exports_do_not_replace_the_model_that_they_read(capsys):
    for name in ("model.safetensors", "model.npz"):
        assert main(["export", "weights", "run", "--out", name]) == 0
        content = Path(name).read_bytes()
        assert "which is read as" in refusal(capsys, "export", "weights", name, "--out", name)
        assert Path(name).read_bytes() == content


@pytest.mark.parametrize("name", ["last.safetensors", "previous.safetensors", "best.safetensors"])
def test_exports_do_not_replace_the_files_of_any_run(capsys, name):
    assert "a file of the run" in refusal(capsys, "export", "weights", "run", "--out", f"runs/run/{name}")
    assert "a file of the run" in refusal(capsys, "predict", "run", "--csv", "rows.csv", "--out", "runs/run/meta.json")


@pytest.mark.parametrize("words", [["report", "run"], ["play", "run"]])
def test_a_page_replaces_a_page_alone(capsys, words):
    for name, content in (("t.csv", b"1,2"), ("t.npz", b"PK"), ("x", b"<!doc")):
        Path(name).write_bytes(content)
        assert "a file that is no page" in refusal(capsys, *words, "--out", name)
        assert Path(name).read_bytes() == content
    for _ in range(2):
        assert main([*words, "--out", "page.html"]) == 0
