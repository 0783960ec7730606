"""Bars for work that takes a while: who reports progress, where they are drawn, and where not."""

import os
import pty
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import nets
import numpy as np
import pytest
from data_files import arrays, csv_text
from processes import ROOT

from bench import claims
from jitnet.cli import main
from jitnet.commands import gradcheck
from jitnet.commands.support import progress_bar as waiting_file
from jitnet.commands.support import trained_run
from jitnet.commands.support.progress_bar import Waiting
from jitnet.data import load
from jitnet.data.readers import tables


def csv(rows: int, quoted: bool = False) -> bytes:
    sign = '"' if quoted else ""
    return b"".join(f"{sign}{n % 10}{sign},{n % 256},7\n".encode() for n in range(rows))


@pytest.mark.parametrize("quoted", [False, True], ids=["numpy", "line by line"])
def test_a_csv_is_reported_as_it_is_read(quoted):
    said: list[tuple[str, float]] = []
    table = tables.decode(csv(2_000, quoted), "big.csv", lambda *told: said.append(told))
    assert len(table.pixels) == 2_000 and int(table.labels[11]) == 1
    assert {what for what, _ in said} == {"reading big.csv"}
    shares = [share for _, share in said]
    last = shares[len(shares) - shares[::-1].index(0.0) - 1 :]  # of the second reading, if the first was given up
    assert last[0] == 0 and last[-1] == 1 and last == sorted(last) and len(last) == 5


def test_class_folders_are_reported_image_by_image(tmp_path, monkeypatch):
    monkeypatch.setenv("JITNET_CACHE_DIR", str(tmp_path / "cache"))  # what was read once is not read again
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(8):
            (tmp_path / "set" / name / f"{number}.pgm").write_bytes(b"P5 2 2 255\n" + bytes([number] * 4))
    shares: list[float] = []
    data = load(tmp_path / "set", warn=str, report=lambda what, share: shares.append(share))
    assert len(data.x_train) + len(data.x_test) == 16 and shares == [n / 16 for n in range(16)]


def on_terminal(code: str, seconds: float = 20.0) -> str:
    """Return what a program writes to standard error, which is a terminal of 90 columns."""
    leader, follower = pty.openpty()
    environ = {**os.environ, "COLUMNS": "90", "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen([sys.executable, "-c", code], stderr=follower, stdout=subprocess.DEVNULL, env=environ)
    os.close(follower)
    text, until = b"", time.monotonic() + seconds
    while time.monotonic() < until:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                text += os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
    os.close(leader)
    assert child.wait() == 0
    return text.decode()


def test_a_bar_on_a_terminal_has_the_share_and_the_time_left():
    text = on_terminal("""
import time
from jitnet.commands.support.progress_bar import Waiting
with Waiting() as waiting:
    for step in range(8):
        waiting.report("reading " + "[red]x/" * 30, step / 8)
        time.sleep(0.12)
print("done")
""")
    assert "reading [red]x/[red]x/" in text and "…" in text and " 50 %" in text  # a long name leaves the bar its place
    assert "0:00:0" in text  # the time left
    _, cleared, rest = text.rpartition("\x1b[2K")
    assert cleared and not rest.replace("\x1b[?25h", "").strip()  # and nothing of it stays


def test_what_is_printed_into_a_pipe_beside_a_bar_stays_there():
    text = on_terminal("""
from jitnet.commands.support.progress_bar import Waiting
with Waiting() as waiting:
    waiting.report("reading", 0.1)
    print("a line for the pipe")
""")
    assert "reading" in text and "a line for the pipe" not in text


def test_gradients_and_claims_report_how_far_they_are(tmp_path, monkeypatch, capsys):
    said: list[tuple[str, float]] = []

    class Told(Waiting):
        def report(self, what, share):
            said.append((what, share))

    monkeypatch.setattr(gradcheck, "Waiting", Told)
    assert main(["gradcheck", "mlp", "--hidden", "2", "--side", "4", "--samples", "1"]) == 0
    assert [share for _, share in said] == sorted(share for _, share in said) and said[-1][1] == 1
    said.clear()
    monkeypatch.setattr(claims, "Waiting", Told)
    monkeypatch.setattr(claims, "KEPT", tmp_path / "claims.jsonl")
    monkeypatch.setattr(claims, "ProcessPoolExecutor", lambda *_, **__: ThreadPoolExecutor(1))
    monkeypatch.setattr(claims.recipes, "train", lambda *_: {"test": 90.0, "minutes": 0.1})
    claims.train_seeds("short", [("cnn", 0), ("cnn", 1)], 1)
    assert said == [("training 2 runs", 0), ("training 2 runs", 0.5), ("training 2 runs", 1)]
    assert claims.KEPT.read_text().count("\n") == 2 == capsys.readouterr().out.count("cnn, seed")


def test_work_that_is_done_at_once_loads_no_rich():
    text = on_terminal("""
import sys
from jitnet.commands.support.progress_bar import Waiting
with Waiting():
    pass
sys.exit("rich" in sys.modules)
""")
    assert text == ""


def test_a_pipe_gets_plain_lines_or_nothing(capsys):
    lines: list[str] = []
    for waiting in (Waiting(), Waiting(shown=False), Waiting(plain=lines.append)):
        with waiting:
            for what in ("one", "two"):
                for share in (0.0, 0.5, 1.0):
                    waiting.report(what, share)
            waiting.report("two", 0.0)  # a second attempt
    assert lines == ["one", "two", "two"] and capsys.readouterr() == ("", "")


def test_a_bar_is_drawn_ten_times_a_second_at_most(monkeypatch):
    class Terminal:
        def isatty(self):
            return True

        def write(self, text):
            return len(text)

        def flush(self):
            pass

    drawn = []
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(waiting_file.time, "monotonic", lambda: now[0])
    now = [0.0]
    with Waiting() as waiting:
        waiting.report("x", 0.0)
        monkeypatch.setattr(waiting._progress, "refresh", lambda: drawn.append(now[0]))
        for step in range(1000):
            now[0] = step / 1000
            waiting.report("x", step / 1000 + 1e-6)
    assert 8 <= len(drawn) <= 10


def test_reading_a_csv_shows_the_bar_unless_it_is_to_be_quiet(tmp_path):
    shown = []
    for name in ("shown", "quiet"):
        file = tmp_path / f"{name}.csv"
        file.write_text(csv_text(**{part[0]: array for part, array in arrays().items() if part.endswith("train")}))
        shown.append(on_terminal(f"""
from jitnet.config import Settings
from jitnet.run.start import load_data
from jitnet.commands.support.progress_bar import Waiting
with Waiting({name == "shown"}) as waiting:
    load_data(Settings(data={str(file)!r}), True, lambda sentence: None, waiting.report)
"""))  # fmt: skip
    assert "reading" in shown[0] and "%" in shown[0] and shown[1] == ""


def test_who_asks_a_network_is_told_how_far_its_kernels_are():
    """Once `eval` and `predict` compiled for ten seconds without a word."""
    case = nets.case(nets.MAKES[10], np.float32)
    told: list[tuple[str, float]] = []
    scores = trained_run.logits(case.network, case.images, lambda what, share: told.append((what, share)))
    assert np.array_equal(scores, case.network.logits(case.images))
    assert {what for what, _ in told} <= {"loading kernels", "compiling kernels"}
    shares = [share for _, share in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1 and len(shares) > 2
