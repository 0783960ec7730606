"""Names from anywhere reach no terminal and no file of ours as anything but text: every command, every view."""

import csv
import io
import itertools
import json
import os
import re
import shutil
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import sample_run
from commands import digits, settle

from jitnet.cli import main
from jitnet.config import Settings
from jitnet.display.live.dashboard import Dashboard
from jitnet.display.notebook import to_html
from jitnet.display.plain import Plain
from jitnet.display.tables import to_csv, to_markdown
from jitnet.display.trials import open_trials_view
from jitnet.events import RunFinished, Warned
from jitnet.history.board import Board, Row
from jitnet.history.tables import Cell, Table
from jitnet.printing import csv_cell, printable

EVIL = "=1\x1b]0;t\x07\x1b[666D\x9b31m\u202ea\u2066\x7f|`<img src=x onerror=y>\u200b\r"
LINES = EVIL + "\nforged"  # where a name may have a line end
NOT_UTF8 = os.fsdecode(b"\xffx\xc3")
RAW = re.compile("\x1b\\]|\x07|\x1b\\[666D|[\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\r\ud800-\udfff]")
TINY = "--arch conv2 pool dense4 --init he --lr 0.1".replace("conv2 pool dense4", "conv2,pool,dense4").split()
TINY[1] = "conv2 pool dense4"


def has_forged_line(text: str) -> bool:
    """Return whether a line starts with the second line of a name; a table may fold it after its escaped line end."""
    lines = ["", *text.split("\n")]
    return any(
        line.lstrip().startswith("forged") and not before.rstrip().endswith("\\n")
        for before, line in itertools.pairwise(lines)
    )


def class_folders(home: Path) -> Path:
    """Write a data set of two hostile classes in a hostile folder; its images have hostile names too."""
    rng = np.random.default_rng(0)
    for label, name in enumerate((LINES, "@b" + EVIL)):
        folder = home / f"data{EVIL}" / name
        folder.mkdir(parents=True)
        for image in range(21):
            pixels = rng.integers(0, 99, (6, 6), np.uint8) + np.uint8(150 * label)
            (folder / f"{image}{EVIL}.pgm").write_bytes(b"P5 6 6 255\n" + pixels.tobytes())
    return home / f"data{EVIL}"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A run of class folders and one of a table, both in a hostile folder of runs and called hostile names."""
    made = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        settle(patch, made)
        data, runs = class_folders(made), f"runs{LINES}"
        common = [*TINY, "--epochs", "2", "--ui", "quiet", "--runs-dir", runs]
        assert main(["train", "cnn", *common, "--data", str(data), "--name", "a"]) == 0
        table = made / f"t{EVIL}.csv"
        table.write_text(f"{EVIL.strip()},b,y\n" + "".join(f"{i},{i % 3},{2 * i}\n" for i in range(40)))
        assert (
            main(
                ["train", "mlp", "--arch", "dense3", *common[2:], "--data", str(table), "--target", "y", "--name", "r"]
            )
            == 0
        )
        os.rename(made / runs / "a", made / runs / LINES)
        meta = made / runs / LINES / "meta.json"
        kept = json.loads(meta.read_text())
        hostile = dict.fromkeys(("title", "cpu", "layer", "stop_reason", "data_source", "host", "data"), LINES)
        meta.write_text(json.dumps(kept | hostile | {"argv": ["jitnet", LINES], "versions": {LINES: LINES}}))
        shutil.copytree(made / runs / LINES, made / runs / "copy")
    return made


@pytest.fixture
def folder(home, tmp_path, monkeypatch):
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    return settle(monkeypatch, tmp_path)


def check(text: str, about: object) -> None:
    assert not RAW.search(text), (about, RAW.search(text), text[:2000])
    assert not has_forged_line(text), (about, text[:2000])


def run(capfd, *words: str, codes: tuple[int, ...] = (0,)) -> str:
    capfd.readouterr()
    code = main(list(words))
    out, err = capfd.readouterr()
    assert code in codes, (words, code, out, err)
    check(out + err, words)
    return out


def images(folder):
    return sorted(str(file) for file in (folder / f"data{EVIL}" / LINES).iterdir())[:2]


def test_every_command_that_reads_runs(folder, capfd):
    runs = ["--runs-dir", f"runs{LINES}"]
    for words in (
        ["list"],
        ["list", "--json"],
        ["show", LINES],
        ["show", LINES, "--json"],
        ["plot", LINES, "copy"],
        ["plot", LINES, "--metric", "step_loss", "--x", "time"],
        ["compare", LINES, "copy", "r"],
        ["compare", LINES, "r", "--markdown"],
        ["compare", LINES, "r", "--csv"],
    ):
        out = run(capfd, "runs", *words, *runs)
        if "--json" in words:
            json.loads(out)
    for words in (
        ["eval", LINES],
        ["errors", LINES],
        ["trace", LINES],
        ["ensemble", LINES, "copy"],
        ["predict", LINES, *images(folder)],
        ["resume", LINES],
        ["resume", LINES, "--epochs", "3", "--ui", "plain"],
        ["resume", "copy", "--epochs", "3", "--ui", "json"],
        ["eval", "r"],
        ["export", "cpp", LINES, "--out", f"twin{EVIL}"],
        ["export", "weights", LINES, "--out", f"w{EVIL}.safetensors"],
    ):
        run(capfd, *words, *runs)
    run(capfd, "report", LINES, "copy", "--out", f"page{EVIL}.html", *runs)
    check_page((folder / f"page{EVIL}.html").read_text())
    for file in (folder / f"twin{EVIL}").iterdir():
        if file.suffix in (".hpp", ".cpp", ".md", ".txt"):
            check(file.read_text(), file)


def test_every_command_that_makes_runs(folder, capfd):
    data, runs = str(folder / f"data{EVIL}"), ["--runs-dir", f"more{LINES}"]
    for ui in ("plain", "json", "quiet"):
        run(capfd, "train", "cnn", *TINY, "--epochs", "1", "--data", data, "--ui", ui, "--name", ui, *runs)
    tomllib.loads((folder / f"more{LINES}" / "plain" / "config.toml").read_text())
    check((folder / f"more{LINES}" / "plain" / "config.toml").read_text(), "config.toml")
    few = ["--epochs", "1", "--data", data, "--workers", "1", *runs]
    run(capfd, "sweep", "cnn", *TINY[:4], "--grid", "lr=0.1,0.2", *few, "--name", "s", "--ui", "plain")
    run(capfd, "sweep", "cnn", *TINY[:4], "--grid", "lr=0.1,0.2", *few, "--name", "s", "--ui", "json")
    for words in (["runs", "compare", "s"], ["runs", "compare", "s", "--csv"], ["report", "s"]):
        run(capfd, *words, *runs)
    check_page((folder / f"more{LINES}" / "s" / "report.html").read_text())
    run(capfd, "import", "weights", f"w{EVIL}.npz", "cnn", "--data", data, *runs, codes=(2,))


def test_every_command_that_refuses(folder, capfd, monkeypatch):
    for words in (
        ["train", LINES],
        ["train", "cnn", "--arch", LINES],
        ["train", "cnn", "--data", LINES],
        ["train", "cnn", "--name", LINES],
        ["train", "cnn", "--config", LINES],
        ["train", "cnn", LINES],
        ["train", "mlp", "--data", f"t{EVIL}.csv", "--target", LINES],
        ["summary", LINES],
        ["summary", "cnn", "--arch", LINES],
        ["gradcheck", "cnn", "--arch", LINES],
        ["schedule", "cnn", LINES],
        [LINES],
        ["resume", LINES],
        ["eval", LINES],
        ["eval", "latest", "--runs-dir", LINES],
        ["predict", "latest", LINES, "--runs-dir", f"runs{LINES}"],
        ["data", "fetch", LINES],
        ["runs", "list", "--runs-dir", LINES],
        ["runs", "list", "--filter", LINES],
        ["runs", "plot", LINES],
        ["runs", "list", "--sort", LINES, "--runs-dir", f"runs{LINES}"],
        ["sweep", "cnn", "--grid", LINES],
        ["sweep", "cnn", "--grid", f"lr={LINES}"],
        ["repeat", "cnn", "--name", LINES],
        ["report", LINES],
        ["import", "weights", LINES, "cnn"],
        ["completion", LINES],
        ["ensemble", LINES, LINES],
    ):
        run(capfd, *words, codes=(2,))
    monkeypatch.setenv("JITNET_DATA", f"data{EVIL}")
    run(capfd, "data", "status")
    monkeypatch.setenv("JITNET_DATA", LINES)
    run(capfd, "data", "status")
    run(capfd, "train", "cnn", "--data", "mnist", "--offline", codes=(2,))


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_undecodable_names_are_one_sentence_or_shown_escaped(folder, capfd, monkeypatch):
    shutil.copytree(folder / f"data{EVIL}", folder / NOT_UTF8)
    shutil.copytree(folder / f"runs{LINES}", folder / f"runs{NOT_UTF8}")
    runs = ["--runs-dir", f"runs{NOT_UTF8}"]
    os.rename(folder / f"runs{NOT_UTF8}" / "copy", folder / f"runs{NOT_UTF8}" / NOT_UTF8)
    run(capfd, "train", "cnn", *TINY, "--data", NOT_UTF8, codes=(2,))
    run(capfd, "train", "cnn", *TINY, "--name", NOT_UTF8, codes=(2,))
    run(capfd, "train", "cnn", "--arch", NOT_UTF8, codes=(2,))
    run(capfd, "eval", NOT_UTF8, "--data", NOT_UTF8, *runs, codes=(2,))
    for words in (
        ["runs", "list"],
        ["runs", "list", "--json"],
        ["runs", "show", NOT_UTF8],
        ["eval", NOT_UTF8],
        ["runs", "compare", NOT_UTF8, LINES],
        ["runs", "compare", NOT_UTF8, LINES, "--csv"],
        ["report", NOT_UTF8],
        ["ensemble", NOT_UTF8, LINES],
        ["predict", NOT_UTF8, *images(folder)],
        ["resume", NOT_UTF8, "--epochs", "3", "--ui", "plain"],
        ["export", "cpp", NOT_UTF8, "--out", f"twin{NOT_UTF8}"],
    ):
        run(capfd, *words, *runs)
    check_page((folder / f"runs{NOT_UTF8}" / NOT_UTF8 / "report.html").read_text())
    digits(folder)
    run(capfd, "train", "cnn", *TINY, "--epochs", "1", "--data", "digits", "--ui", "json", *runs, "--name", "n")
    monkeypatch.setenv("JITNET_DATA", NOT_UTF8)
    run(capfd, "data", "status")


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
@pytest.mark.parametrize("named", ["class", "file"])
def test_every_file_of_a_network_with_undecodable_names_is_utf_8(folder, capfd, named):
    """A class, and a file of a model, whose title it is."""
    if named == "class":
        data, runs = folder / "classes", ["--runs-dir", "more"]
        shutil.copytree(folder / f"data{EVIL}" / LINES, data / NOT_UTF8)
        shutil.copytree(folder / f"data{EVIL}" / ("@b" + EVIL), data / "b")
        run(capfd, "train", "cnn", *TINY, "--epochs", "1", "--data", str(data), "--name", "a", *runs)
        network, files = "a", [folder / "more" / "a" / "config.toml"]
    else:
        shutil.copy(folder / f"runs{LINES}" / LINES / "last.safetensors", folder / f"{NOT_UTF8}.safetensors")
        network, runs, files = f"{NOT_UTF8}.safetensors", [], []
    run(capfd, "export", "hub", network, "--out", "card", *runs)
    run(capfd, "export", "cpp", network, "--out", "twin", *runs)
    run(capfd, "export", "onnx", network, "--out", "m.onnx", *runs)
    run(capfd, "play", network, "--out", "play.html", *runs)
    (folder / "rows.csv").write_text("".join(f"{','.join(map(str, range(n, n + 36)))}\n" for n in range(99)))
    for words in ([], ["--submission"]):
        run(capfd, "predict", network, "--csv", "rows.csv", "--out", "answers.csv", *words, *runs)
        text = (folder / "answers.csv").read_text(encoding="utf-8")
        assert words or not RAW.search(text), text  # a submission has the labels as the training files have them
    if named == "class":
        run(capfd, "report", network, "--out", "report.html", *runs)
        check_page((folder / "report.html").read_text())
    for place in ("card", "twin"):
        files += [each for each in (folder / place).iterdir() if each.suffix in (".hpp", ".md", ".json", ".py")]
    for file in (*files, folder / "play.html"):
        check(file.read_text(encoding="utf-8"), file)


class Page(HTMLParser):
    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert not any(name.startswith("on") for name in names), (tag, attributes)
        assert tag != "img" or dict(attributes).get("src", "").startswith("data:"), attributes


def check_page(text: str) -> None:
    """HTML and SVG: no element and no attribute comes from a name."""
    check(text, "a page")
    Page(convert_charrefs=True).feed(text)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("view", ["live", "plain"])
def test_views_of_a_run(view):
    out, errors = Terminal(), Terminal()
    shown = Dashboard(out, {"TERM": "xterm"}, keyboard=None) if view == "live" else Plain(out, errors)
    with shown:
        evil = dict.fromkeys(("title", "run", "architecture", "data", "source", "recipe", "layer"), LINES)
        shown.handle(sample_run.started(**evil, extents=(LINES,) * 8))
        shown.handle(Warned(message=LINES))
        shown.handle(sample_run.steps(0, 6000))
        shown.handle(sample_run.epoch_done(0, data=LINES))
        shown.handle(RunFinished(test_accuracy=1.0, val_accuracy=None, elapsed_s=1.0, data=LINES, stop_reason=LINES))
    check(out.getvalue().replace("\r", "") + errors.getvalue(), view)
    assert "666D" in out.getvalue()


@pytest.mark.parametrize("ui", ["live", "plain", "json"])
def test_views_of_trials(ui):
    row = Row(LINES, LINES, {LINES: LINES}, 3, status="failed", epoch=1, message=LINES, host=LINES)
    board = Board(LINES, Path(LINES), [row], 3.0, engine=LINES, notices=[LINES])
    out, errors = Terminal(), Terminal()
    with open_trials_view(ui, board, out, errors, {"TERM": "xterm"}) as view:
        view.handle(row)
        view.handle(None)
    check(out.getvalue().replace("\r", "") + errors.getvalue(), ui)
    assert "666D" in out.getvalue()


def test_a_notebook():
    check_page(to_html(sample_run_frame(), [("warning", LINES)]))


def sample_run_frame():
    from jitnet.display.live.frame import Frame

    return Frame([[(printable(LINES), "")]])


@pytest.mark.parametrize(
    "evil", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", EVIL, LINES]
)
def test_no_cell_is_a_formula(evil):
    tables = [Table("t", ("", evil), ((evil, evil), ("loss", Cell(-0.5, "number", change=-1.0))))]
    cells = [cell for line in csv.reader(io.StringIO(to_csv(tables))) for cell in line]
    assert "-0.5" in cells
    for cell in (*cells, csv_cell(evil)):
        assert cell[:1] not in tuple("=+-@\t\r") or re.fullmatch(r"-?[\d.]+", cell), cell
        check(cell, evil)


def test_markdown_has_no_element_and_no_column_of_a_name():
    text = to_markdown([Table("t", ("", EVIL), ((LINES, "[a](javascript:b)"),))])
    check(text, "markdown")
    lines = text.split("\n")
    assert len(lines) == 5 and "<img" not in text and "[a](" not in text.replace("\\[", "")
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines[2:])


def test_toml_reads_back():
    settings = Settings(data=LINES, architecture="dense1", network=EVIL)
    check(settings.to_toml(), "toml")
    assert tomllib.loads(settings.to_toml())["data"] == LINES


@pytest.mark.parametrize("text", ["", "plain", "café 数字", "a b", EVIL, LINES, NOT_UTF8])
def test_printable(text):
    shown = printable(text)
    assert shown.isprintable() and (shown == text) == text.isprintable() and printable(shown) == shown
